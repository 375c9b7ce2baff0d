"""XGBoost models in UBJSON, as ``Booster.save_model("x.ubj")`` writes them since 1.6.

Source: the Universal Binary JSON Specification, draft 12, https://ubjson.org; XGBoost writes
strings and counts with 64-bit lengths alone, and typed arrays of numbers.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec
import numpy as np

from shortlist.errors import FormatError
from shortlist.models.importers.ensemble import ImportedEnsemble
from shortlist.models.importers.xgboost_document import ensemble_of
from shortlist.models.importers.xgboost_numbers import TypedArray, from_builtin
from shortlist.models.importers.xgboost_schema import Document, Tree

__all__ = ["import_xgboost_ubj", "read_ubjson"]

_SOURCE = "XGBoost UBJSON model"
_MAX_DEPTH = 32
_NUMBERS = {
    ord(marker): (np.dtype(dtype), struct.Struct(layout))
    for marker, dtype, layout in (
        ("i", ">i1", ">b"),
        ("U", ">u1", ">B"),
        ("I", ">i2", ">h"),
        ("l", ">i4", ">i"),
        ("L", ">i8", ">q"),
        ("d", ">f4", ">f"),
        ("D", ">f8", ">d"),
    )
}
_CONSTANTS = {ord("Z"): None, ord("T"): True, ord("F"): False}
_INTEGERS = b"iUIlL"
_OBJECT, _ARRAY, _STRING, _CHARACTER, _TYPE, _COUNT = b"{[SC$#"


def import_xgboost_ubj(data: bytes) -> ImportedEnsemble:
    """Read an XGBoost UBJSON model.

    Parameters
    ----------
    data : the whole file.

    Raises
    ------
    FormatError
        Truncated or inconsistent, or no such model; the message names tree and field.
    UnsupportedError
    """
    try:
        document = msgspec.convert(
            read_ubjson(data), Document[dict[str, Any]], dec_hook=from_builtin
        )
    except msgspec.MsgspecError as error:
        raise FormatError(f"{_SOURCE}: {error}") from None
    return ensemble_of(document, _SOURCE, _converted)


def _converted(tree: dict[str, Any], kind: type[Tree]) -> Tree:
    return msgspec.convert(tree, kind, dec_hook=from_builtin)


def read_ubjson(data: bytes) -> object:
    """Return what one UBJSON document holds; its typed arrays as such.

    Raises
    ------
    FormatError
        Not valid, nested deeper than 32 levels, or with bytes behind its end.
    """
    reader = _Reader(data)
    value = reader.value(0)
    reader.check_end()
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def check_end(self) -> None:
        if self._at != len(self._data):
            raise self._reject(f"{len(self._data) - self._at} bytes behind the end of the document")

    def value(self, depth: int) -> object:
        return self._value_of(self._marker(), depth)

    def _value_of(self, marker: int, depth: int) -> object:
        if marker in _NUMBERS:
            return self._number(marker)
        if marker == _STRING:
            return self._text()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker == _CHARACTER:
            return self._bytes(1).decode("latin-1")
        if marker not in (_OBJECT, _ARRAY):
            raise self._reject(f"{bytes([marker])!r} is no marker of a value", back=1)
        if depth == _MAX_DEPTH:
            raise self._reject(f"nested too deep, at most {_MAX_DEPTH} levels are taken")
        return self._object(depth + 1) if marker == _OBJECT else self._array(depth + 1)

    def _object(self, depth: int) -> dict[str, object]:
        members: dict[str, object] = {}
        count = self._count() if self._next_is(_COUNT) else None
        if count is None and self._peek() == _TYPE:
            raise self._reject("an object of one type is not handled")
        while len(members) != count:
            if count is None and self._next_is(ord("}")):
                break
            key = self._text()
            if key in members:
                raise self._reject(f"member {key[:40]!r} occurs twice")
            members[key] = self.value(depth)
        return members

    def _array(self, depth: int) -> object:
        if self._next_is(_TYPE):
            return self._typed_array()
        if self._next_is(_COUNT):
            return [self.value(depth) for _ in range(self._count())]
        items = []
        while not self._next_is(ord("]")):
            items.append(self.value(depth))
        return items

    def _typed_array(self) -> TypedArray:
        marker = self._marker()
        if marker not in _NUMBERS:
            raise self._reject(f"an array of type {bytes([marker])!r} is not handled", back=1)
        if not self._next_is(_COUNT):
            raise self._reject("expected # and a count behind the type of an array")
        dtype, _ = _NUMBERS[marker]
        count = self._length()
        at = self._skip(count * dtype.itemsize)
        return TypedArray(np.frombuffer(self._data, dtype, count, at))

    def _count(self) -> int:
        """Return a number of values that follow, of which each has a byte at least."""
        count = self._length()
        if count > len(self._data) - self._at:
            raise self._reject(f"{count} values announced, {len(self._data) - self._at} bytes left")
        return count

    def _length(self) -> int:
        marker = self._marker()
        if marker not in _INTEGERS:
            raise self._reject(f"expected an integer, got marker {bytes([marker])!r}", back=1)
        length = self._number(marker)
        if not isinstance(length, int) or length < 0:
            raise self._reject(f"a length of {length}")
        return length

    def _number(self, marker: int) -> int | float:
        layout = _NUMBERS[marker][1]
        if layout.size > len(self._data) - self._at:
            raise self._reject("the file ends within a number")
        (number,) = layout.unpack_from(self._data, self._at)
        self._at += layout.size
        return number  # type: ignore[no-any-return]

    def _text(self) -> str:
        return self._bytes(self._length()).decode("utf-8", "backslashreplace")

    def _bytes(self, size: int) -> bytes:
        at = self._skip(size)
        return self._data[at : at + size]

    def _skip(self, size: int) -> int:
        """Pass over so many bytes and return where they begin."""
        if size > len(self._data) - self._at:
            raise self._reject(f"{size} bytes announced, {len(self._data) - self._at} are left")
        self._at += size
        return self._at - size

    def _marker(self) -> int:
        marker = self._peek()
        if marker < 0:
            raise self._reject("the file ends where a value is expected")
        self._at += 1
        return marker

    def _peek(self) -> int:
        return self._data[self._at] if self._at < len(self._data) else -1

    def _next_is(self, marker: int) -> bool:
        if self._peek() != marker:
            return False
        self._at += 1
        return True

    def _reject(self, why: str, back: int = 0) -> FormatError:
        return FormatError(f"{_SOURCE}: byte {self._at - back}: {why}")
