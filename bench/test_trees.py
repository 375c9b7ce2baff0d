"""The bench of trees on tiny models: who takes part scores right, and the page tells it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.harness.rounds import Plan
from bench.trees import real
from bench.trees.lineup import (
    CATBOOST,
    CATBOOST_CPP,
    OURS,
    TWO_THREADS,
    contestants,
    headline,
    plays_at,
)
from bench.trees.measure import measure
from bench.trees.models import MODELS, NAMES, TINY_NAMES
from bench.trees.outcome import ModelOutcome, agreement
from bench.trees.page import page
from bench.trees.report import Report
from bench.trees.rows import CATEGORICAL_COLUMNS, CATEGORIES, MISSING_SHARE, label, rows
from bench.trees.targets import TARGETS, VARIANT_TARGETS, Target, targets_of, variant_target

_BATCHES = (1, 100, 1000, 10_000)
_CASES = [(name, c.name) for name in TINY_NAMES for c in contestants(MODELS[name])]
_LARGEST_ERROR = 1e-5  # of those who sum or compare in float32

Outcomes = Callable[[str], ModelOutcome]


@pytest.fixture(scope="module")
def outcomes(cache: Path) -> Outcomes:
    """Measure a model once, as briefly as can be."""

    def play(name: str) -> ModelOutcome:
        return measure(MODELS[name], _BATCHES, lambda _: Plan(rounds=1, calls=2), cache, print)

    return functools.cache(play)


@pytest.mark.parametrize(("name", "contestant"), _CASES)
def test_a_contestant_scores_as_the_training_library(
    outcomes: Outcomes, name: str, contestant: str
) -> None:
    outcome = outcomes(name)
    if contestant in outcome.absent:
        pytest.skip(outcome.absent[contestant])

    played = [b for b in _BATCHES if plays_at(contestant, b)]

    for batch in played:
        found = outcome.agreements[batch][contestant]
        assert found.n == max(batch, 1000)
        assert found.largest_error <= (0 if contestant in OURS else _LARGEST_ERROR)
        assert found.is_exact or contestant not in OURS
        assert outcome.comparisons[batch].latencies[contestant].shape == (1, 2)
    assert played


@pytest.mark.parametrize("name", TINY_NAMES)
def test_trees_are_full(outcomes: Outcomes, name: str) -> None:
    shape, recipe = outcomes(name).shape, MODELS[name].recipe

    assert recipe is not None
    assert shape.n_trees == recipe.n_trees
    assert shape.n_leaves >= 0.9 * recipe.n_trees * recipe.full_leaves
    assert (shape.n_categorical_splits > 0) == recipe.categories


def test_the_page_and_the_json_hold_every_contestant_and_absence(outcomes: Outcomes) -> None:
    outcome = outcomes("tiny-catboost")
    report = Report("the command", {"machine": "this"}, [outcome], {"B": "no file"}, None, None)

    text, raw = page(report), json.loads(report.json())

    for name in outcome.comparisons[1].latencies:
        assert f"| {name} |" in text
    for reason in outcome.absent.values():
        assert f"| {reason} |" in text
    assert "| B | no file |" in text
    assert set(raw["models"][0]["batches"]) == {str(batch) for batch in _BATCHES}
    assert raw["models"][0]["absent"] == outcome.absent


def test_the_best_peer_is_none_of_ours(outcomes: Outcomes) -> None:
    outcome = outcomes("tiny-lightgbm")

    for batch in _BATCHES:
        best = outcome.best_peer(batch)
        times = {n: outcome.ns_a_row(n, batch) for n in outcome.peers(batch)}
        assert best not in OURS
        assert times[best] == min(times.values())
        assert outcome.speedup(batch).median == pytest.approx(
            times[best] / outcome.ns_a_row(headline(batch), batch)
        )


def test_agreement_counts_bits() -> None:
    found = agreement([1.0, 0.0, 2.0], [1.0, -0.0, 2.5])

    assert (found.n, found.n_equal, found.largest_error) == (3, 1, 0.5)
    assert not found.is_exact
    with pytest.raises(ValueError, match="expected"):
        agreement([1.0], [1.0, 2.0])


def test_targets_name_models_and_peers_that_exist() -> None:
    assert set(TARGETS) | set(VARIANT_TARGETS) <= set(NAMES)
    assert targets_of("CatBoost", 1) == (Target(2.5, CATBOOST_CPP), Target(40, CATBOOST))
    assert targets_of("A", 10) == ()
    assert variant_target("C", TWO_THREADS) == Target(1.8)


def test_rows_differ_by_seed_and_have_missing_cells_and_codes() -> None:
    x = rows(5_000, 1, categories=True)

    assert (x.shape, x.dtype) == ((5_000, 50), np.float32)
    assert np.isnan(x).mean() == pytest.approx(MISSING_SHARE, abs=0.01)
    assert np.array_equal(x, rows(5_000, 1, categories=True), equal_nan=True)
    assert not np.array_equal(x, rows(5_000, 2, categories=True), equal_nan=True)
    assert np.isfinite(label(x, categories=True)).all()
    for column, count in zip(CATEGORICAL_COLUMNS, CATEGORIES, strict=True):
        codes = x[~np.isnan(x[:, column]), column]
        assert np.array_equal(codes, np.floor(codes))
        assert 0 <= codes.min() <= codes.max() < count


def test_adult_rows_have_the_codes_of_the_case() -> None:
    if not real.ADULT.exists():
        pytest.skip(f"no {real.ADULT}")
    case = np.genfromtxt(real.ADULT / "inputs.csv", delimiter=",", skip_header=1)
    known = {tuple(np.nan_to_num(row, nan=-1)) for row in real._adult().astype(np.float64)}
    whole = [tuple(row) for row in case if not np.isnan(row).any()]

    assert len(whole) > 500
    assert all(row in known for row in whole)


@pytest.mark.parametrize("make", [real.taxi_rows, real.adult_rows, real.mq2008_rows])
def test_real_rows_are_float32_and_follow_the_seed(make: Callable[..., real.Rows]) -> None:
    if not real.MODELS.exists():
        pytest.skip(f"no {real.MODELS}")
    x = make(3_000, 1)

    assert (len(x), x.dtype) == (3_000, np.float32)
    assert np.array_equal(x, make(3_000, 1), equal_nan=True)
    assert not np.array_equal(x, make(3_000, 2), equal_nan=True)
