"""Histograms of reference rows."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from shortlist.bundle import reference as references
from shortlist.errors import ArgumentError, FormatError


def profile(column: np.ndarray) -> references.Histogram:
    rows = column.reshape(-1, 1).astype(np.float32)
    return references.profile(["x"], rows, np.zeros(len(rows))).features[0]


def test_a_spread_column_falls_into_ten_bins_of_a_tenth():
    histogram = profile(np.random.default_rng(5).permutation(1000))
    assert histogram.edges == (100, 200, 300, 400, 500, 600, 700, 800, 900)
    assert histogram.counts == (100,) * 10
    assert histogram.missing == 0


def test_counts_are_of_the_half_open_bins_that_the_edges_make():
    values = np.random.default_rng(6).exponential(size=777).round(1)
    histogram = profile(values)
    bounds = [-np.inf, *histogram.edges, np.inf]
    column = values.astype(np.float32).astype(np.float64)
    expected = [int(((column >= low) & (column < high)).sum()) for low, high in pairwise(bounds)]
    assert list(histogram.counts) == expected


def test_missing_values_are_counted_apart_and_infinities_in_the_outer_bins():
    histogram = profile(np.array([np.nan, np.nan, -np.inf, np.inf, 1.0, 2.0]))
    assert histogram.missing == 2
    assert sum(histogram.counts) == 4
    assert np.isfinite(histogram.edges).all()


@pytest.mark.parametrize(
    ("column", "edges", "counts", "missing"),
    [([7.0] * 5, (7.0,), (0, 5), 0), ([np.nan] * 5, (), (0,), 5), ([0.0, 1.0], (1.0,), (1, 1), 0)],
)
def test_columns_of_few_values_have_few_bins(column, edges, counts, missing):
    histogram = profile(np.array(column))
    assert (histogram.edges, histogram.counts, histogram.missing) == (edges, counts, missing)


def test_scores_have_twenty_bins():
    scores = np.arange(2000.0)
    made = references.profile([], np.zeros((2000, 0), np.float32), scores)
    assert made.scores.counts == (100,) * 20


def test_what_is_written_reads_back():
    random = np.random.default_rng(8)
    rows = random.standard_normal((50, 3)).astype(np.float32)
    made = references.profile(["a", "b", "c"], rows, random.random(50))
    assert references.decode(references.encode(made)) == made


def test_no_rows_and_other_shapes_are_refused():
    with pytest.raises(ArgumentError, match="no rows"):
        references.profile(["a"], np.zeros((0, 1), np.float32), np.zeros(0))
    with pytest.raises(ArgumentError, match="shape"):
        references.profile(["a"], np.zeros((2, 2), np.float32), np.zeros(2))


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"version": 2}, "version is 2"),
        ({"rows": 3}, "no histogram of 3 rows"),
        ({"extra": 1}, "extra"),
        ({"scores": None}, "scores"),
        ({"features": [{"name": "x", "edges": [1, 1], "counts": [0, 0, 2], "missing": 0}]}, "'x'"),
        ({"features": [{"name": "x", "edges": [1], "counts": [3, -1], "missing": 0}]}, "'x'"),
        ({"features": [{"name": "x", "edges": [1], "counts": [2], "missing": 0}]}, "'x'"),
    ],
)
def test_what_is_no_reference_is_refused(change, fragment):
    made = references.profile(["x"], np.ones((2, 1), np.float32), np.ones(2))
    document = json.loads(references.encode(made)) | change
    with pytest.raises(FormatError, match=r"reference\.json") as error:
        references.decode(json.dumps(document).encode())
    assert fragment in str(error.value)
