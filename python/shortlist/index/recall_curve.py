"""Recall against search effort, measured on queries held back; the effort that a recall takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shortlist import _core

__all__ = ["EFFORTS", "EXACT", "N_SAMPLE", "Plan", "RecallCurve", "Sample", "measure"]

EXACT = float("inf")
#: Queries that a curve is measured by.
N_SAMPLE = 1024
EFFORTS = (*(i / 4 for i in range(2, 25)), 7.0, 8.0, 10.0)
#: Share of k, and number, of candidates beyond k that are scored in float32.
_SPARES = ((1 / 16, 4), (1 / 4, 16))
#: A mean over so many queries is itself off by a little.
_STANDARD_ERRORS = 1.0
_NEARLY_ALL = 0.9995
_MOST_K = 2**32


@dataclass(frozen=True, slots=True)
class Plan:
    """How much a search does; see SearchPlan of the core."""

    effort: float
    n_candidates: int
    rerank: bool
    n_typical: int

    @property
    def exact(self) -> bool:
        """Whether it proves its result."""
        return self.effort == EXACT


@dataclass(frozen=True, slots=True)
class Sample:
    """Queries to measure by; `rows` are their own rows in the index, or -1."""

    queries: NDArray[np.float32]
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to search for the best k: measured at each of EFFORTS."""

    k: int
    spare: int
    rerank: bool
    recall: NDArray[np.float64]  # mean over the queries, less its standard error
    fifth_percentile: NDArray[np.float64]  # of the recall of single queries
    microseconds: NDArray[np.float64]  # a query
    n_vectors: NDArray[np.float64]  # scored by their codes, a query
    work: NDArray[np.float64]  # a query, as _work counts it

    def at(self, recall: float) -> tuple[float, float, float, float] | None:
        """Effort, work, microseconds, vectors where a recall is first reached; None where never."""
        reached = np.flatnonzero(self.recall >= recall)
        if not len(reached):
            return None
        i = int(reached[0])
        values = (self.work[i], self.microseconds[i], self.n_vectors[i])
        work, microseconds, n_vectors = (float(value) for value in values)
        return EFFORTS[i], work, microseconds, n_vectors


@dataclass(frozen=True, slots=True)
class RecallCurve:
    """What was measured, for some k, and the exact search beside it.

    Plans go by work, which is counted, not by time: the same vectors have the same plans.
    """

    settings: tuple[Setting, ...]
    exact_microseconds: float
    exact_work: float

    def plan(self, k: int, recall: float, *, rerank: bool = True) -> tuple[Plan, float]:
        """Choose the cheapest search that reaches a mean recall, and its microseconds a query.

        The k measured next below and above both have to reach it; beyond them the nearest does.
        Where none does, the plan is the exact search.
        """
        exact = Plan(EXACT, k, True, 0), self.exact_microseconds
        if recall >= 1.0 or not self.settings:
            return exact
        measured = sorted({setting.k for setting in self.settings})
        below = [value for value in measured if value <= k][-1:]
        above = [value for value in measured if value >= k][:1]
        choices = []
        for n, (share, least) in enumerate(_SPARES):
            found = [
                setting.at(recall)
                for setting in self.settings
                if setting.k in {*below, *above}
                and setting.rerank == rerank
                and (setting.spare == n or not rerank)
            ]
            reached = [point for point in found if point is not None]
            if reached and len(reached) == len(found):
                effort, work, microseconds, n_vectors = (
                    max(values) for values in zip(*reached, strict=True)
                )
                spare = int(k * share) + least if rerank else 0
                plan = Plan(effort, k + spare, rerank, int(n_vectors))
                choices.append((work, plan, microseconds))
        if not choices:
            return exact
        work, plan, microseconds = min(choices, key=lambda choice: choice[0])
        return (plan, microseconds) if work < self.exact_work else exact

    def plans(self, recall: float) -> NDArray[np.float64]:
        """Give a plan for each k measured: k, effort, candidates, vectors scored by their codes."""
        measured = sorted({setting.k for setting in self.settings})
        plans = [self.plan(k, recall)[0] for k in measured]
        rows = [
            (k, p.effort, p.n_candidates, p.n_typical) for k, p in zip(measured, plans, strict=True)
        ]
        return np.array(rows, np.float64).reshape(len(rows), 4)

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        """Give the curve as tensors of a file."""
        settings = self.settings
        return {
            "curve_settings": np.array(
                [(setting.k, setting.spare, setting.rerank) for setting in settings], np.float64
            ).reshape(len(settings), 3),
            "curve_values": np.array(
                [
                    (s.recall, s.fifth_percentile, s.microseconds, s.n_vectors, s.work)
                    for s in settings
                ]
            ).reshape(len(settings), 5, len(EFFORTS)),
            "curve_exact": np.array([self.exact_microseconds, self.exact_work]),
        }

    @staticmethod
    def from_arrays(
        settings: NDArray[np.generic], values: NDArray[np.generic], exact: NDArray[np.generic]
    ) -> RecallCurve | None:
        """Take what `to_arrays` gave; None where it is not that."""
        shapes = (settings.shape[1:], values.shape, exact.shape)
        if shapes != ((3,), (len(settings), 5, len(EFFORTS)), (2,)):
            return None
        if any(
            a.dtype != np.float64 or not np.isfinite(a).all() for a in (settings, values, exact)
        ):
            return None
        taken = []
        for (k, spare, rerank), measured in zip(settings.tolist(), values, strict=True):
            if not (1 <= k <= _MOST_K and k == int(k) and spare in (0, 1) and rerank in (0, 1)):
                return None
            rows = np.asarray(measured, np.float64)
            taken.append(Setting(int(k), int(spare), bool(rerank), *rows))
        return RecallCurve(tuple(taken), float(exact[0]), float(exact[1]))


