"""Index finds exactly the best k by each metric, masked and excluded; ties go to the lower row."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from shortlist import Index, NotFoundError
from shortlist._core import available_isas
from shortlist.errors import ArgumentError


def reference_scores(vectors, query, metric):
    v, q = vectors.astype(np.float64), query.astype(np.float64)
    if metric == "l2":
        return -((v - q) ** 2).sum(axis=1)
    dots = v @ q
    return dots if metric == "ip" else dots / (np.linalg.norm(v, axis=1) * np.linalg.norm(q))


@pytest.mark.parametrize("metric", ["ip", "cosine", "l2"])
@pytest.mark.parametrize(("n", "dim"), [(1, 1), (5, 3), (1023, 17), (3000, 64), (4097, 96)])
def test_the_best_k_are_those_of_a_float64_scan(metric, n, dim):
    rng = np.random.default_rng(n + dim)
    vectors = rng.normal(size=(n, dim)).astype(np.float32)
    index = Index.build(vectors, metric=metric)
    queries = rng.normal(size=(3, dim)).astype(np.float32)
    k = min(n, 50)

    found = index.search(queries, k=k)

    for query, ids, scores in zip(queries, found.ids, found.scores, strict=True):
        expected = reference_scores(vectors, query, metric)
        tolerance = 4e-6 * max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(scores, expected[ids], rtol=0, atol=tolerance)
        assert expected[ids].min() >= np.sort(expected)[n - k] - tolerance
        assert len(set(ids.tolist())) == k
        assert (np.diff(scores) <= 0).all()


@pytest.mark.parametrize("metric", ["ip", "cosine", "l2"])
def test_a_score_of_zero_is_plus_zero_however_it_is_asked_for(metric):
    vectors = np.array([[3, 4], [-4, 3], [1e-30, -1e-30]], dtype=np.float32)
    index = Index.build(vectors, metric=metric)
    for query in (*vectors, -vectors[2]):
        found = index.search(query, k=3)
        for id_, score in zip(found.ids[0], found.scores[0], strict=True):
            assert score.tobytes() == index.score(query, [id_]).tobytes()
            assert score != 0 or not np.signbit(score)


def test_ties_go_to_the_lower_row():
    index = Index.build(np.ones((3000, 8), dtype=np.float32))
    assert index.search(np.ones(8), k=7).ids.tolist() == [[0, 1, 2, 3, 4, 5, 6]]


def test_masks_and_exclusions_hold_and_short_results_are_filled():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(2000, 16)).astype(np.float32)
    ids = [f"item-{i}" for i in range(2000)]
    index = Index.build(vectors, ids=ids, metric="ip")
    mask = np.zeros(2000, dtype=bool)
    mask[[3, 700, 1999, 64]] = True

    found = index.search(vectors[0], k=6, mask=mask, exclude=["item-700", "gone"])

    assert set(found.ids[0, :3]) == {"item-3", "item-64", "item-1999"}
    assert found.ids[0, 3:].tolist() == ["", "", ""]
    assert np.isneginf(found.scores[0, 3:]).all()


def test_pair_scores_are_the_search_scores_bit_for_bit():
    rng = np.random.default_rng(2)
    for metric in ("ip", "cosine", "l2"):
        index = Index.build(rng.normal(size=(500, 33)), metric=metric)
        queries = rng.normal(size=(4, 33)).astype(np.float32)
        found = index.search(queries, k=20)
        for query, ids, scores in zip(queries, found.ids, found.scores, strict=True):
            pairs = index.score(np.repeat(query[None], 20, axis=0), ids)
            assert pairs.tobytes() == scores.tobytes()


SCAN = """
import sys, numpy as np, shortlist
rng = np.random.default_rng(5)
for metric in ("ip", "cosine", "l2"):
    for dim in (1, 7, 16, 31, 64, 129):
        index = shortlist.Index.build(rng.normal(size=(1500, dim)), metric=metric)
        found = index.search(rng.normal(size=(3, dim)), k=100)
        sys.stdout.buffer.write(found.ids.tobytes() + found.scores.tobytes())
