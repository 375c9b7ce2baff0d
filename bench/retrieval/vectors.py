"""Seeded clustered vectors of low rank, of little or much spread, and the exact best of queries."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SEED = 20_240_602
K = 100
N_QUERIES = 1000  # the first half to tune by, the second to measure

Hardness = Literal["easy", "hard"]

_RANK = 32
_PER_CLUSTER = 400
_SPREAD = {"easy": 0.35, "hard": 0.9}
_NOISE = {"easy": 0.15, "hard": 0.3}


@dataclass(frozen=True)
class Vectors:
    """Unit vectors, so that inner product and cosine order alike, and the true best of queries."""

    items: NDArray[np.float32]
    queries: NDArray[np.float32]
    best: NDArray[np.int64]  # (N_QUERIES, K), exact by float64


@functools.cache
def vectors(n: int, dim: int, hardness: Hardness) -> Vectors:
    """Draw items and queries alike."""
    random = np.random.default_rng(SEED)
    basis = random.normal(size=(_RANK, dim))
    centres = random.normal(size=(max(16, n // _PER_CLUSTER), _RANK))

    def draw(count: int) -> NDArray[np.float32]:
        points = centres[random.integers(len(centres), size=count)]
        points = (points + _SPREAD[hardness] * random.normal(size=points.shape)) @ basis
        points += _NOISE[hardness] * random.normal(size=points.shape)
        return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)

    items, queries = draw(n), draw(N_QUERIES)
    exact = items.astype(np.float64)
    best = []
    for query in queries.astype(np.float64):
        scores = exact @ query
        rows = np.argpartition(-scores, K)[:K]
        best.append(rows[np.argsort(-scores[rows])])
    return Vectors(items, queries, np.array(best))