def measure(
    core: _core.VectorIndex,
    sample: Sample,
    ks: Sequence[int],
    on_step: Callable[[], None],
) -> RecallCurve:
    """Search the sample at every effort, and compare with the exact search."""
    most = max(ks)
    began = time.perf_counter()
    truth, counts = _found(core, sample, most, Plan(EXACT, most + 1, True, 0))
    exact_microseconds = (time.perf_counter() - began) / len(sample.queries) * 1e6
    exact_work = _work(counts) / len(sample.queries)
    settings = []
    for k in ks:
        for rerank, spare in ((True, 0), (True, 1), (False, 0)):
            share, least = _SPARES[spare]
            extra = int(k * share) + least if rerank else 0
            n = _n_queries(k)
            few = Sample(sample.queries[:n], sample.rows[:n])
            setting = _Setting(few, truth[:n, :k], k, spare, rerank, extra)
            settings.append(setting.measured(core, exact_work))
            on_step()
    return RecallCurve(tuple(settings), exact_microseconds, exact_work)


def _n_queries(k: int) -> int:
    """Choose how many queries to measure by: one alone says less where k is small."""
    return max(N_SAMPLE // 4, min(N_SAMPLE, 5 * N_SAMPLE // k))


@dataclass(frozen=True, slots=True)
class _Setting:
    sample: Sample
    truth: NDArray[np.int64]
    k: int
    spare: int
    rerank: bool
    extra: int

    def measured(self, core: _core.VectorIndex, exact_work: float) -> Setting:
        """Search at each effort, up to one that finds nearly all or is more work than proof."""
        values = np.zeros((5, len(EFFORTS)))
        n = len(self.truth)
        for i, effort in enumerate(EFFORTS):
            plan = Plan(effort, self.k + 1 + self.extra, self.rerank, 0)
            began = time.perf_counter()
            found, counts = _found(core, self.sample, self.k, plan)
            microseconds = (time.perf_counter() - began) / n * 1e6
            recalls = _recalls(found, self.truth)
            error = _STANDARD_ERRORS * recalls.std() / np.sqrt(n)
            fifth = np.percentile(recalls, 5)
            mean, work = recalls.mean(), _work(counts) / n
            values[:, i] = mean - error, fifth, microseconds, counts[1] / n, work
            if mean > _NEARLY_ALL or work > exact_work:
                values[:, i:] = values[:, i : i + 1]
                break
        recall = np.maximum.accumulate(values[0])
        return Setting(self.k, self.spare, self.rerank, recall, *values[1:])


def _work(counts: tuple[int, int, int]) -> float:
    """Weigh lists, vectors by code and vectors in float32, in vectors by code."""
    n_lists, n_vectors, n_reranked = counts
    return n_vectors + 25 * n_lists + 10 * n_reranked


def _found(
    core: _core.VectorIndex, sample: Sample, k: int, plan: Plan
) -> tuple[NDArray[np.int64], tuple[int, int, int]]:
    """Rows (n, k) without each query's own, and what all queries looked at."""
    rows, _, *counts = core.search(
        sample.queries, k + 1, plan.effort, plan.n_candidates, plan.rerank
    )
    own = rows == sample.rows[:, None]
    own[:, -1] |= ~own.any(axis=1)
    n_lists, n_vectors, n_reranked = counts
    return rows[~own].reshape(len(rows), k), (n_lists, n_vectors, n_reranked)


def _recalls(found: NDArray[np.int64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of each query's true rows that were found."""
    n_rows = int(max(found.max(initial=0), truth.max(initial=0))) + 2
    queries = np.arange(len(truth))[:, None] * n_rows
    hits = np.isin(truth + queries, found + queries)
    means: NDArray[np.float64] = hits.mean(axis=1)
    return means
