"""Exact searches return the true best k bit for bit, whatever the vectors, kind and filter."""

from __future__ import annotations

import numpy as np
import pytest
import vector_sets as data
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist import Index
from shortlist.errors import ArgumentError


def all_scores(index: Index, query: np.ndarray) -> np.ndarray:
    """Score each vector by itself, by the plain float32 metric."""
    n = len(index)
    return index.score(np.repeat(query[None], n, axis=0), index.ids)


def check_exact(index: Index, query: np.ndarray, k: int, mask: np.ndarray | None = None) -> None:
    scores = all_scores(index, query)
    rows = np.arange(len(index)) if mask is None else np.flatnonzero(mask)
    expected = rows[data.best_rows(scores[rows], k)]

    found = index.search(query, k=k, exact=True, filter=mask)

    assert found.exact
    assert found.reranked
    kept = found.ids[0] >= 0
    assert found.ids[0][kept].tolist() == expected.tolist()
    assert found.scores[0][kept].tobytes() == scores[expected].tobytes()
    assert np.isneginf(found.scores[0][~kept]).all()


@pytest.mark.parametrize("make", data.ALL, ids=lambda make: make.__name__)
@pytest.mark.parametrize("metric", ["ip", "cosine", "l2"])
@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_exact_searches_are_exact(make, metric, kind):
    for n, dim in ((300, 5), (2500, 24)):
        index = Index.build(make(n, dim), metric=metric, kind=kind)
        rng = np.random.default_rng(n)
        for query in (*make(3, dim, seed=4), *rng.normal(size=(2, dim)).astype(np.float32)):
            for k in (1, 10, 100, n):
                check_exact(index, query, k)


@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_an_exact_search_of_a_zero_query_and_of_opposite_vectors(kind):
    vectors = data.clustered(2000, 16)
    vectors[1000:] = -vectors[:1000]
    for metric in ("ip", "cosine", "l2"):
        index = Index.build(vectors, metric=metric, kind=kind)
        check_exact(index, np.zeros(16, np.float32), 20)
        check_exact(index, -vectors[0], 1500)


@settings(max_examples=60, deadline=None)
@given(
    make=st.sampled_from(data.ALL),
    metric=st.sampled_from(["ip", "cosine", "l2"]),
    kind=st.sampled_from(["flat", "ivf"]),
    n=st.integers(1, 400),
    dim=st.integers(1, 40),
    k=st.integers(1, 60),
    share=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_exact_searches_under_any_filter_are_exact(make, metric, kind, n, dim, k, share, seed):
    index = Index.build(make(n, dim, seed=seed), metric=metric, kind=kind)
    rng = np.random.default_rng(seed)
    mask = rng.random(n) < share
    query = make(1, dim, seed=seed + 1)[0] if seed % 2 else rng.normal(size=dim)
    check_exact(index, query.astype(np.float32), min(k, n), mask)


def test_a_flat_index_is_exact_at_every_recall():
    index = Index.build(data.clustered(3000, 16), kind="flat", recall=0.5)
    query = data.clustered(1, 16, seed=5)[0]
    expected = index.search(query, k=10, exact=True)
    found = index.search(query, k=10, recall=0.3, rerank=False)
    assert found.exact
    assert found.ids.tobytes() == expected.ids.tobytes()
    assert index.recall == 1.0


def test_a_recall_of_one_is_the_exact_search():
    index = Index.build(data.clustered(3000, 16), kind="ivf")
    query = data.clustered(1, 16, seed=6)[0]
    found = index.search(query, k=50, recall=1.0)
    assert found.exact
    assert found.ids.tobytes() == index.search(query, k=50, exact=True).ids.tobytes()


def test_distances_are_euclidean_and_of_l2_alone():
    vectors = data.clustered(50, 8)
    found = Index.build(vectors, metric="l2").search(vectors[3], k=5)
    expected = np.linalg.norm(vectors[found.ids[0]] - vectors[3], axis=1)
    np.testing.assert_allclose(found.distances[0], expected, atol=1e-6)
    assert (np.diff(found.distances) >= 0).all()
    with pytest.raises(ArgumentError, match="distances: the metric is 'ip', expected 'l2'"):
        _ = Index.build(vectors).search(vectors[3], k=5).distances
