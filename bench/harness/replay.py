"""Hands latencies that were measured in workers to pytest-benchmark, through its own timer option.

Contestants time themselves in interleaved rounds before pytest-benchmark runs; its tables then show
these samples because its timer is a clock that each replayed call moves on by one measured latency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from bench.harness.rounds import Comparison


class _Clock:
    seconds = 0.0


def replay_clock() -> float:
    """Seconds on the replayed clock; pass it as timer= to pytest.mark.benchmark."""
    return _Clock.seconds


def replay(benchmark: BenchmarkFixture, comparison: Comparison, name: str) -> None:
    """Report a contestant's samples through this benchmark fixture."""
    samples = comparison.latencies[name].ravel()
    remaining = iter(samples.tolist())

    def advance() -> None:
        _Clock.seconds += next(remaining) * 1e-9

    benchmark.extra_info["versions"] = comparison.versions[name]
    benchmark.extra_info["p99_ms"] = comparison.percentile_ns(name, 99) * 1e-6
    benchmark.pedantic(advance, rounds=len(samples))