"""


def test_every_instruction_set_gives_the_same_bits():
    outputs = {
        isa: subprocess.run(
            [sys.executable, "-c", SCAN],
            env={**os.environ, "SHORTLIST_ISA": isa},
            capture_output=True,
            check=True,
        ).stdout
        for isa in available_isas()
    }
    assert outputs["portable"]
    assert set(outputs.values()) == {outputs["portable"]}


def test_an_unknown_instruction_set_is_an_error_that_names_it():
    run = subprocess.run(
        [sys.executable, "-c", "import shortlist; shortlist.Index.build([[1.0]])"],
        env={**os.environ, "SHORTLIST_ISA": "mmx"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert 'SHORTLIST_ISA: got "mmx"' in run.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vectors": np.zeros(3)}, r"vectors: shape \(3,\)"),
        ({"vectors": np.zeros((3, 0))}, "vectors: shape"),
        ({"vectors": [[1.0, np.nan]]}, "vectors: row 0 is not finite"),
        ({"vectors": [[1e300]]}, "vectors: row 0 is not finite"),
        ({"vectors": np.ones((2, 2)), "ids": [1, 1]}, "ids: id 1 occurs twice"),
        ({"vectors": np.ones((2, 2)), "ids": [1]}, "ids: got 1, expected 2"),
        (
            {"vectors": np.ones((2, 2)), "ids": [1.5, 2.5]},
            "ids: id 1.5 in row 0: expected an integer or text",
        ),
        (
            {"vectors": np.ones((2, 2)), "ids": [1, "1"]},
            "ids: id '1' in row 1: expected an integer",
        ),
        ({"vectors": np.ones((2, 2)), "ids": ["1", 1]}, "ids: id 1 in row 1: expected text"),
        ({"vectors": np.ones((2, 2)), "ids": [True, 2]}, "ids: id True in row 0"),
        ({"vectors": np.ones((2, 2)), "ids": [2**70, 2]}, "is beyond int64"),
        ({"vectors": np.ones((2, 2)), "ids": ["a", "b\0"]}, "ends in a NUL"),
        ({"vectors": np.ones((2, 2)), "ids": ["a", "\ud800"]}, "row 1 is not valid Unicode"),
        ({"vectors": np.ones((2, 2)), "ids": "ab"}, "ids is a str, expected an array or a list"),
        ({"vectors": [["1", "2"]]}, "vectors: got dtype <U1, expected numbers"),
        ({"vectors": [[1.0], [1.0, 2.0]]}, r"vectors: expected numbers of shape \(n, dim\)"),
        ({"vectors": np.ones((2, 2), complex)}, "vectors: got dtype complex128"),
        ({"vectors": np.ones((2, 2)), "metric": "dot"}, "metric: got 'dot'"),
    ],
)
def test_bad_input_to_build_is_told(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        Index.build(**arguments)


def test_bad_input_to_search_is_told():
    index = Index.build(np.ones((4, 2)))
    for k in (0, -1, True, 2.5):
        with pytest.raises(ArgumentError, match="k: got"):
            index.search(np.ones(2), k=k)
    with pytest.raises(ArgumentError, match="queries: shape"):
        index.search(np.ones(3), k=1)
    with pytest.raises(ArgumentError, match="not finite"):
        index.search([np.nan, 1.0], k=1)
    with pytest.raises(ArgumentError, match="mask"):
        index.search(np.ones(2), k=1, mask=np.ones(3, dtype=bool))
    with pytest.raises(NotFoundError, match="99"):
        index.score(np.ones((1, 2)), [99])
    with pytest.raises(ArgumentError, match="ids: got 2, expected 1"):
        index.score(np.ones((1, 2)), [1, 2])
    with pytest.raises(ArgumentError, match="queries: got dtype <U1"):
        index.search([["a", "b"]], k=1)
    with pytest.raises(ArgumentError, match="exclude: got '1', the ids of the index are integers"):
        index.search(np.ones(2), k=1, exclude=["1"])


def test_exclusions_are_one_id_or_several_in_any_collection():
    index = Index.build(np.eye(3), ids=["a", "b", "c"])
    for exclude in ("a", ["a"], ("a",), {"a"}, np.array(["a"]), pd.Series(["a"]), pl.Series(["a"])):
        assert set(index.search(np.eye(3)[0], k=3, exclude=exclude).ids[0]) == {"b", "c", ""}
    assert index.search(np.eye(3)[0], k=1, exclude=[]).ids.tolist() == [["a"]]
    assert index.score(np.eye(3)[0], "a") == [1.0]


def test_an_index_without_vectors_finds_nothing():
    index = Index.build(np.zeros((0, 2)), ids=[])
    found = index.search(np.ones((3, 2)), k=2)
    assert found.ids.shape == found.scores.shape == (3, 0)


@pytest.mark.parametrize("library", [list, np.array, pd.Series, pl.Series, pd.Index])
def test_ids_come_from_any_library(library):
    assert Index.build(np.eye(2), ids=library(["é", "b"])).ids.tolist() == ["é", "b"]
    integers = Index.build(np.eye(2), ids=library([5, 3])).ids
    assert (integers.dtype, integers.tolist()) == (np.int64, [5, 3])


def test_k_beyond_the_index_takes_no_more_memory_than_the_index():
    found = Index.build(np.eye(4)).search(np.ones((2, 4)), k=10**9)
    assert found.ids.shape == found.scores.shape == (2, 4)
