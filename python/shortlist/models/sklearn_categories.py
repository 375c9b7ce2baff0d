"""Categories and class labels of scikit-learn models as plain numbers and texts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import UnsupportedError

__all__ = ["categories_of", "labels_of"]


def categories_of(found: NDArray[Any], feature: int) -> list[str | float | None]:
    """Categories of one feature by code, as an OrdinalEncoder found them.

    Parameters
    ----------
    found : sorted; None, then NaN, may stand last. NaN is missing and left out.
    feature : its number, for messages.

    Returns
    -------
    Texts, or numbers as float64; a None last where None was a category.

    Raises
    ------
    UnsupportedError
        Categories of another type, numbers that float64 does not hold, or both None and NaN.
    """
    values = found.tolist()
    if values and isinstance(values[-1], float) and math.isnan(values[-1]):
        values.pop()
        if values and values[-1] is None:
            raise UnsupportedError(f"feature {feature}: None and NaN are both categories")
    last: list[None] = []
    if values and values[-1] is None:
        last.append(values.pop())
    if all(isinstance(value, str) for value in values):
        return [*(str(value) for value in values), *last]
    numbers: list[float] = []
    for value in values:
        if not isinstance(value, bool | int | float) or not _is_float64(value):
            raise UnsupportedError(
                f"feature {feature}: the category {value!r} of type {type(value).__name__} is not "
                f"handled; handled are texts and numbers that float64 holds"
            )
        numbers.append(float(value))
    return [*numbers, *last]


def _is_float64(value: float) -> bool:
    try:
        return math.isfinite(float(value)) and float(value) == value
    except OverflowError:
        return False


def labels_of(classes: object) -> list[str | int | float | bool]:
    """Class labels as JSON has them.

    Raises
    ------
    UnsupportedError
        Labels of another type than text, integer, finite float or boolean.
    """
    labels = np.asarray(classes).tolist()
    for label in labels:
        if not isinstance(label, str | bool | int | float) or (
            isinstance(label, float) and not math.isfinite(label)
        ):
            raise UnsupportedError(
                f"model: the class {label!r} of type {type(label).__name__} is not handled"
            )
    return [str(label) if isinstance(label, str) else label for label in labels]
