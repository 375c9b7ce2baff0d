"""Plays one model's matches: every batch, in the same processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from bench.harness.client import Worker
from bench.harness.rounds import Match, Plan
from bench.trees.leaves import shape_of
from bench.trees.lineup import PREDICT, TRAINERS, TWO_THREADS, contestants, plays_at
from bench.trees.models import TreeModel
from bench.trees.outcome import Agreement, ModelOutcome, Threads, agreement

# Calls a round: enough for a p99 of small batches, about a second of the slowest of large ones.
CALLS = {1: 500, 10: 200, 100: 50, 1000: 10, 10_000: 2}
_THREAD_CALLS = 20
_LEAST_SAMPLE = 1_000

Tell = Callable[[str], None]


def plan_for(batch: int, rounds: int, *, quick: bool = False) -> Plan:
    """How often a batch is scored; quick: a tenth of the calls."""
    calls = CALLS.get(batch, max(2, 10_000 // batch))
    return Plan(rounds=rounds, calls=max(2, calls // 10) if quick else calls)


def measure(
    model: TreeModel, batches: Sequence[int], plans: Callable[[int], Plan], cache: Path, tell: Tell
) -> ModelOutcome:
    """Open everyone, then for each batch compare the scores and play the rounds."""
    tell(f"{model.name}: opening contestants, and preparing what is not in the cache")
    with Match(model.name, contestants(model), cache=cache) as match:
        for name, reason in match.absent.items():
            tell(f"{model.name}: {name} is absent: {reason}")
        comparisons, agreements, threads = {}, {}, None
        for batch in batches:
            names = [name for name in match.workers if plays_at(name, batch)]
            if TWO_THREADS in names:
                names.remove(TWO_THREADS)
                threads = _threads(match, batch, plans(batch).rounds)
            tell(f"{model.name}: batch {batch}, {len(names)} contestants")
            agreements[batch] = _agreements(
                {name: match.workers[name] for name in names}, TRAINERS[model.library], batch
            )
            comparisons[batch] = match.play(plans(batch), names)
        seconds = {name: w.ask({"seconds": True}) for name, w in match.workers.items()}
    return ModelOutcome(
        model.name,
        shape_of(model.path(cache), model.library),
        comparisons,
        agreements,
        match.absent,
        {name: cast(float, took) for name, took in seconds.items() if took is not None},
        threads,
    )


def _threads(match: Match, batch: int, rounds: int) -> Threads:
    """Two threads against one, in calls that follow each other: idle processors wake late."""
    names = (PREDICT, TWO_THREADS)
    agreements = _agreements({name: match.workers[name] for name in names}, PREDICT, batch)
    return Threads(match.play(Plan(rounds, _THREAD_CALLS), names), agreements[TWO_THREADS])


def _agreements(workers: dict[str, Worker], trainer: str, batch: int) -> dict[str, Agreement]:
    """Set the batch, and compare everyone's scores with the training library's."""
    scores = {}
    for name, worker in workers.items():
        worker.ask({"batch": batch})
        scores[name] = cast(list[float], worker.ask({"scores": max(batch, _LEAST_SAMPLE)}))
    return {name: agreement(own, scores[trainer]) for name, own in scores.items()}
