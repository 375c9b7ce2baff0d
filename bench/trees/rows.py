"""Seeded float32 rows of 50 features, a tenth missing, and the label that models are trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_FEATURES = 50
MISSING_SHARE = 0.1
SEED = 20_260_114

# The last columns of a model with categories: how many categories each has.
CATEGORIES = (6, 24, 60, 200, 800)
CATEGORICAL_COLUMNS = tuple(range(N_FEATURES - len(CATEGORIES), N_FEATURES))

_N_WAVES = 24


def rows(n: int, seed: int, *, categories: bool = False) -> NDArray[np.float32]:
    """Half of the columns normal, half log-normal; with `categories` the last ones hold codes."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, N_FEATURES)).astype(np.float32)
    x[:, 1::2] = np.exp(x[:, 1::2])
    if categories:
        for column, count in zip(CATEGORICAL_COLUMNS, CATEGORIES, strict=True):
            x[:, column] = np.floor(count * rng.random(n) ** 2)
    x[rng.random(x.shape) < MISSING_SHARE] = np.nan
    return x


def label(x: NDArray[np.float32], *, categories: bool = False) -> NDArray[np.float64]:
    """Waves across many columns, steps, effects of missing cells and categories, and noise."""
    rng = np.random.default_rng(SEED)
    known = np.nan_to_num(x.astype(np.float64), nan=0.4)
    known[:, 1::2] = np.log1p(known[:, 1::2])
    if categories:
        known[:, CATEGORICAL_COLUMNS] = 0
    directions = rng.standard_normal((N_FEATURES, _N_WAVES)) / np.sqrt(6)
    y: NDArray[np.float64] = np.sin(known @ directions) @ rng.uniform(0.5, 1.5, _N_WAVES)
    y += (known > 0.5) @ rng.standard_normal(N_FEATURES) / 2
    y += np.isnan(x) @ rng.standard_normal(N_FEATURES) / 2
    if categories:
        for column, count in zip(CATEGORICAL_COLUMNS, CATEGORIES, strict=True):
            effects = rng.standard_normal(count)
            y += effects[np.nan_to_num(x[:, column]).astype(np.int64)] * (1 + known[:, 0] / 2)
    return y + 0.3 * rng.standard_normal(len(x))
