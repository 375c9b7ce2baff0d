"""The parts of a request under pytest-benchmark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.harness.replay import replay, replay_clock
from bench.harness.rounds import Comparison
from bench.micro import Micro, micros

_CASES = [(micro, contestant.name) for micro in micros() for contestant in micro.contestants]


@pytest.mark.benchmark(timer=replay_clock)
@pytest.mark.parametrize(
    ("micro", "name"), _CASES, ids=[f"{micro.title}: {name}" for micro, name in _CASES]
)
def test_part(
    benchmark: BenchmarkFixture, play: Callable[[Micro], Comparison], micro: Micro, name: str
) -> None:
    benchmark.group = micro.title
    replay(benchmark, play(micro), name)
