"""The models that are scored, by name: synthetic ones, real ones, and tiny ones to test."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.harness.contestant import AbsentError
from bench.trees import real
from bench.trees.rows import rows
from bench.trees.training import Recipe, trained


@dataclass(frozen=True)
class TreeModel:
    """A model's file and rows to score; `library` trained it, and is right about its scores."""

    name: str
    title: str
    library: str
    locate: Callable[[Path], Path]
    rows: Callable[[int, int], NDArray[np.float32]]  # how many, seed
    recipe: Recipe | None = None

    def path(self, cache: Path) -> Path:
        """The model file; AbsentError where it must lie beside the repository and does not."""
        path = self.locate(cache)
        if not path.exists():
            raise AbsentError(f"no file {path}")
        return path

    def key(self, cache: Path) -> str:
        """What tells this model's file from any other: a trained one's name says it all."""
        path = self.path(cache)
        return path.name if self.recipe else hashlib.sha256(path.read_bytes()).hexdigest()


def _synthetic(name: str, title: str, recipe: Recipe) -> TreeModel:
    return TreeModel(
        name,
        title,
        recipe.library,
        functools.partial(trained, recipe=recipe),
        functools.partial(rows, categories=recipe.categories),
        recipe,
    )


def _real(
    name: str, title: str, library: str, path: Path, make: Callable[[int, int], real.Rows]
) -> TreeModel:
    return TreeModel(name, title, library, lambda _: path, make)


_MODELS = (
    _synthetic("A", "A: LightGBM, 100 trees x 31 leaves", Recipe("lightgbm", 100, 31)),
    _synthetic("B", "B: LightGBM, 500 trees x 63 leaves", Recipe("lightgbm", 500, 63)),
    _synthetic("C", "C: LightGBM, 1000 trees x 255 leaves", Recipe("lightgbm", 1000, 255)),
    _synthetic(
        "B-categories",
        "B with 5 categorical features of 50",
        Recipe("lightgbm", 500, 63, categories=True),
    ),
    _synthetic("XGBoost", "XGBoost, 500 trees of depth 6", Recipe("xgboost", 500, 6)),
    _synthetic("CatBoost", "CatBoost, 1000 trees of depth 6", Recipe("catboost", 1000, 6)),
    _real(
        "NYC-taxi",
        "NYC taxi: LightGBM, 5 features",
        "lightgbm",
        real.NYC_TAXI / "model.txt",
        real.taxi_rows,
    ),
    _real(
        "Adult",
        "Adult: XGBoost with categories, 14 features",
        "xgboost",
        real.ADULT / "model.json",
        real.adult_rows,
    ),
    _real(
        "MQ2008",
        "MQ2008: XGBoost ranker, 47 features",
        "xgboost",
        real.MQ2008 / "model.json",
        real.mq2008_rows,
    ),
)
_TINY = (
    _synthetic("tiny-lightgbm", "tiny LightGBM", Recipe("lightgbm", 10, 15)),
    _synthetic("tiny-categories", "tiny LightGBM, categories", Recipe("lightgbm", 10, 15, True)),
    _synthetic("tiny-xgboost", "tiny XGBoost", Recipe("xgboost", 10, 4)),
    _synthetic("tiny-catboost", "tiny CatBoost", Recipe("catboost", 10, 4)),
)

NAMES = tuple(model.name for model in _MODELS)
TINY_NAMES = tuple(model.name for model in _TINY)
MODELS = {model.name: model for model in (*_MODELS, *_TINY)}
