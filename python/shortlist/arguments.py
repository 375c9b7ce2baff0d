"""Checks of the arguments that callers give, each with one wording everywhere."""

from __future__ import annotations

import operator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import ArgumentError

__all__ = ["check_finite_rows", "checked_flag", "checked_float32", "checked_integer"]


def checked_integer(value: object, name: str, *, least: int, most: int | None = None) -> int:
    """Take an integer, NumPy's too but no boolean, from `least` to `most`.

    Raises
    ------
    ArgumentError
    """
    number = None
    if not isinstance(value, bool | np.bool_):
        with suppress(TypeError):
            number = operator.index(value)  # type: ignore[arg-type]
    if number is None or number < least or (most is not None and number > most):
        domain = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise ArgumentError(f"{name}: got {value!r}, expected an integer {domain}")
    return number


def checked_flag(value: object, name: str) -> bool:
    """Take True or False.

    Raises
    ------
    ArgumentError
    """
    if not isinstance(value, bool | np.bool_):
        raise ArgumentError(f"{name}: got {value!r}, expected True or False")
    return bool(value)


def checked_float32(values: object, name: str, *, expected: str) -> NDArray[np.float32]:
    """Convert numbers to a C-contiguous float32 array; one that is that already is not copied.

    Numbers beyond float32 become infinite. Texts and complex numbers are refused, which NumPy would
    parse or cut.

    Raises
    ------
    ArgumentError
        ``{name}: expected {expected}``
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufO":
            raise ArgumentError(f"{name}: got dtype {array.dtype}, expected {expected}")
        with np.errstate(over="ignore"):
            return np.asarray(array, dtype=np.float32, order="C")
    except ArgumentError:
        raise
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"{name}: expected {expected}") from None


def check_finite_rows(matrix: NDArray[np.float32], name: str) -> None:
    """Refuse NaN and infinities in a matrix; the message has the first row that holds one.

    Raises
    ------
    ArgumentError
    """
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        raise ArgumentError(f"{name}: row {int(np.argmin(finite))} is not finite in float32")
