"""From files to answers over HTTP by commands alone, with the real engine."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shortlist import Engine
from shortlist import features as f

lightgbm = pytest.importorskip("lightgbm")
pytest.importorskip("granian")

N_ITEMS, DIM = 60, 8


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Items, users, vectors, features and a model, as they would be given to the command."""
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(N_ITEMS, DIM)).astype(np.float32)
    years = rng.integers(1950, 2020, N_ITEMS)
    np.save(folder / "items.npy", vectors)
    np.save(folder / "users.npy", vectors[:5])
    rows = "".join(f"{i},{year},{i % 7}\n" for i, year in zip(range(N_ITEMS), years, strict=True))
    (folder / "items.csv").write_text("id,year,views\n" + rows)
    (folder / "users.csv").write_text("id,age\n" + "".join(f"u{i},{20 + i}\n" for i in range(5)))
    spec = f.FeatureSet([f.Numeric("user.age"), f.Numeric("item.year"), f.Similarity()])
    spec.fit({"user.age": [20.0], "item.year": years[:1], "similarity": [0.0]})
    (folder / "features.json").write_text(spec.to_json())
    x = np.column_stack([rng.integers(18, 80, 500), rng.choice(years, 500), rng.normal(size=500)])
    y = x[:, 2] + (x[:, 1] > 1980) + rng.normal(scale=0.1, size=500)
    data = lightgbm.Dataset(x, y, feature_name=list(spec.names))
    booster = lightgbm.train({"verbosity": -1, "num_leaves": 7, "seed": 1}, data, 10)
    booster.save_model(folder / "model.txt")
    return folder


@pytest.fixture(scope="module")
def bundle(files: Path, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("bundles") / "movies"
    ended = command(
        *("pack", root, "--ranker", files / "model.txt", "--features", files / "features.json"),
        *("--items", files / "items.csv", "--vectors", files / "items.npy"),
        *("--users", files / "users.csv", "--user-vectors", files / "users.npy"),
        *("--popularity", "views", "--n-candidates", "20"),
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"{root}/v1\n"
    return root


def arguments(*rest: object) -> list[str]:
    code = "from shortlist.cli import main; main()"
    return [sys.executable, "-W", "error", "-c", code, *map(str, rest)]


def command(*rest: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments(*rest), capture_output=True, text=True, check=False, timeout=60, **options
    )


def test_inspect_names_the_parts(bundle):
    ended = command("inspect", bundle)
    assert ended.returncode == 0, ended.stderr
    for part in ("movies", "v1", "items.safetensors", "index.safetensors", "ranker"):
        assert part in ended.stdout
    assert json.loads(command("inspect", bundle, "--json").stdout)["name"] == "movies"


def test_verify_finds_a_flipped_bit(bundle, tmp_path):
    assert command("verify", bundle).returncode == 0
    copy = tmp_path / "movies"
    subprocess.run(["cp", "-r", str(bundle), str(copy)], check=True)
    path = copy / "v1" / "index.safetensors"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    ended = command("verify", copy)
    assert ended.returncode == 1
    assert "index.safetensors" in ended.stderr
    assert command("serve", copy, "--port", "0").returncode == 3


def test_rank_answers_as_the_engine_does(bundle):
    requests = [{"user": {"id": "u1"}, "k": 5}, {"vector": [1.0] * DIM, "k": 3}, {"k": -1}]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    ended = command("rank", bundle, input=lines)
    assert ended.returncode == 1
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    engine = Engine.load(bundle)
    for request, answer in zip(requests[:2], answers[:2], strict=True):
        expected = engine.rank(request)
        assert answer["ids"] == list(expected.ids)
        assert answer["scores"] == expected.scores.tolist()
    assert answers[2]["line"] == 3
    assert "k" in answers[2]["error"]


@pytest.mark.parametrize("workers", [1, 2])
def test_serve_answers_the_engines_bytes(bundle, workers):
    server = subprocess.Popen(
        arguments("serve", bundle, "--port", "0", "--workers", workers),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = server.stderr.readline()
        assert line.startswith("serving on http://127.0.0.1:"), line + server.stderr.read()
        port = int(line.split()[2].rsplit(":", 1)[1])
        body = b'{"user":{"id":"u2"},"k":7}'
        expected = Engine.load(bundle).rank_json(body)
        for _ in range(20):
            assert post(port, "/v1/rank", body) == (200, expected)
        status, answer = post(port, "/v1/models/movies/rank", b'{"user":{"id":"u2"},"k":0}')
        assert status == 400
        assert "k" in json.loads(answer)["error"]
        rows = b'{"rows":[{"user.age":30,"item.year":1990}]}'
        assert post(port, "/v1/score", rows)[0] == 200
        assert (
            metrics(port)['shortlist_requests_total{model="movies",version="v1",route="rank"}']
            == 21
        )
        assert (
            metrics(port)['shortlist_errors_total{model="movies",version="v1",route="rank"}'] == 1
        )
        server.send_signal(signal.SIGTERM)
        assert not re.search("Traceback|panicked", server.communicate(timeout=20)[1])
        assert server.returncode == 0
    finally:
        server.kill()
        server.communicate(timeout=20)


def post(port: int, path: str, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", path, body, {"content-type": "application/json"})
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def metrics(port: int) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {key: float(value) for key, value in pairs}
