"""Paired interleaved rounds: every contestant gets the same calls, in an order that turns around.

Within a round the contestants run one after the other on the same inputs; the next round has them
in reverse order (A B C, C B A, ...), so that drift of the machine falls on all of them alike.
Ratios are taken within a round; their spread over the rounds tells how steady the machine was.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.harness.client import Worker, WorkerFailedError
from bench.harness.contestant import AbsentError, Contestant


@dataclass(frozen=True)
class Plan:
    """How long to measure: calls a contestant and round; the first rounds only warm up."""

    rounds: int = 10
    calls: int = 256
    warmup_rounds: int = 1

    def __post_init__(self) -> None:
        if min(self.rounds, self.calls) < 1 or self.warmup_rounds < 0:
            raise ValueError(f"{self}: rounds and calls from 1, warmup_rounds from 0")


@dataclass(frozen=True)
class Spread:
    """A ratio: its median over the rounds, its least and its greatest value."""

    median: float
    least: float
    greatest: float


@dataclass(frozen=True)
class Comparison:
    """Latencies in ns, shape (rounds, calls), of each contestant; the first one is ours."""

    title: str
    plan: Plan
    latencies: dict[str, NDArray[np.int64]]
    versions: dict[str, dict[str, str]]
    notes: dict[str, dict[str, str]] = field(default_factory=dict)  # column -> contestant -> cell

    @property
    def ours(self) -> str:
        return next(iter(self.latencies))

    def percentile_ns(self, name: str, percent: float) -> float:
        """Percentile over all calls of all rounds."""
        return float(np.percentile(self.latencies[name], percent))

    def ratio(self, name: str, percent: float, *, against: str | None = None) -> Spread:
        """How many times our time this contestant takes, percentile by percentile of a round.

        `against` names another contestant to compare with than ours.
        """
        theirs = np.percentile(self.latencies[name], percent, axis=1)
        ratios = theirs / np.percentile(self.latencies[against or self.ours], percent, axis=1)
        return Spread(float(np.median(ratios)), float(ratios.min()), float(ratios.max()))


def measured_processor() -> int:
    """The processor that contestants are pinned to: the last one this process may use."""
    return max(os.sched_getaffinity(0))


class Match:
    """Opened contestants of one comparison; the coordinator keeps off their processor.

    `absent` says of each optional contestant that could not be opened why.
    """

    def __init__(self, title: str, contestants: Sequence[Contestant], *, cache: Path) -> None:
        self._title = title
        self._before = os.sched_getaffinity(0)
        self._stack = ExitStack()
        self._cache = cache
        self._contestants = contestants
        self.workers: dict[str, Worker] = {}
        self.absent: dict[str, str] = {}

    def __enter__(self) -> Match:
        elsewhere = self._before - {measured_processor()}
        with ExitStack() as opening:
            for contestant in self._contestants:
                try:
                    worker = self.open(contestant)
                except (AbsentError, WorkerFailedError) as absence:
                    if not contestant.optional:
                        raise
                    self.absent[contestant.name] = str(absence)
                else:
                    self.workers[contestant.name] = opening.enter_context(worker)
            self._stack = opening.pop_all()
        if elsewhere:
            os.sched_setaffinity(0, elsewhere)
        return self

    def __exit__(self, *error: object) -> None:
        os.sched_setaffinity(0, self._before)
        self._stack.close()

    def open(self, contestant: Contestant) -> Worker:
        """A worker under the same conditions as the contestants."""
        usable = sorted(self._before, reverse=True)  # the measured one first
        if len(usable) < contestant.processors:
            raise AbsentError(f"needs {contestant.processors} processors, {len(usable)} usable")
        processors = usable[: contestant.processors]
        return Worker(contestant, cache=self._cache, processors=processors)

    def play(self, plan: Plan, names: Collection[str] | None = None) -> Comparison:
        """Run the rounds, of these contestants alone where names are given."""
        workers = [w for name, w in self.workers.items() if names is None or name in names]
        kept: dict[str, list[list[int]]] = {worker.name: [] for worker in workers}
        for number in range(plan.warmup_rounds + plan.rounds):
            order = list(workers)
            if number % 2:
                order.reverse()
            for worker in order:
                latencies = worker.run(number * plan.calls, plan.calls)
                if number >= plan.warmup_rounds:
                    kept[worker.name].append(latencies)
        return Comparison(
            title=self._title,
            plan=plan,
            latencies={name: np.array(rounds) for name, rounds in kept.items()},
            versions={worker.name: worker.versions for worker in workers},
        )
