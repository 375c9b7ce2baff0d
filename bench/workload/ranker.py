"""The ranker: a LightGBM LambdaMART model of 500 trees x 63 leaves, trained once and cached."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.harness.cache import cached
from bench.workload import catalogue as c

N_TREES = 500
N_LEAVES = 63

_N_GROUPS = 2_000
_GROUP_ROWS = 50
_PARAMETERS: dict[str, object] = {
    "objective": "lambdarank",
    "num_leaves": N_LEAVES,
    "learning_rate": 0.05,
    "min_data_in_leaf": 20,
    "seed": c.SEED,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


def model_path(cache: Path) -> Path:
    """The model file, trained first if the cache has none; imports LightGBM only then."""
    spec = (c.SEED, c.N_ITEMS, c.N_FEATURES, N_TREES, _N_GROUPS, _GROUP_ROWS, _PARAMETERS)
    return cached(cache, "ranker", ".txt", spec, _train)


def rows(n: int, seed: int) -> NDArray[np.float32]:
    """Fresh feature rows as requests make them: request features, then those of a random item."""
    rng = np.random.default_rng(seed)
    items = c.catalogue().items.features()
    return np.hstack([_request_features(rng, n), items[rng.integers(0, len(items), n)]])


def _request_features(rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    user = c.numbers(rng, n, len(c.USER_NUMBERS))
    texts = c.codes(rng, n, c.USER_TEXTS).astype(np.float32)
    return np.hstack([user, texts, c.numbers(rng, n, len(c.CONTEXT_NUMBERS))])


def _train(path: Path) -> None:
    import lightgbm as lgb

    rng = np.random.default_rng(c.SEED + 3)
    request = np.repeat(_request_features(rng, _N_GROUPS), _GROUP_ROWS, axis=0)
    items = c.catalogue().items.features()
    item = items[rng.integers(0, len(items), len(request))]
    x = np.hstack([request, item])
    data = lgb.Dataset(x, label=_grades(rng, request, item), group=[_GROUP_ROWS] * _N_GROUPS)
    lgb.train(dict(_PARAMETERS), data, num_boost_round=N_TREES).save_model(path)


def _grades(
    rng: np.random.Generator, request: NDArray[np.float32], item: NDArray[np.float32]
) -> NDArray[np.int32]:
    """Grades 0 to 4 from smooth interactions of request and item, steps and noise."""
    r, i = np.nan_to_num(request, nan=1.5), np.nan_to_num(item, nan=0.5)
    interaction = (np.log1p(r) @ rng.standard_normal((r.shape[1], 8)) / 4) * (
        np.log1p(i) @ rng.standard_normal((i.shape[1], 8)) / 4
    )
    utility = interaction.sum(axis=1) + np.sin(3 * i[:, :6]).sum(axis=1)
    utility += np.isnan(item[:, 0]) + 0.3 * (item[:, -1] % 7) + rng.standard_normal(len(r))
    return np.digitize(utility, np.quantile(utility, [0.5, 0.75, 0.9, 0.97])).astype(np.int32)
