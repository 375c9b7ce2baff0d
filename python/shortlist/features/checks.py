"""Checks of the arguments of feature definitions; an error says what was expected."""

from __future__ import annotations

import math
import operator

import numpy as np

from shortlist import _core
from shortlist.errors import ArgumentError

__all__ = ["canonical_text", "check_field", "check_finite", "check_int", "check_text"]

SOURCES = ("user", "context", "item")


def _check_unicode(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ArgumentError(
            f"{value!r} holds a lone surrogate, which is not Unicode text"
        ) from None
    return value


def check_field(value: object) -> str:
    """Require ``"source.name"``."""
    source, dot, name = value.partition(".") if isinstance(value, str) else ("", "", "")
    if source not in SOURCES or not dot or not name:
        raise ArgumentError(f"field {value!r}: expected 'user.NAME', 'context.NAME' or 'item.NAME'")
    return _check_unicode(f"{source}.{name}")


def check_text(value: object, what: str) -> str:
    """Require text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ArgumentError(f"{what} must be text that is not empty, not {value!r}")
    return _check_unicode(value)


def check_int(value: object, what: str, low: int, high: int) -> int:
    """Require an integer from `low` to `high`."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ArgumentError(f"{what} must be an integer, not {value!r}") from None
    if isinstance(value, bool) or not low <= number <= high:
        raise ArgumentError(f"{what} must be {low} to {high}, not {value!r}")
    return number


def check_finite(value: object, what: str) -> float:
    """Require a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ArgumentError(f"{what} must be a number, not {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise ArgumentError(f"{what} must be finite, not {value!r}")
    return number


def canonical_text(value: object) -> str:
    """Text under which a value is looked up and hashed: a number's shortest, a text as it is."""
    if isinstance(value, str):
        return _check_unicode(str(value))
    if not isinstance(value, bool | int | float | np.bool_ | np.integer | np.floating):
        raise ArgumentError(f"expected text or a number, not {value!r}")
    if isinstance(value, int | np.integer) and abs(int(value)) >= 2**53:
        raise ArgumentError(f"float64 confuses {value} with its neighbours; give such ids as texts")
    text = _core.canonical_texts(np.array([float(value)]))[0]
    if text is None:
        raise ArgumentError("expected text or a number, not NaN")
    return text
