"""Trains the synthetic models, once: their files are kept in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.harness.cache import cached
from bench.trees.rows import CATEGORICAL_COLUMNS, N_FEATURES, SEED, label, rows

_N_ROWS = 60_000


@dataclass(frozen=True)
class Recipe:
    """A model to train: `size` is the leaves of a tree for LightGBM, the depth for the others."""

    library: str
    n_trees: int
    size: int
    categories: bool = False

    @property
    def full_leaves(self) -> int:
        """Leaves of a tree that is full."""
        return self.size if self.library == "lightgbm" else 2**self.size


def trained(cache: Path, recipe: Recipe) -> Path:
    """The model file, trained first if the cache has none; imports its library only then."""
    train, suffix, parameters = _LIBRARIES[recipe.library]
    spec = (recipe, SEED, _N_ROWS, N_FEATURES, parameters)
    stem = f"trees-{recipe.library}-{recipe.n_trees}x{recipe.size}"
    return cached(cache, stem, suffix, spec, lambda path: train(path, recipe, parameters))


def _data(recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    x = rows(_N_ROWS, SEED + 1, categories=recipe.categories)
    return x, label(x, categories=recipe.categories)


def _train_lightgbm(path: Path, recipe: Recipe, parameters: Mapping[str, object]) -> None:
    import lightgbm as lgb

    x, y = _data(recipe)
    columns = list(CATEGORICAL_COLUMNS) if recipe.categories else "auto"
    data = lgb.Dataset(x, label=y, categorical_feature=columns)
    parameters = {**parameters, "num_leaves": recipe.size}
    lgb.train(parameters, data, num_boost_round=recipe.n_trees).save_model(path)


def _train_xgboost(path: Path, recipe: Recipe, parameters: Mapping[str, object]) -> None:
    import xgboost as xgb

    x, y = _data(recipe)
    parameters = {**parameters, "max_depth": recipe.size}
    xgb.train(parameters, xgb.DMatrix(x, y), num_boost_round=recipe.n_trees).save_model(path)


def _train_catboost(path: Path, recipe: Recipe, parameters: Mapping[str, object]) -> None:
    from catboost import CatBoostRegressor

    x, y = _data(recipe)
    model = CatBoostRegressor(iterations=recipe.n_trees, depth=recipe.size, **parameters)
    model.fit(x, y).save_model(str(path))


_LIBRARIES = {
    "lightgbm": (
        _train_lightgbm,
        ".txt",
        {
            "objective": "regression",
            "learning_rate": 0.05,
            "min_data_in_leaf": 20,
            "seed": SEED,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        },
    ),
    "xgboost": (
        _train_xgboost,
        ".json",
        {
            "objective": "reg:squarederror",
            "learning_rate": 0.05,
            "tree_method": "hist",
            "seed": SEED,
            "nthread": 1,
        },
    ),
    "catboost": (
        _train_catboost,
        ".cbm",
        {
            "loss_function": "RMSE",
            "learning_rate": 0.05,
            "random_seed": SEED,
            "thread_count": 1,
            "allow_writing_files": False,
            "verbose": False,
        },
    ),
}
