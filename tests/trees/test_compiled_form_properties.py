"""The compiled form scores any ensemble as its definition says, bit for bit."""

import os

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from random_ensembles import edge_rows, random_ensemble
from reference import raw_scores, reached_leaves

from shortlist.errors import ArgumentError
from shortlist.models import Forest
from shortlist.models.compiler import segments
from shortlist.models.importers.ensemble import ImportedEnsemble, Transform

EXAMPLES = int(os.environ.get("SHORTLIST_EXAMPLES", "0"))
SEEDS = st.integers(0, 2**32 - 1)


def flat(scores):
    return scores[:, 0] if scores.shape[1] == 1 else scores


@settings(max_examples=max(150, EXAMPLES), deadline=None)
@given(seed=SEEDS)
def test_scores_and_leaves_equal_the_reference(seed):
    rng = np.random.default_rng(seed)
    ensemble = random_ensemble(rng)
    rows = edge_rows(ensemble, rng, int(rng.choice([1, 7, 8, 9, 30])))
    if rng.random() < 0.5:
        with np.errstate(over="ignore"):
            rows = rows.astype(np.float32)
    forest = Forest.from_imported(ensemble)
    last = int(rng.integers(1, forest.n_rounds + 1))
    rounds = (int(rng.integers(0, last)), last)

    with np.errstate(all="ignore"):
        expected = flat(raw_scores(ensemble, rows))
        expected_in_rounds = flat(raw_scores(ensemble, rows, rounds))
    scores = forest.predict(rows, raw_score=True)
    in_rounds = forest.predict(rows, raw_score=True, iteration_range=rounds)

    assert scores.dtype == forest.dtype == expected.dtype
    np.testing.assert_array_equal(scores, expected)
    np.testing.assert_array_equal(in_rounds, expected_in_rounds)
    leaves = reached_leaves(ensemble, rows)
    np.testing.assert_array_equal(forest.leaf_indices(rows), ensemble.leaf_ids[leaves])


@settings(max_examples=max(60, EXAMPLES), deadline=None)
@given(seed=SEEDS)
def test_sparse_rows_score_as_dense_ones(seed):
    rng = np.random.default_rng(seed)
    ensemble = random_ensemble(rng)
    dense = edge_rows(ensemble, rng, 25)
    listed = rng.random(dense.shape) < 0.5
    sparse = scipy.sparse.csr_array(np.where(listed, 1.0, 0.0))
    sparse.data = dense[listed]
    dense[~listed] = ensemble.absent
    forest = Forest.from_imported(ensemble)

    scores = forest.predict(sparse)

    np.testing.assert_array_equal(scores, forest.predict(dense))
    np.testing.assert_array_equal(forest.leaf_indices(sparse), forest.leaf_indices(dense))


@settings(max_examples=max(40, EXAMPLES), deadline=None)
@given(seed=SEEDS)
def test_segments_do_not_change_scores(seed):
    rng = np.random.default_rng(seed)
    ensemble = random_ensemble(rng)
    rows = edge_rows(ensemble, rng, 30)
    whole = Forest.from_imported(ensemble)
    limits = {"MAX_VIEWS": 14, "MAX_THRESHOLDS": 3}
    kept = {name: getattr(segments, name) for name in limits}
    try:
        for name, limit in limits.items():
            setattr(segments, name, limit)
        cut = Forest.from_imported(ensemble)
    except segments.UnsupportedError:
        return
    finally:
        for name, limit in kept.items():
            setattr(segments, name, limit)

    np.testing.assert_array_equal(cut.predict(rows), whole.predict(rows))


def test_many_features_take_several_segments():
    """Three trees for each of 20,000 features: 60,000 views, more than a node can count."""
    rng = np.random.default_rng(3)
    n = 20_000
    ensemble = stumps(np.tile(np.arange(n), 3), rng.integers(0, 3, 3 * n), n)
    forest = Forest.from_imported(ensemble)
    rows = np.where(rng.random((5, n)) < 0.5, np.nan, rng.normal(size=(5, n)))

    scores = forest.predict(rows, raw_score=True)

    assert len(forest.compiled_arrays()[0]["segment_views"]) > 2
    assert "segments of features" in forest.describe()
    np.testing.assert_array_equal(scores, raw_scores(ensemble, rows)[:, 0])


