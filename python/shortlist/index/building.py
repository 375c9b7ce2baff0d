"""From vectors to a searchable index: lists, their recall curve, and the choice of a kind."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.index.neighbors import Metric
from shortlist.index.recall_curve import N_SAMPLE, RecallCurve, Sample, measure

__all__ = ["Built", "Kind", "Progress", "Wanted", "build_core", "list_count"]

Kind: TypeAlias = Literal["auto", "flat", "ivf"]
Progress: TypeAlias = Callable[[str, float], None]

_ITERATIONS = 10
_POINTS_PER_LIST = 64
_SEED = 1
_ASSIGN_ROWS = 1 << 16
#: Below so many vectors a scan of all of them takes a few microseconds.
_LEAST_FOR_LISTS = 10_000
#: How much faster lists have to be, so that a proven result is given up for them.
_WORTH = 1.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller of a build asked for."""

    kind: Kind
    recall: float
    k: int
    n_threads: int


@dataclass(frozen=True, slots=True)
class Built:
    """An index of the core, its kind, why it is that, and its curve where it has one."""

    core: _core.VectorIndex
    kind: Literal["flat", "ivf"]
    reason: str
    curve: RecallCurve | None


def list_count(n: int) -> int:
    """Choose the number of lists for n vectors: about n / 80, and n^0.6 for many."""
    lists = min(n / 80, n**0.6)
    return max(1, min(n, int(lists / 16 + 0.5) * 16))


def printed_progress(stage: str, share: float) -> None:
    """Show how far a build is on one line of the standard error."""
    end = "\n" if stage == "done" else ""
    sys.stderr.write(f"\rindex: {stage:<10} {share:4.0%}{end}")
    sys.stderr.flush()


def silent_progress(stage: str, share: float) -> None:
    """Show nothing."""


def build_core(
    vectors: NDArray[np.float32],
    metric: Metric,
    wanted: Wanted,
    queries: NDArray[np.float32] | None,
    progress: Progress,
) -> Built:
    """Build the kind that was asked for, or measure which one it should be."""
    n = len(vectors)
    if wanted.kind == "flat":
        return Built(_flat(vectors, metric, wanted.n_threads), "flat", "asked for", None)
    if wanted.kind == "auto" and n < _LEAST_FOR_LISTS:
        reason = f"{n} vectors are scanned faster than lists are chosen"
        return Built(_flat(vectors, metric, wanted.n_threads), "flat", reason, None)
    if n == 0:
        return Built(_flat(vectors, metric, wanted.n_threads), "ivf", "asked for", None)
    core = _ivf(vectors, metric, wanted.n_threads, progress)
    sample = _sample(vectors, queries)
    ks = sorted({k for k in (1, 10, 100, wanted.k) if k < n} or {n})
    steps = 0

    def on_step() -> None:
        nonlocal steps
        steps += 1
        progress("measure", steps / (3 * len(ks)))

    curve = measure(core, sample, ks, on_step)
    progress("done", 1.0)
    if wanted.kind == "ivf":
        return Built(core, "ivf", "asked for", curve)
    flat = _flat(vectors, metric, wanted.n_threads)
    k = min(wanted.k, n)
    few = sample.queries[:32]
    flat.search(few[:1], k, float("inf"), k, True)
    began = time.perf_counter()
    flat.search(few, k, float("inf"), k, True)
    flat_us = (time.perf_counter() - began) / len(few) * 1e6
    ivf_us = curve.plan(k, wanted.recall)[1]
    measured = (
        f"at recall {wanted.recall:g} and k = {k} "
        f"lists take {ivf_us:.1f} us, a scan {flat_us:.1f} us"
    )
    if ivf_us * _WORTH < flat_us:
        return Built(core, "ivf", measured, curve)
    return Built(flat, "flat", measured, None)


def _flat(vectors: NDArray[np.float32], metric: Metric, n_threads: int) -> _core.VectorIndex:
    return _core.VectorIndexBuilder(vectors, metric, 1, 1, _SEED, n_threads).finish()


def _ivf(
    vectors: NDArray[np.float32], metric: Metric, n_threads: int, progress: Progress
) -> _core.VectorIndex:
    n = len(vectors)
    builder = _core.VectorIndexBuilder(
        vectors, metric, list_count(n), _POINTS_PER_LIST, _SEED, n_threads
    )
    for i in range(_ITERATIONS):
        progress("train", i / _ITERATIONS)
        builder.train()
    for first in range(0, n, _ASSIGN_ROWS):
        progress("assign", first / n)
        builder.assign(first, min(n, first + _ASSIGN_ROWS))
    progress("encode", 0.0)
    return builder.finish()


def _sample(vectors: NDArray[np.float32], queries: NDArray[np.float32] | None) -> Sample:
    """Take the caller's queries, or vectors of the index, which do not count as found."""
    random = np.random.default_rng(_SEED)
    if queries is not None:
        chosen = random.permutation(len(queries))[:N_SAMPLE]
        return Sample(np.ascontiguousarray(queries[chosen]), np.full(len(chosen), -1))
    rows = random.choice(len(vectors), min(N_SAMPLE, len(vectors)), replace=False)
    return Sample(np.ascontiguousarray(vectors[rows]), rows.astype(np.int64))
