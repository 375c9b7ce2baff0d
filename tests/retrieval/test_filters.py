"""Filters by mask and by name let only passing rows through, at the recall asked for."""

from __future__ import annotations

import numpy as np
import pytest
import vector_sets as data

from shortlist import Index, Neighbors, NotFoundError
from shortlist.errors import ArgumentError


@pytest.fixture(scope="module")
def index() -> Index:
    return Index.build(data.clustered(20_000, 24), kind="ivf", k=50)


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1, 0.03, 0.01, 0.001])
@pytest.mark.parametrize("correlated", [False, True])
def test_recall_holds_at_every_share_that_passes(index, share, correlated):
    rng = np.random.default_rng(3)
    if correlated:  # what passes is what the queries are not near
        towards = index.vectors @ data.clustered(1, 24, seed=9)[0]
        mask = towards <= np.quantile(towards, share)
    else:
        mask = rng.random(len(index)) < share
    queries = data.clustered(150, 24, seed=8)
    true = index.search(queries, k=50, exact=True, filter=mask).ids
    found = index.search(queries, k=50, recall=0.9, filter=mask).ids
    assert mask[found[found >= 0]].all()
    recalls = [np.isin(t[t >= 0], f).mean() for t, f in zip(true, found, strict=True)]
    assert np.mean(recalls) >= 0.88


def test_names_combine_as_masks_do(index):
    rng = np.random.default_rng(1)
    a, b, c = (rng.random(len(index)) < 0.5 for _ in range(3))
    for name, mask in (("a", a), ("b", b), ("c_3", c)):
        index.define_filter(name, mask)
    query = data.clustered(1, 24, seed=8)[0]
    for expression, mask in {
        "a": a,
        "not a": ~a,
        "a and b": a & b,
        "a or b and c_3": a | (b & c),
        "(a or b) and c_3": (a | b) & c,
        "not (a or b)and not not c_3": ~(a | b) & c,
        " a\tand(b) ": a & b,
    }.items():
        named = index.search(query, k=30, filter=expression)
        masked = index.search(query, k=30, filter=mask)
        assert named.ids.tolist() == masked.ids.tolist()
        assert mask[named.ids].all()


def test_a_filter_defined_anew_replaces_the_old_one_and_does_not_follow_its_array(index):
    query = data.clustered(1, 24, seed=8)[0]
    mask = np.zeros(len(index), dtype=bool)
    mask[5] = True
    index.define_filter("changing", mask)
    mask[5], mask[6] = False, True
    assert index.search(query, k=1, filter="changing").ids.tolist() == [[5]]
    index.define_filter("changing", mask)
    assert index.search(query, k=1, filter="changing").ids.tolist() == [[6]]


def test_a_filter_that_nothing_passes_gives_an_empty_answer(index):
    nothing = np.zeros(len(index), dtype=bool)
    for options in ({}, {"exact": True}, {"exclude": [1]}, {"rerank": False}):
        found = index.search(np.ones(24), k=3, filter=nothing, **options)
        assert found.ids.tolist() == [[-1, -1, -1]]
        assert np.isneginf(found.scores).all()


def test_exclusions_join_a_filter(index):
    query = data.clustered(1, 24, seed=8)[0]
    mask = np.zeros(len(index), dtype=bool)
    mask[:3] = True
    found = index.search(query, k=4, filter=mask, exclude=[1, 77])
    assert sorted(found.ids[0].tolist()) == [-1, -1, 0, 2]
    best = index.search(query, k=10).ids[0]
    rest = index.search(query, k=5, exclude=best[:5], exact=True).ids[0]
    assert rest.tolist() == index.search(query, k=10, exact=True).ids[0, 5:].tolist()


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        ("gone", NotFoundError, "filter: 'gone' is not defined; filters: "),
        ("", ArgumentError, "filter: '' ends where a name"),
        ("a and", ArgumentError, "ends where a name"),
        ("a b", ArgumentError, "unexpected 'b' at 2"),
        ("(a", ArgumentError, "ends where"),
        ("a)", ArgumentError, r"unexpected '\)' at 1"),
        ("and", ArgumentError, "unexpected 'and' at 0"),
        ("a < 3", ArgumentError, "unexpected '< 3' at 1"),
        ("(" * 5000, ArgumentError, "filter: unexpected"),
    ],
)
def test_a_malformed_filter_is_told(expression, error, message):
    index = Index.build(np.eye(3))
    index.define_filter("a", np.ones(3, dtype=bool))
    with pytest.raises(error, match=message):
        index.search(np.ones(3), k=1, filter=expression)


def test_a_bad_definition_is_told(index):
    for name in ("", "1a", "and", "a b", 3):
        with pytest.raises(ArgumentError, match="name: got"):
            index.define_filter(name, np.ones(len(index), dtype=bool))
    with pytest.raises(ArgumentError, match="mask: float64 of shape"):
        index.define_filter("x", np.ones(len(index)))


def test_results_are_written_into_the_arrays_that_are_given(index):
    queries = data.clustered(4, 24, seed=8)
    expected = index.search(queries, k=7)
    out = Neighbors(np.zeros((4, 7), dtype=np.int64), np.zeros((4, 7), dtype=np.float32))
    found = index.search(queries, k=7, out=out)
    assert found.ids is out.ids
    assert out.ids.tolist() == expected.ids.tolist()
    assert out.scores.tobytes() == expected.scores.tobytes()
    with pytest.raises(ArgumentError, match=r"out\.ids: "):
        index.search(queries, k=6, out=out)
    with pytest.raises(ArgumentError, match="out: ids of float64"):
        index.search(queries, k=7, out=Neighbors(np.zeros((4, 7)), out.scores))
    out.ids.setflags(write=False)
    with pytest.raises(ArgumentError, match=r"out\.ids: expected a writable array"):
        index.search(queries, k=7, out=out)
