"""What was measured of one model: latencies, agreement with its library, and who was absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from bench.harness.rounds import Comparison, Spread
from bench.trees.leaves import Shape
from bench.trees.lineup import OURS, PREDICT, TWO_THREADS, headline
from bench.trees.models import MODELS, TreeModel


@dataclass(frozen=True)
class Agreement:
    """Scores compared with the training library's on the same rows of the same run."""

    n: int
    n_equal: int  # bit for bit
    largest_error: float

    @property
    def is_exact(self) -> bool:
        return self.n_equal == self.n

    def __str__(self) -> str:
        return "all bits" if self.is_exact else f"{self.largest_error:.1g}"


def agreement(scores: Sequence[float], reference: Sequence[float]) -> Agreement:
    """Compare scores; raises where their numbers differ."""
    ours, right = np.asarray(scores, np.float64), np.asarray(reference, np.float64)
    if ours.shape != right.shape:
        raise ValueError(f"{ours.shape} scores, {right.shape} expected")
    equal = int((ours.view(np.int64) == right.view(np.int64)).sum())
    return Agreement(len(right), equal, float(np.abs(ours - right).max(initial=0)))


@dataclass(frozen=True)
class Threads:
    """Two threads against one, and whether they give the same bits."""

    comparison: Comparison
    agreement: Agreement

    @property
    def speedup(self) -> Spread:
        """How many times faster two are."""
        return self.comparison.ratio(PREDICT, 50, against=TWO_THREADS)

    def raw(self) -> dict[str, object]:
        """Everything, for JSON; latencies in ns, one list a round."""
        return {
            "plan": asdict(self.comparison.plan),
            "latencies_ns": {k: v.tolist() for k, v in self.comparison.latencies.items()},
            "agreement": asdict(self.agreement),
        }


@dataclass(frozen=True)
class ModelOutcome:
    """`comparisons` and `agreements` are by batch, and within by contestant."""

    name: str
    shape: Shape
    comparisons: dict[int, Comparison]
    agreements: dict[int, dict[str, Agreement]]
    absent: dict[str, str]
    compile_seconds: dict[str, float]
    threads: Threads | None = None

    @property
    def model(self) -> TreeModel:
        return MODELS[self.name]

    def peers(self, batch: int) -> list[str]:
        """Everyone measured at that batch who is not shortlist."""
        return [name for name in self.comparisons[batch].latencies if name not in OURS]

    def best_peer(self, batch: int) -> str:
        """The peer of the least median."""
        comparison = self.comparisons[batch]
        return min(self.peers(batch), key=lambda name: comparison.percentile_ns(name, 50))

    def ns_a_row(self, name: str, batch: int) -> float:
        """Median over the calls, by row."""
        return self.comparisons[batch].percentile_ns(name, 50) / batch

    def speedup(self, batch: int, *, of: str | None = None, over: str | None = None) -> Spread:
        """How many times faster `of` (our headline call) is than `over` (the best peer)."""
        peer, ours = over or self.best_peer(batch), of or headline(batch)
        return self.comparisons[batch].ratio(peer, 50, against=ours)

    def failures(self) -> list[str]:
        """Where our scores are not the training library's, or those of two threads not of one."""
        failures = [] if self.threads is None or self.threads.agreement.is_exact else [self.name]
        return [f"{name}: two threads score otherwise than one" for name in failures] + [
            f"{self.name}, batch {batch}, {name}: {found.n - found.n_equal} of {found.n} scores "
            f"are not the training library's, by {found.largest_error:.3g} at most"
            for batch, of_batch in self.agreements.items()
            for name, found in of_batch.items()
            if name in OURS and not found.is_exact
        ]

    def raw(self) -> dict[str, object]:
        """Everything, for JSON; latencies in ns, one list a round."""
        return {
            "model": self.name,
            "title": self.model.title,
            "shape": asdict(self.shape),
            "absent": self.absent,
            "compile_seconds": self.compile_seconds,
            "two_threads": None if self.threads is None else self.threads.raw(),
            "batches": {
                str(batch): {
                    "plan": asdict(comparison.plan),
                    "latencies_ns": {k: v.tolist() for k, v in comparison.latencies.items()},
                    "agreement": {k: asdict(v) for k, v in self.agreements[batch].items()},
                }
                for batch, comparison in self.comparisons.items()
            },
        }
