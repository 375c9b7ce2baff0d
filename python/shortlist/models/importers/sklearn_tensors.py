"""Tensors and description of an exported scikit-learn model, each checked for itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortlist import safetensors, strict_json
from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import CategoryName
from shortlist.models.sklearn_format import (
    FORESTS,
    HISTOGRAM,
    KIND,
    LOSSES,
    MAX_FEATURES,
    VERSION,
)

__all__ = ["Categories", "Description", "Exported", "read_exported", "reject"]

_WHERE = "scikit-learn export"
_SHAPES: dict[str, tuple[type[np.generic], int]] = {
    "tree_nodes": (np.int64, 1),
    "left": (np.int32, 1),
    "right": (np.int32, 1),
    "features": (np.int32, 1),
    "thresholds": (np.float64, 1),
    "missing_left": (np.uint8, 1),
    "learning_rate": (np.float64, 1),
    "base": (np.float64, 1),
    "description": (np.uint8, 1),
}
_SETS: dict[str, tuple[type[np.generic], int]] = {
    "sets": (np.int32, 1),
    "left_bitsets": (np.uint32, 2),
    "known_features": (np.int32, 1),
    "known_bitsets": (np.uint32, 2),
}
_PER_NODE = ("right", "features", "thresholds", "missing_left")
_MAX_CATEGORIES = 256


def reject(field: str, what: str) -> FormatError:
    """Return the error that says what is wrong with a field."""
    return FormatError(f"{_WHERE}: {field} {what}")


@dataclass(frozen=True)
class Categories:
    """Categories of one feature that scikit-learn encodes; the i-th has code i."""

    names: tuple[str, ...] | None  # texts: rows hold codes
    numbers: NDArray[np.float64] | None  # numbers: rows hold these themselves
    none_code: int | None  # the code that None has, which a missing value is then taken for

    @property
    def n_codes(self) -> int:
        """Number of codes, with that of None."""
        n = len(self.names) if self.numbers is None and self.names is not None else 0
        n += 0 if self.numbers is None else self.numbers.size
        return n + (self.none_code is not None)


@dataclass(frozen=True)
class Description:
    """What the JSON tensor says."""

    feature_names: tuple[str, ...]
    classes: tuple[CategoryName, ...] | None
    categories: Mapping[int, Categories]


@dataclass(frozen=True)
class Exported:
    """The whole file; lengths of the tensors agree, what is in them is not yet checked."""

    estimator: str
    loss: str
    description: Description
    tensors: Mapping[str, NDArray[Any]]

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return int(self.tensors["tree_nodes"].size) - 1


def read_exported(data: bytes) -> Exported:
    """Take a file apart.

    Raises
    ------
    FormatError, UnsupportedError
    """
    tensors, metadata = safetensors.loads(data, _WHERE)
    if metadata.get("kind") != KIND:
        raise reject("kind", f"is {metadata.get('kind')!r}, expected {KIND!r}")
    if metadata.get("version") != VERSION:
        raise UnsupportedError(
            f"{_WHERE}: version is {metadata.get('version')!r}, handled is {VERSION!r}"
        )
    estimator, loss = metadata.get("estimator", ""), metadata.get("loss", "")
    if estimator not in (*LOSSES, *FORESTS):
        raise UnsupportedError(f"{_WHERE}: estimator {estimator!r} is not known")
    if loss not in LOSSES.get(estimator, ("",)):
        raise UnsupportedError(f"{_WHERE}: loss {loss!r} of {estimator} is not known")
    _check_shapes(tensors, estimator)
    description = _read_description(tensors["description"].tobytes())
    return Exported(estimator, loss, description, tensors)


def _check_shapes(tensors: Mapping[str, NDArray[Any]], estimator: str) -> None:
    expected = {**_SHAPES, **(_SETS if estimator in HISTOGRAM else {})}
    if set(tensors) != {*expected, "values"}:
        differing = sorted(set(tensors) ^ {*expected, "values"})
        raise reject("tensors", f"lack or should not have: {', '.join(differing[:5])}")
    for name, (dtype, n_axes) in expected.items():
        array = tensors[name]
        if array.dtype != dtype or array.ndim != n_axes:
            raise reject(
                name,
                f"is {array.dtype} with {array.ndim} axes, expected {np.dtype(dtype)} with "
                f"{n_axes}",
            )
    values = tensors["values"]
    if values.dtype != np.float64 or values.ndim not in (1, 2):
        raise reject("values", f"is {values.dtype} with {values.ndim} axes, expected float64, 1")
    per_node = (*_PER_NODE, "sets") if estimator in HISTOGRAM else _PER_NODE
    for name in per_node:
        if tensors[name].size != tensors["left"].size:
            raise reject(name, f"has {tensors[name].size} nodes, left has {tensors['left'].size}")
    if tensors["learning_rate"].size != 1 or not np.isfinite(tensors["learning_rate"]).all():
        raise reject("learning_rate", "is not one finite number")
    if estimator in HISTOGRAM:
        _check_bitsets(tensors)


def _check_bitsets(tensors: Mapping[str, NDArray[Any]]) -> None:
    for name in ("left_bitsets", "known_bitsets"):
        if tensors[name].shape[1] != 8:
            raise reject(name, f"has rows of {tensors[name].shape[1]} words, expected 8")
    if len(tensors["known_bitsets"]) != tensors["known_features"].size:
        raise reject(
            "known_bitsets",
            f"has {len(tensors['known_bitsets'])} rows for "
            f"{tensors['known_features'].size} known_features",
        )


def _read_description(text: bytes) -> Description:
    document = strict_json.decode(text, f"{_WHERE}: description")
    if not isinstance(document, dict) or set(document) != {
        "n_features",
        "feature_names",
        "classes",
        "categories",
    }:
        raise reject(
            "description", "is no object of n_features, feature_names, classes and categories"
        )
    names = _read_names(document["n_features"], document["feature_names"])
    categories = document["categories"]
    if not isinstance(categories, dict):
        raise reject("categories", "is no object")
    return Description(
        names,
        _read_classes(document["classes"]),
        {
            _read_feature(key, len(names)): _read_categories(key, categories[key])
            for key in categories
        },
    )


def _read_names(n_features: object, names: object) -> tuple[str, ...]:
    if type(n_features) is not int or n_features < 1:
        raise reject("n_features", f"is {n_features!r}, expected a positive integer")
    if n_features > MAX_FEATURES:
        raise UnsupportedError(f"{_WHERE}: {n_features} features; {MAX_FEATURES} are handled")
    if names is None:
        return tuple(f"Column_{i}" for i in range(n_features))
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise reject("feature_names", "are no list of texts")
    if len(names) != n_features:
        raise reject("feature_names", f"are {len(names)}, expected n_features = {n_features}")
    return tuple(names)


def _read_classes(labels: object) -> tuple[CategoryName, ...] | None:
    if labels is None:
        return None
    if not isinstance(labels, list) or not labels:
        raise reject("classes", "is no list of labels")
    for label in labels:
        if not isinstance(label, str | bool | int | float) or (
            isinstance(label, float) and not math.isfinite(label)
        ):
            raise reject("classes", f"has {label!r}, expected a text, a number or a boolean")
    if len({(type(label), label) for label in labels}) != len(labels):
        raise reject("classes", "has a label twice")
    return tuple(labels)


def _read_feature(key: str, n_features: int) -> int:
    if not key.isascii() or not key.isdigit() or len(key) > 9 or int(key) >= n_features:
        raise reject("categories", f"has the feature {key[:20]!r}, expected 0 to {n_features - 1}")
    if str(int(key)) != key:
        raise reject("categories", f"has the feature {key!r}, expected {str(int(key))!r}")
    return int(key)


def _read_categories(key: str, found: object) -> Categories:
    field = f"categories of feature {key}"
    if not isinstance(found, list):
        raise reject(field, "are no list")
    if len(found) > _MAX_CATEGORIES:
        raise reject(field, f"are {len(found)}, expected at most {_MAX_CATEGORIES}")
    values = found[:-1] if found and found[-1] is None else found
    none_code = len(values) if len(values) < len(found) else None
    if all(isinstance(value, str) for value in values):
        if len(set(values)) != len(values):
            raise reject(field, "hold a text twice")
        return Categories(tuple(values), None, none_code)
    if not all(type(value) is float or type(value) is int for value in values):
        raise reject(field, "are neither all texts nor all numbers")
    try:
        numbers = np.array([float(value) for value in values])
    except OverflowError:
        raise reject(field, "hold a number beyond float64") from None
    if not np.isfinite(numbers).all() or (np.diff(numbers) <= 0).any():
        raise reject(field, "do not ascend, or are not finite")
    return Categories(None, numbers, none_code)