def test_a_million_features_are_scored_from_sparse_rows():
    n = 1_000_000
    ensemble = stumps(np.arange(0, n, 50_000), np.full(20, 2), n)
    forest = Forest.from_imported(ensemble)
    rng = np.random.default_rng(4)
    columns = np.sort(rng.choice(n // 50_000, (100, 5)) * 50_000, axis=1)
    rows = scipy.sparse.csr_array(
        (rng.normal(size=500), columns.ravel(), np.arange(0, 501, 5)), shape=(100, n)
    )

    scores = forest.predict(rows)

    expected = np.zeros(100)
    dense = rows[:, ::50_000].toarray()
    for t in range(20):
        expected += np.where(dense[:, t] <= 0.0, t + 1.0, -t - 1.0)
    np.testing.assert_array_equal(scores, expected)


def test_more_thresholds_of_a_feature_than_fit_16_bits_are_split_over_columns():
    n = 140_000
    ensemble = stumps(np.zeros(n, np.int64), np.full(n, 1), 1, thresholds=np.arange(n) * 0.5)
    forest = Forest.from_imported(ensemble)
    rows = np.array([[-1.0], [0.25], [40_000.0], [69_999.5], [1e9], [np.nan]])

    scores = forest.predict(rows)

    np.testing.assert_array_equal(scores, raw_scores(ensemble, rows)[:, 0])


@pytest.mark.parametrize("n_rows", [1, 5, 64, 700])
def test_a_bound_forest_scores_what_stands_in_its_input(n_rows):
    rng = np.random.default_rng(n_rows)
    ensemble = random_ensemble(rng)
    forest = Forest.from_imported(ensemble)
    for dtype in (np.float32, np.float64):
        bound = forest.bind(n_rows, dtype=dtype, iteration_range=(0, 1))
        for _ in range(3):
            with np.errstate(over="ignore"):
                bound.X[:] = edge_rows(ensemble, rng, n_rows)
            assert bound() is bound.out
            expected = forest.predict(bound.X, iteration_range=(0, 1))
            np.testing.assert_array_equal(bound.out, expected)
            with np.errstate(over="ignore"):
                rows = edge_rows(ensemble, rng, n_rows).astype(dtype)
            assert bound(rows) is bound.out
            expected = forest.predict(rows, iteration_range=(0, 1))
            np.testing.assert_array_equal(bound.out, expected)


def test_a_bound_forest_refuses_rows_that_are_not_as_bound():
    forest = Forest.from_imported(random_ensemble(np.random.default_rng(1)))
    bound = forest.bind(2)
    own = (2, forest.n_features)
    for rows, message in (
        (np.zeros(own), "float64, expected .* of float32 in C order"),
        (np.zeros((3, forest.n_features), np.float32), r"got shape \(3, .*, expected \(2, "),
        (np.zeros(own, np.float32, order="F")[:, ::-1], "expected .* in C order"),
        ([[0.0]], "expected a NumPy array, got list"),
    ):
        with pytest.raises(ArgumentError, match=message):
            bound(rows)


def test_sparse_rows_that_are_none_are_refused():
    forest = Forest.from_imported(random_ensemble(np.random.default_rng(0)))._native
    out = np.zeros((2, forest.n_outputs), np.float32 if forest.is_float32 else np.float64)
    for indptr, indices, message in (
        ([0, 1, 3], [0, 3, 2], "row 1 lists column 2"),
        ([0, 1, 3], [0, 2, 2], "row 1 lists column 2"),
        ([0, 1, 3], [0, 2, 6], "row 1 lists column 6"),
        ([0, 1, 3], [-1, 2, 3], "row 0 lists column -1"),
        ([0, 4, 3], [0, 2, 3], "indptr of row 0"),
        ([0, 2, 1], [0, 2, 3], "indptr of row 1"),
        ([1, 2, 3], [0, 2, 3], "does not begin with 0"),
        ([0, 1, 2], [0, 2, 3], "does not end with"),
        ([], [0, 2, 3], "does not begin with 0"),
    ):
        arrays = (np.array(indptr, np.int64), np.array(indices, np.int32), np.zeros(3))
        with pytest.raises(ValueError, match=message):
            forest.predict_sparse(*arrays, 0, 1, True, out, 1)


@pytest.mark.parametrize("bad", [(0, 0), (1, 1), (0, 99), (-1, 1), (0, 1, 2), 5, (0.5, 1), "ab"])
def test_an_iteration_range_that_is_none_is_refused(bad):
    forest = Forest.from_imported(random_ensemble(np.random.default_rng(1)))

    with pytest.raises(ValueError, match="iteration_range"):
        forest.predict(np.zeros((1, 6)), iteration_range=bad)


def stumps(features, kinds, n_features, thresholds=None):
    """Trees of one split; tree t gives t + 1 on the left, -t - 1 on the right."""
    n = len(features)
    values = np.arange(1.0, n + 1)
    return ImportedEnsemble(
        source="stumps",
        objective="none",
        feature_names=tuple(f"f{i}" for i in range(n_features)),
        n_outputs=1,
        transform=Transform.IDENTITY,
        split_offsets=np.arange(n + 1),
        leaf_offsets=np.arange(0, 2 * n + 1, 2),
        features=np.asarray(features),
        kinds=np.asarray(kinds),
        thresholds=np.zeros(n) if thresholds is None else thresholds,
        left=np.full(n, ~0),
        right=np.full(n, ~1),
        leaf_values=np.column_stack((values, -values)).ravel(),
        category_offsets=np.zeros(n + 1, np.int64),
        categories=np.zeros(0),
    )
