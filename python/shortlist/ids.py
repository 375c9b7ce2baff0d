"""Ids of items and users: all int64 or all text, never converted from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import ArgumentError
from shortlist.frames import Column

__all__ = ["Ids", "read_ids", "typed_ids"]

Ids: TypeAlias = NDArray[np.int64] | list[str]

_MAX_ROWS = 2**32 - 2


def read_ids(column: Column, what: str) -> Ids:
    """Distinct ids as int64 or text; never converted from one to the other, nor from other types.

    Raises
    ------
    ArgumentError
        An id is neither an integer nor text, of another type than the first one, beyond int64, or
        occurs twice.
    """
    ids = typed_ids(column, what)
    if len(ids) > _MAX_ROWS:
        raise ArgumentError(f"{what}: {len(ids)} rows, expected at most {_MAX_ROWS}")
    if isinstance(ids, np.ndarray):
        ascending = np.sort(ids)
        repeated: list[object] = ascending[1:][ascending[1:] == ascending[:-1]][:1].tolist()
    else:
        repeated = [] if len(set(ids)) == len(ids) else [_first_repeated(ids)]
    if repeated:
        raise ArgumentError(f"{what}: id {repeated[0]!r} occurs twice")
    return ids


def typed_ids(column: Column, what: str) -> Ids:
    """Ids as int64 or text, which may repeat; raises as `read_ids`."""
    if isinstance(column, np.ndarray) and column.ndim == 1 and column.dtype.kind in "iu":
        if column.dtype == np.uint64 and column.size and column.max() >= 2**63:
            raise ArgumentError(f"{what}: id {column.max()} is beyond int64")
        return np.ascontiguousarray(column, dtype=np.int64)
    values = column.tolist() if isinstance(column, np.ndarray) else column
    if not values:
        return np.zeros(0, dtype=np.int64)
    kind = str if isinstance(values[0], str) else int
    for row, value in enumerate(values):
        integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not (isinstance(value, str) if kind is str else integer):
            expected = "text, as the first one" if kind is str else "an integer or text"
            if kind is int and row and isinstance(value, str):
                expected = "an integer, as the first one"
            raise ArgumentError(f"{what}: id {value!r} in row {row}: expected {expected}")
    if kind is str:
        _check_unicode(values, what)
        return [str(value) for value in values]
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        largest = max(values, key=abs)
        raise ArgumentError(f"{what}: id {largest} is beyond int64") from None


def _check_unicode(values: Sequence[str], what: str) -> None:
    try:
        "".join(values).encode()
    except UnicodeEncodeError as error:
        bad = error.object[error.start]
        row, value = next((row, value) for row, value in enumerate(values) if bad in value)
        raise ArgumentError(f"{what}: id {value!r} in row {row} is not valid Unicode") from None


def _first_repeated(ids: Sequence[str]) -> str:
    seen: set[str] = set()
    for value in ids:
        if value in seen:
            return value
        seen.add(value)
    raise ArgumentError("no id occurs twice")
