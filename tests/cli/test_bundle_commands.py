"""``shortlist inspect``, ``verify`` and ``pack``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import shortlist
from shortlist.errors import MismatchError, NotFoundError, UnsupportedError


@dataclass
class Facts:
    name: str
    path: Path
    files: dict[str, dict[str, object]]
    parts: list[dict[str, object]]
    settings: dict[str, object]


FACTS = Facts(
    "movies",
    Path("bundles/movies/v1"),
    {"items.safetensors": {"bytes": 1234567, "sha256": "ab" * 32}},
    [{"role": "ranker", "kind": "forest", "files": ["ranker.safetensors"]}],
    {"query": ["vector", "users"], "n_candidates": 500},
)


def test_inspect_shows_tables(run, monkeypatch, tmp_path):
    monkeypatch.setattr(shortlist, "inspect", lambda path: FACTS, raising=False)
    ended = run("inspect", tmp_path)
    assert ended.exit_code == 0
    for shown in ("movies", "items.safetensors", "1,234,567", "ab" * 32, "ranker", "vector, users"):
        assert shown in ended.stdout


def test_inspect_prints_json_on_demand(run, monkeypatch, tmp_path):
    monkeypatch.setattr(shortlist, "inspect", lambda path: FACTS, raising=False)
    found = json.loads(run("inspect", tmp_path, "--json").stdout)
    assert found["path"] == "bundles/movies/v1"
    assert found["files"]["items.safetensors"]["bytes"] == 1234567


@pytest.fixture
def version(tmp_path) -> Path:
    folder = tmp_path / "v1"
    folder.mkdir()
    (folder / "bundle.json").write_text("{}")
    return folder


def failing(error: Exception):
    def call(*args: object, **kwargs: object) -> None:
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MismatchError("v1/ranker.safetensors:\nsha256 differs"), 1),
        (NotFoundError("v1/items.safetensors is missing"), 1),
        (UnsupportedError("schema is 2.0"), 3),
    ],
)
def test_verify_tells_what_fails(run, monkeypatch, version, error, code):
    monkeypatch.setattr(shortlist, "verify", failing(error), raising=False)
    ended = run("verify", version)
    assert ended.exit_code == code
    assert ended.stderr == f"error: {' '.join(str(error).split())}\n"


def test_verify_of_no_bundle_is_exit_code_3(run, tmp_path):
    assert run("verify", tmp_path).exit_code == 3
    assert run("verify", tmp_path / "nope").exit_code == 3


def test_verify_says_so(run, monkeypatch, version):
    def verify(path, *, parity):
        return {"path": path, "parity": parity}

    monkeypatch.setattr(shortlist, "verify", verify, raising=False)
    ended = run("verify", version, "--no-parity")
    assert "False" in ended.stdout
    assert ended.exit_code == 0
    assert "verified" in ended.stdout


class FakeIndex:
    @staticmethod
    def build(vectors, *, ids, metric):
        return (vectors.shape, list(ids), metric)


@pytest.fixture
def packed(monkeypatch) -> dict:
    calls: dict = {}

    def pack(path, **options):
        calls.update(options, path=path)
        return path / "v1"

    monkeypatch.setattr(shortlist, "pack", pack, raising=False)
    monkeypatch.setattr(shortlist, "Index", FakeIndex, raising=False)
    return calls


def test_pack_takes_a_ranker_alone(run, packed, tmp_path):
    model = tmp_path / "model.txt"
    model.write_text("tree")
    ended = run("pack", tmp_path / "fraud", "--ranker", model)
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout == f"{tmp_path}/fraud/v1\n"
    assert packed["ranker"] == model
    assert packed["items"] is packed["users"] is packed["retriever"] is packed["features"] is None


def test_pack_reads_tables_and_vectors(run, packed, tmp_path):
    files = {name: tmp_path / name for name in ("model.txt", "i.csv", "u.csv", "i.npy", "u.npy")}
    files["model.txt"].write_text("tree")
    files["i.csv"].write_text("id,year,views\n10,1999,5\n11,,7\n")
    files["u.csv"].write_text("id,city\n007,Rome\n8,\n")
    np.save(files["i.npy"], np.ones((2, 3)))
    np.save(files["u.npy"], np.ones((2, 3), dtype=np.float32))
    ended = run(
        *("pack", tmp_path / "movies", "--ranker", files["model.txt"]),
        *("--items", files["i.csv"], "--vectors", files["i.npy"], "--metric", "cosine"),
        *("--users", files["u.csv"], "--user-vectors", files["u.npy"]),
        *("--query", "users, like", "--popularity", "views", "--fallback", "error"),
        *("--n-candidates", "50", "--filters", "year,views", "--raw-score"),
        *("--reference", files["i.csv"]),
    )
    assert ended.exit_code == 0, ended.stderr
    assert packed["retriever"] == ((2, 3), [10, 11], "cosine")
    assert packed["users"]["id"] == ["007", "8"]
    assert packed["users"]["vector"].dtype == np.float32
    assert packed["query"] == ("users", "like")
    assert (packed["popularity"], packed["fallback"]) == ("views", "error")
    assert packed["n_candidates"] == 50
    assert packed["filters"] == ("year", "views")
    assert packed["raw_score"] is True
    assert list(packed["reference"]) == ["id", "year", "views"]


def test_pack_needs_the_users_of_user_vectors(run, packed, tmp_path):
    model = tmp_path / "model.txt"
    model.write_text("tree")
    ended = run("pack", tmp_path / "x", "--ranker", model, "--user-vectors", model)
    assert ended.exit_code == 2
    assert "--users" in ended.stderr
