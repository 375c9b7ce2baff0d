"""An engine with lists finds what its index finds, filtered or not; forged lists are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import shortlist
from shortlist import FormatError, MismatchError, ShortlistError, _core, safetensors

N, DIM = 6000, 24


@pytest.fixture(scope="module")
def shop(catalogue, tmp_path_factory) -> tuple[Path, shortlist.Index, dict]:
    rng = np.random.default_rng(6)
    vectors = rng.normal(size=(N, DIM)).astype(np.float32)
    items = {
        "id": np.arange(100, N + 100),
        "price": rng.gamma(2, 10, size=N),
        "genre": [["jazz", "blues", "rock"][i % 3] for i in range(N)],
        "year": rng.integers(1950, 2024, size=N),
    }
    index = shortlist.Index.build(vectors, ids=items["id"], kind="ivf", recall=0.9, k=100)
    path = shortlist.pack(
        tmp_path_factory.mktemp("lists") / "shop",
        retriever=index,
        features=catalogue.features,
        ranker=catalogue.path / "ranker.lightgbm.txt",
        items=items,
        users=catalogue.users,
        n_candidates=100,
    )
    return path, index, items


def ranked(engine: shortlist.Engine, query: np.ndarray, **request: object) -> list[int]:
    answer = engine.rank({"vector": [float(x) for x in query], **request}, k=100)
    return sorted(answer.ids)


def test_the_engine_finds_what_the_index_finds(shop):
    path, index, _ = shop
    engine = shortlist.Engine.load(path)
    differing = 0
    for query in np.random.default_rng(1).normal(size=(40, DIM)).astype(np.float32):
        found = index.search(query, k=100)
        assert not found.exact
        assert ranked(engine, query) == sorted(found.ids[0].tolist())
        differing += set(found.ids[0]) != set(index.search(query, k=100, exact=True).ids[0])
    assert differing  # so that the lists are what is searched


def test_filters_and_exclusions_of_requests_hold(shop):
    path, index, items = shop
    engine = shortlist.Engine.load(path)
    query = np.random.default_rng(2).normal(size=DIM).astype(np.float32)
    for text, mask in (
        ("year >= 1960", items["year"] >= 1960),
        ("price < 3", items["price"] < 3),
        ("year < 1951", items["year"] < 1951),
    ):
        gone = index.search(query, k=5, filter=mask).ids[0].tolist()
        expected = index.search(query, k=100, filter=mask, exclude=gone).ids[0]
        found = ranked(engine, query, filter=text, exclude=gone)
        assert found == sorted(expected[expected >= 0].tolist())


def test_recall_of_the_engine_is_that_of_the_build(shop):
    path, index, _ = shop
    engine = shortlist.Engine.load(path)
    queries = np.random.default_rng(3).normal(size=(150, DIM)).astype(np.float32)
    true = index.search(queries, k=100, exact=True).ids
    shares = [
        np.isin(t, ranked(engine, query)).mean() for t, query in zip(true, queries, strict=True)
    ]
    assert 0.88 <= np.mean(shares) < 1.0


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("rows", lambda array: array[::-1].copy(), 'tensor "rows" has a row twice'),
        ("rows", lambda array: array + np.uint32(N), 'tensor "rows" has a row beyond the vectors'),
        ("rows", lambda array: array * np.uint32(0), 'tensor "rows" has a row twice'),
        ("list_sizes", lambda array: array + np.uint32(9), 'tensor "rows" has a row twice'),
        ("list_begins", lambda array: array + np.uint32(1), 'tensor "list_begins"'),
        ("codes", lambda array: array[:-64], 'tensor "codes" has'),
        ("codes", lambda array: array[::-1].copy(), ""),
        ("scales", lambda array: array * np.float32(np.nan), 'tensor "scales" has a value'),
        ("radii", lambda array: -array, 'tensor "radii" has a negative value'),
        ("origin", lambda array: array[:-1], 'tensor "centroids" is F32'),
        ("plans", lambda array: array[::-1].copy(), 'tensor "plans" has an invalid or misplaced'),
        ("plans", lambda array: array * np.nan, 'tensor "plans" has an invalid or misplaced'),
        ("plans", lambda array: array[:0], ""),
    ],
)
def test_forged_lists_are_refused_or_harmless(shop, tmp_path, name, change, message):
    version = tmp_path / "v1"
    shutil.copytree(shop[0], version)
    path = version / "index.safetensors"
    arrays, metadata = safetensors.load(path)
    tensors = {key: np.array(value) for key, value in arrays.items()}
    tensors[name] = change(tensors[name])
    path.unlink()
    safetensors.save(path, tensors, metadata)
    document = json.loads((version / "bundle.json").read_bytes())
    document["files"]["index.safetensors"]["bytes"] = path.stat().st_size
    (version / "bundle.json").write_text(json.dumps(document))
    body = json.dumps({"vector": [0.5] * DIM, "k": 5}).encode()
    try:
        engine = _core.Engine(str(version))
    except ShortlistError as error:
        assert message
        assert isinstance(error, FormatError | MismatchError)
        assert f"index.safetensors: {message}" in str(error)
    else:
        assert not message
        assert len(json.loads(engine.rank_json(body))["ids"]) == 5
