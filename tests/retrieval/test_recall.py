"""The recall that is asked for is what searches reach, on queries that the build did not see."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import vector_sets as data
from shared_files import shared_path

from shortlist import Index
from shortlist._core import available_isas
from shortlist.errors import ArgumentError


def recalls_of(index: Index, queries: np.ndarray, k: int, **options: object) -> np.ndarray:
    """The share of its true best k that each query finds."""
    true = index.search(queries, k=k, exact=True).ids
    found = index.search(queries, k=k, **options).ids
    return np.array([np.isin(t, f).mean() for t, f in zip(true, found, strict=True)])


def check_recall(index: Index, queries: np.ndarray, k: int, recall: float, **options) -> None:
    """The mean is what was asked for, but for the chance of which queries were drawn."""
    reached = recalls_of(index, queries, k, recall=recall, **options)
    assert reached.mean() >= recall - 0.005 - 2.5 * reached.std() / np.sqrt(len(reached))


@pytest.mark.parametrize("make", [data.clustered, data.uneven, data.far_away])
@pytest.mark.parametrize("metric", ["ip", "cosine", "l2"])
def test_the_recall_asked_for_is_reached(make, metric):
    if (make, metric) == (data.far_away, "ip"):
        pytest.skip("every query has the same best, so that a mean over queries says nothing")
    index = Index.build(make(12_000, 32), metric=metric, kind="ivf", k=50)
    queries = make(400, 32, seed=8)
    for k in (1, 10, 50):
        for recall in (0.8, 0.9, 0.95, 0.99):
            for rerank in (True, False):
                check_recall(index, queries, k, recall, rerank=rerank)


def test_the_recall_of_the_build_is_the_default():
    vectors, queries = data.clustered(12_000, 32), data.clustered(300, 32, seed=8)
    index = Index.build(vectors, kind="ivf", recall=0.8, k=20)
    assert index.recall == 0.8
    default = index.search(queries, k=20)
    assert not default.exact
    assert default.ids.tobytes() == index.search(queries, k=20, recall=0.8).ids.tobytes()


def test_real_embeddings_and_descriptors_reach_their_recall():
    texts = np.load(shared_path("data", "banking77-minilm", "vectors_f16.npy")).astype(np.float32)
    images = np.load(shared_path("data", "sift-5k", "vectors.npy")).astype(np.float32)
    for vectors, metric in ((texts, "cosine"), (images, "l2")):
        index = Index.build(vectors[500:], metric=metric, kind="ivf")
        for recall in (0.9, 0.95, 0.99):
            check_recall(index, vectors[:500], 100, recall)


def test_queries_unlike_the_vectors_are_measured_where_they_are_given():
    vectors = data.uneven(12_000, 32)
    rng = np.random.default_rng(4)
    queries = rng.normal(size=(600, 32)).astype(np.float32)
    index = Index.build(vectors, kind="ivf", queries=queries[:300])
    for recall in (0.9, 0.95, 0.99):
        check_recall(index, queries[300:], 100, recall)


def test_scores_without_rerank_are_near_the_true_ones_and_said_to_be_approximate():
    for metric in ("ip", "cosine", "l2"):
        index = Index.build(data.clustered(5000, 32), metric=metric, kind="ivf")
        query = data.clustered(1, 32, seed=8)[0]
        found = index.search(query, k=20, rerank=False)
        true = index.score(np.repeat(query[None], 20, axis=0), found.ids[0])
        assert not found.reranked
        assert index.search(query, k=20).reranked
        np.testing.assert_allclose(found.scores[0], true, atol=0.02)
        assert (np.diff(found.scores[0]) <= 0).all()


def test_auto_measures_and_says_why():
    small = Index.build(data.clustered(500, 16))
    assert small.kind == "flat"
    assert "500 vectors" in small.describe()
    large = Index.build(data.clustered(60_000, 32, spread=0.2))
    assert large.kind == "ivf"
    assert "lists take" in large.describe()
    assert "exact" in large.describe()


def test_threads_change_nothing():
    vectors, queries = data.clustered(6000, 24), data.clustered(50, 24, seed=8)
    one = Index.build(vectors, kind="ivf", n_threads=1)
    two = Index.build(vectors, kind="ivf", n_threads=3)
    for options in ({"exact": True}, {"recall": 1.0}):
        first = one.search(queries, k=20, **options)
        second = two.search(queries, k=20, n_threads=2, **options)
        assert first.ids.tobytes() == second.ids.tobytes()
        assert first.scores.tobytes() == second.scores.tobytes()


WALK = """
import sys, numpy as np
from shortlist import _core
rng = np.random.default_rng(5)
for metric in ("ip", "cosine", "l2"):
    for dim in (3, 16, 33):
        vectors = rng.normal(size=(3000, dim)).astype(np.float32)
        queries = rng.normal(size=(5, dim)).astype(np.float32)
        builder = _core.VectorIndexBuilder(vectors, metric, 48, 20, 1, 1)
        for _ in range(3):
            builder.train()
        builder.assign(0, 3000)
        index = builder.finish()
        mask = rng.integers(0, 2**63, size=47).astype(np.uint64)
        mask[-1] &= (1 << 56) - 1
        for effort in (0.5, 3.0, float("inf")):
            for rerank in (True, False):
                for allowed in (None, mask):
                    found = index.search(queries, 40, effort, 60, rerank, 300, allowed)
                    sys.stdout.buffer.write(found[0].tobytes() + found[1].tobytes())
                    sys.stdout.buffer.write(str(found[2:]).encode())
"""


def test_lists_and_walks_are_the_same_on_every_instruction_set():
    outputs = {
        isa: subprocess.run(
            [sys.executable, "-c", WALK],
            env={**os.environ, "SHORTLIST_ISA": isa},
            capture_output=True,
            check=True,
        ).stdout
        for isa in available_isas()
    }
    assert outputs["portable"]
    assert set(outputs.values()) == {outputs["portable"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "hnsw"}, "kind: got 'hnsw', expected 'auto', 'flat' or 'ivf'"),
        ({"recall": 0}, "recall: got 0, expected a number above 0"),
        ({"recall": 1.5}, "recall: got 1.5"),
        ({"recall": float("nan")}, "recall: got nan"),
        ({"recall": True}, "recall: got True"),
        ({"k": 0}, "k: got 0"),
        ({"n_threads": 0}, "n_threads: got 0"),
        ({"progress": 3}, "progress: got 3"),
        ({"queries": np.ones((2, 3))}, r"queries: shape \(2, 3\)"),
        ({"queries": np.ones((0, 2))}, "queries: got none"),
    ],
)
def test_bad_options_of_a_build_are_told(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        Index.build(np.eye(2), **arguments)


def test_bad_options_of_a_search_are_told():
    index = Index.build(data.clustered(3000, 4), kind="ivf")
    query = np.ones(4, dtype=np.float32)
    with pytest.raises(ArgumentError, match="recall: got 2"):
        index.search(query, k=1, recall=2)
    with pytest.raises(ArgumentError, match="exact: got 1"):
        index.search(query, k=1, exact=1)
    with pytest.raises(ArgumentError, match="rerank: got None"):
        index.search(query, k=1, rerank=None)
    with pytest.raises(ArgumentError, match="n_threads: got 0"):
        index.search(query, k=1, n_threads=0)
