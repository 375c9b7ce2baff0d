"""Models that are objects of their training library: through the library's own file format.

What an object is, its class says; no library is imported here that did not make the object.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shortlist.errors import ArgumentError, UnsupportedError
from shortlist.models.importers.ensemble import CategoryName
from shortlist.models.sklearn_categories import labels_of
from shortlist.models.sklearn_export import export_sklearn

__all__ = ["LiveModel", "live_model"]


@dataclass(frozen=True)
class LiveModel:
    """A model's file, and what the object knows besides."""

    name: str  # of the object's class
    data: bytes
    classes: tuple[CategoryName, ...] | None = None  # labels; None: as the file has them
    default_rounds: int | None = None  # what the object predicts by; None: as the file has it


def live_model(model: object) -> LiveModel | None:
    """Take a model out of a trained object; None if it is of no library that we know.

    Parameters
    ----------
    model
        LightGBM's Booster or LGBMModel, XGBoost's Booster or XGBModel, CatBoost, or a scikit-learn
        estimator that :func:`export_sklearn` takes; or an object of a class derived from one.

    Raises
    ------
    ArgumentError
        It is not fitted.
    UnsupportedError
        It has a setting that the library applies outside the model's file.
    """
    for base in type(model).__mro__:
        library = base.__module__.partition(".")[0]
        reader = _READERS.get((library, base.__name__))
        if reader is not None:
            return reader(model)
    if any(base.__module__.partition(".")[0] == "sklearn" for base in type(model).__mro__):
        return _sklearn(model)
    return None


def _lightgbm_booster(model: Any) -> LiveModel:
    best = int(model.best_iteration)
    text = model.model_to_string(num_iteration=-1)
    return LiveModel(
        type(model).__name__, text.encode("utf-8"), default_rounds=best if best > 0 else None
    )


def _lightgbm_model(model: Any) -> LiveModel:
    if not model.__sklearn_is_fitted__():
        raise _not_fitted(model)
    found = _lightgbm_booster(model.booster_)
    return LiveModel(type(model).__name__, found.data, _labels(model), found.default_rounds)


def _xgboost_booster(model: Any) -> LiveModel:
    return LiveModel(type(model).__name__, bytes(model.save_raw("ubj")))


def _xgboost_model(model: Any) -> LiveModel:
    if not model.__sklearn_is_fitted__():
        raise _not_fitted(model)
    missing = model.missing
    if missing is not None and not math.isnan(missing):
        raise UnsupportedError(
            f"{type(model).__name__}: missing={missing!r} is not handled, as the model's file does "
            f"not have it; train with NaN for what is missing"
        )
    booster = model.get_booster()
    best = booster.attr("best_iteration")
    linear = model.booster == "gblinear"
    return LiveModel(
        type(model).__name__,
        bytes(booster.save_raw("ubj")),
        _labels(model),
        None if best is None or linear else int(best) + 1,
    )


def _catboost(model: Any) -> LiveModel:
    if not model.is_fitted():
        raise _not_fitted(model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.cbm"
        model.save_model(str(path), format="cbm")
        data = path.read_bytes()
    return LiveModel(type(model).__name__, data, _labels(model))


def _sklearn(model: object) -> LiveModel:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        export_sklearn(model, path)
        return LiveModel(type(model).__name__, path.read_bytes())


_READERS: dict[tuple[str, str], Callable[[Any], LiveModel]] = {
    ("lightgbm", "Booster"): _lightgbm_booster,
    ("lightgbm", "LGBMModel"): _lightgbm_model,
    ("xgboost", "Booster"): _xgboost_booster,
    ("xgboost", "XGBModel"): _xgboost_model,
    ("catboost", "CatBoost"): _catboost,
}


def _labels(model: Any) -> tuple[CategoryName, ...] | None:
    """Return the labels of a classifier; other models have no classes_, or an empty one."""
    labels = getattr(model, "classes_", None)
    return None if labels is None or len(labels) == 0 else tuple(labels_of(labels))


def _not_fitted(model: object) -> ArgumentError:
    return ArgumentError(f"model: this {type(model).__name__} is not fitted")
