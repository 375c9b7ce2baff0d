"""What a caller must know of a model's inputs and outputs: read back from the compiled form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shortlist import strict_json
from shortlist.errors import FormatError
from shortlist.models.importers.ensemble import CategoryName

__all__ = ["Description", "read_description"]

_WHAT = "compiled forest: description"


@dataclass(frozen=True)
class Description:
    """Names of features, of categories and of classes."""

    feature_names: tuple[str, ...]
    category_names: Mapping[int, tuple[CategoryName, ...]]
    hashed_features: tuple[int, ...]
    classes: tuple[CategoryName, ...] | None
    best_iteration: int | None


def read_description(tensors: Mapping[str, NDArray[np.generic]], n_features: int) -> Description:
    """Read and check the tensor ``description``, a JSON text.

    Raises
    ------
    FormatError
        Absent, no JSON, or not about this number of features.
    """
    if "description" not in tensors or tensors["description"].dtype != np.uint8:
        raise FormatError("compiled forest: the tensor description is missing or not of type uint8")
    found = strict_json.decode(tensors["description"].tobytes(), _WHAT)
    if not isinstance(found, dict):
        raise FormatError(f"{_WHAT} is no JSON object")
    names = found.get("feature_names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FormatError(f"{_WHAT}: feature_names is no list of texts")
    if len(names) != n_features:
        raise FormatError(f"{_WHAT}: feature_names lists {len(names)} names, expected {n_features}")
    best_iteration = found.get("best_iteration")
    if best_iteration is not None and not isinstance(best_iteration, int):
        raise FormatError(f"{_WHAT}: best_iteration is no integer")
    classes = found.get("classes")
    return Description(
        tuple(names),
        _category_names(found.get("category_names", {}), n_features),
        tuple(_feature(f, n_features) for f in _list(found.get("hashed_features", []), "hashed")),
        None if classes is None else _names(classes, "classes"),
        best_iteration,
    )


def _category_names(found: object, n_features: int) -> dict[int, tuple[CategoryName, ...]]:
    if not isinstance(found, dict):
        raise FormatError(f"{_WHAT}: category_names is no JSON object")
    names = {}
    for key, values in found.items():
        if not (isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 11):
            raise FormatError(f"{_WHAT}: category_names has the key {key!r}, expected a feature")
        feature = _feature(int(key), n_features)
        names[feature] = _names(values, f"category_names of feature {feature}")
    return names


def _names(found: object, what: str) -> tuple[CategoryName, ...]:
    values = _list(found, what)
    if not all(isinstance(value, str | int | float | bool) for value in values):
        raise FormatError(f"{_WHAT}: {what} has what is neither text, number nor boolean")
    return tuple(values)  # type: ignore[arg-type]  # just checked


def _list(found: object, what: str) -> list[object]:
    if not isinstance(found, list):
        raise FormatError(f"{_WHAT}: {what} is no list")
    return found


def _feature(found: object, n_features: int) -> int:
    if not isinstance(found, int) or not 0 <= found < n_features:
        raise FormatError(f"{_WHAT}: {found!r} is no feature, of which there are {n_features}")
    return found
