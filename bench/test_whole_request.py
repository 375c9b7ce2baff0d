"""The whole request under pytest-benchmark, and what must hold for its ratios to mean anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.harness.replay import replay, replay_clock
from bench.harness.rounds import Comparison, Plan
from bench.whole_request import CONTESTANTS
from bench.whole_request.measure import Outcome, measure


@pytest.fixture(scope="module")
def outcome(
    cache: Path, planned: Callable[[Plan], Plan], tell: Callable[[Comparison], None]
) -> Outcome:
    measured = measure(planned(Plan(rounds=12, calls=128)), cache)
    tell(measured.comparison)
    return measured


def test_answers_are_right_and_recall_is_no_lower_than_the_peers(outcome: Outcome) -> None:
    assert outcome.failures() == []


@pytest.mark.benchmark(group="whole request", timer=replay_clock)
@pytest.mark.parametrize("name", [contestant.name for contestant in CONTESTANTS])
def test_whole_request(benchmark: BenchmarkFixture, outcome: Outcome, name: str) -> None:
    replay(benchmark, outcome.comparison, name)
