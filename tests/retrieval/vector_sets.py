"""Sets of vectors that differ in what is hard about them."""

from __future__ import annotations

import numpy as np


def clustered(n: int, dim: int, *, spread: float = 0.5, seed: int = 0) -> np.ndarray:
    """Unit vectors around random centres of low rank."""
    rng = np.random.default_rng(seed)
    basis = np.random.default_rng(99).normal(size=(max(2, dim // 2), dim))
    centres = np.random.default_rng(98).normal(size=(60, len(basis)))
    points = centres[rng.integers(len(centres), size=n)]
    points = (points + spread * rng.normal(size=points.shape)) @ basis
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def uneven(n: int, dim: int, *, seed: int = 0) -> np.ndarray:
    """Vectors whose norms spread over two orders of magnitude, as popularity does."""
    rng = np.random.default_rng(seed)
    norms = np.exp(rng.normal(scale=1.2, size=(n, 1)))
    return (clustered(n, dim, seed=seed) * norms).astype(np.float32)


def far_away(n: int, dim: int, *, seed: int = 0) -> np.ndarray:
    """Vectors close together, far from zero."""
    return (clustered(n, dim, seed=seed) + 30.0).astype(np.float32)


def repeated(n: int, dim: int, *, seed: int = 0) -> np.ndarray:
    """Few distinct vectors, each many times: ties everywhere."""
    few = clustered(max(2, n // 50), dim, seed=seed)
    return few[np.random.default_rng(seed).integers(len(few), size=n)]


def mixed_scales(n: int, dim: int, *, seed: int = 0) -> np.ndarray:
    """Zero vectors, tiny ones, and ordinary ones."""
    vectors = clustered(n, dim, seed=seed)
    vectors[::7] = 0.0
    vectors[1::7] *= np.float32(1e-30)
    vectors[2::7] *= np.float32(1e-12)
    return vectors


def enormous(n: int, dim: int, *, seed: int = 0) -> np.ndarray:
    """Vectors whose products come near the limits of float32."""
    return (clustered(n, dim, seed=seed) * np.float32(3e18)).astype(np.float32)


ALL = (clustered, uneven, far_away, repeated, mixed_scales, enormous)


def best_rows(scores: np.ndarray, k: int) -> np.ndarray:
    """Rows by descending score, ties by the lower row; scores are those of the index itself."""
    return np.lexsort((np.arange(len(scores)), -scores))[:k]
