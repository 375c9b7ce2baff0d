"""Numbers in XGBoost's documents: lists as arrays, integers in text, and rounding to float32."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError

__all__ = [
    "Integers",
    "Numbers",
    "TypedArray",
    "exact_float",
    "from_builtin",
    "integer_of",
    "quote_specials",
    "scores_of",
    "special_number",
]

# Words that XGBoost writes for numbers that JSON does not know; those of dumps come last.
_SPECIAL = {
    "NaN": np.nan,
    "Infinity": np.inf,
    "-Infinity": -np.inf,
    "nan": np.nan,
    "-nan": np.nan,
    "inf": np.inf,
    "-inf": -np.inf,
}
_SIGNS_OF_SPECIALS = (b"NaN", b"nan", b"Infinity", b" inf", b"-inf", b":inf", b",inf", b"[inf")
# A string to its end, or to the end of the file where it has none, so that no byte is seen twice.
_STRING_OR_SPECIAL = re.compile(
    rb'("[^"\\]*+(?:\\.[^"\\]*+)*+"?)|(-?Infinity|NaN|-?nan|-?inf)', re.DOTALL
)
_MOST_DIGITS = 19


class Integers:
    """A list of integers or booleans."""

    def __init__(self, values: NDArray[np.int64]) -> None:
        self.values = values


class Numbers:
    """A list of numbers, not rounded to float32 yet unless they come so."""

    def __init__(self, values: NDArray[np.float64] | NDArray[np.float32]) -> None:
        self.values = values

    def float32(self) -> NDArray[np.float32]:
        """Return the numbers rounded to float32; what is beyond its range becomes infinite."""
        with np.errstate(over="ignore"):
            return self.values.astype(np.float32)

    def between_float32(self) -> bool:
        """Whether one is just halfway between two float32, so that its own rounding matters."""
        near = self.float32().astype(np.float64)
        off = np.flatnonzero((near != self.values) & np.isfinite(near))
        values = self.values[off]
        towards = np.where(values > near[off], np.inf, -np.inf).astype(np.float32)
        other = np.nextafter(near[off].astype(np.float32), towards).astype(np.float64)
        return bool((values - near[off] == other - values).any())


@dataclass(frozen=True)
class TypedArray:
    """Numbers of one type in a binary document, in the order of its bytes, not copied.

    (msgspec takes a bare array for a mapping.)
    """

    values: NDArray[np.generic]


def from_builtin(kind: type[object], value: object) -> object:
    """Return Integers or Numbers of a list or a typed array: the hook for msgspec.

    Raises
    ------
    ValueError
        Something else, or a list of something else.
    """
    if isinstance(value, TypedArray):
        return _from_array(kind, value.values)
    if not isinstance(value, list):
        raise ValueError(f"expected a list of numbers, got {type(value).__name__}")
    try:
        array = np.asarray(value) if len(value) else np.zeros(0, dtype=np.int64)
    except (ValueError, OverflowError):  # lists of several lengths
        raise ValueError("expected a list of numbers, got lists in it") from None
    if array.ndim != 1:
        raise ValueError("expected a list of numbers, got lists in it")
    if array.dtype.kind == "U" and kind is not Integers:
        array = np.array([_special(item) for item in value])
    return _from_array(kind, array)


def _from_array(kind: type[object], array: NDArray[np.generic]) -> object:
    if kind is Integers:
        if array.dtype.kind not in "biu":
            raise ValueError(f"expected integers of 64 bits, got {array[:3].tolist()}")
        return Integers(array.astype(np.int64, copy=False))
    if array.dtype.kind not in "biuf":
        raise ValueError(f"expected numbers, got {array[:3].tolist()}")
    if array.dtype.kind == "f" and array.dtype.itemsize == 4:
        return Numbers(array.astype(np.float32, copy=False))
    return Numbers(array.astype(np.float64, copy=False))


def exact_float(text: str) -> float:
    """Return a number that rounds to the same float32 as its text does.

    Rounding to float64 first may hit the middle between two float32, where rounding to float32
    would forget on which side the text is.
    """
    value = float(text)
    if not Numbers(np.array([value])).between_float32():
        return value
    written, rounded = Decimal(text), Decimal(value)
    if written == rounded:
        return value
    return float(np.nextafter(value, np.inf if written > rounded else -np.inf))


def integer_of(text: str, where: str, least: int, most: int) -> int:
    """Return an integer that a document has as text.

    Raises
    ------
    FormatError
    """
    digits = text.strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
        value = int(digits)
        if least <= value <= most:
            return value
    raise FormatError(f"{where} is {text[:40]!r}, expected an integer from {least} to {most}")


def scores_of(text: str, where: str) -> NDArray[np.float32]:
    """Return base scores of their text: "5E-1", or since 3.1 "[5E-1,2E0]".

    Raises
    ------
    FormatError
    """
    words = text.strip().removeprefix("[").removesuffix("]").split(",")
    try:
        if "_" in text:  # which Python takes between digits
            raise ValueError(text)
        return Numbers(np.array([exact_float(word) for word in words])).float32()
    except (ValueError, ArithmeticError):
        raise FormatError(f"{where} is {text[:40]!r}, expected a number or [numbers]") from None


def quote_specials(data: bytes) -> bytes:
    """Put NaN, Infinity and their like, which XGBoost writes and JSON does not know, in quotes."""
    if not any(word in data for word in _SIGNS_OF_SPECIALS):
        return data
    return _STRING_OR_SPECIAL.sub(lambda found: found[1] or b'"' + found[2] + b'"', data)


def special_number(word: str) -> float:
    """Return the number that a word of :func:`quote_specials` stands for.

    Raises
    ------
    ValueError
    """
    if word not in _SPECIAL:
        raise ValueError(f"expected numbers, got {word[:40]!r}")
    return _SPECIAL[word]


def _special(item: object) -> float:
    if isinstance(item, str):
        return special_number(item)
    if isinstance(item, int | float):
        return float(item)
    raise ValueError(f"expected numbers, got {type(item).__name__}")
