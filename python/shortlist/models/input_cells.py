"""Columns as a model's matrix has them: numbers, codes of categories, hashes of categories."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.errors import ArgumentError
from shortlist.models.input_columns import InputColumn, Numbers, Values

__all__ = ["FIRST_HASH", "Categories", "catboost_hashes", "hashed_cells", "number_source"]

FIRST_HASH = 2**53
"""Cells from here on are this plus twice CatBoost's hash of the category."""

UNKNOWN = -1.0
"""The code of a category that the model does not know."""

_Doubles: TypeAlias = NDArray[np.float64]
_SHOWN = 3


class Categories:
    """Names of one feature's categories, and which code each has.

    Texts match texts; numbers and booleans match by value, whatever their types.
    """

    def __init__(self, names: Iterable[str | bool | float]):
        self._texts: dict[str, int] = {}
        self._numbers: dict[float, int] = {}
        for code, name in enumerate(names):
            if isinstance(name, str):
                self._texts.setdefault(name, code)
            elif not _is_nan(name):
                self._numbers.setdefault(name, code)

    @property
    def are_texts(self) -> bool:
        """Whether each name is a text."""
        return bool(self._texts) and not self._numbers

    def cells(self, column: InputColumn, what: str) -> _Doubles:
        """Return the code of each row's category: -1 where unknown, NaN where missing.

        Raises
        ------
        ArgumentError
            A number where all names are texts, or a text where all are numbers.
        """
        if isinstance(column, Values):
            return self._value_cells(column, what)
        values, missing = column.read()
        if self.are_texts:
            row = _first(~missing)
            if row is not None:
                raise ArgumentError(self._mismatch(what, row, values[row].item()))
        cells = self._number_cells(values)
        cells[missing] = np.nan
        return cells

    def _value_cells(self, column: Values, what: str) -> _Doubles:
        refused = [
            position for position, value in enumerate(column.values) if self._is_refused(value)
        ]
        row = column.first_row(refused)
        if row is not None:
            raise ArgumentError(self._mismatch(what, row, column.values[column.codes[row]]))
        cells = np.full(len(column.values) + 1, UNKNOWN)
        cells[-1] = np.nan  # code -1
        for position, value in enumerate(column.values):
            if isinstance(value, str):
                cells[position] = self._texts.get(value, UNKNOWN)
            elif isinstance(value, bool | int | float):
                cells[position] = np.nan if _is_nan(value) else self._numbers.get(value, UNKNOWN)
        return np.take(cells, column.codes)

    def _is_refused(self, value: object) -> bool:
        if isinstance(value, str):
            return bool(self._numbers) and not self._texts
        return not isinstance(value, bool | int | float) or self.are_texts

    def _number_cells(self, values: NDArray[np.generic]) -> _Doubles:
        names, codes = self._names_of(values.dtype)
        cells = np.full(values.size, UNKNOWN)
        if names.size == 0:
            return cells
        found = np.minimum(np.searchsorted(names, values), names.size - 1)
        known = names[found] == values
        cells[known] = codes[found[known]]
        return cells

    def _names_of(self, dtype: np.dtype[Any]) -> tuple[NDArray[Any], _Doubles]:
        """Numeric names that a column of a dtype can hold, ascending, and their codes."""
        own: dict[Any, int] = {}
        for name, code in self._numbers.items():
            value = _held(name, dtype)
            if value is not None:
                own[value] = code
        if dtype.kind in "iu":
            names = np.array(list(own), dtype=dtype)
        else:
            names = np.array(list(own), dtype=np.float64)
        codes = np.array(list(own.values()), dtype=np.float64)
        order = np.argsort(names, kind="stable")
        return names[order], codes[order]

    def _mismatch(self, what: str, row: int, value: object) -> str:
        names = list[object](self._texts or self._numbers)
        shown = ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")
        kind = "texts" if self._texts else "numbers"
        return (
            f"{what}: row {row} is {value!r}; the model's categories of this feature are {kind}: "
            f"{shown}"
        )


def number_source(column: InputColumn, what: str) -> _core.Source:
    """Return a column of numbers for `_core.fill_rows`.

    Raises
    ------
    ArgumentError
        It has texts, or is categorical.
    """
    if isinstance(column, Numbers):
        return column.source
    row = _first(column.codes >= 0)
    if row is None:
        return np.full(len(column), np.nan), None
    if column.categorical:
        raise ArgumentError(
            f"{what} is categorical (row {row} is {column.values[column.codes[row]]!r}), and the "
            f"model has no categories of this feature: give the numbers it was trained with"
        )
    cells = np.full(len(column.values) + 1, np.nan)
    for position, value in enumerate(column.values):
        if isinstance(value, str):
            row = column.first_row([position])
            raise ArgumentError(f"{what}: row {row} is {value!r}, expected a number")
        cells[position] = _as_double(value, what)
    return np.take(cells, column.codes), None


def hashed_cells(column: InputColumn, what: str) -> _Doubles:
    """Return the cells of a feature whose categories CatBoost hashes.

    Integers below 2^53 stand for themselves; texts and other integers are their `catboost_hashes`.

    Raises
    ------
    ArgumentError
        Something is missing, or a float: CatBoost takes neither for a category.
    """
    if isinstance(column, Values):
        row = _first(column.codes < 0)
        if row is not None:
            raise ArgumentError(_no_category(what, row, "missing"))
        return _hashed_values(column, what)
    values, missing = column.read()
    if column.dtype is not None and column.dtype.kind == "f" and values.size:
        row = _first(~missing) or 0
        raise ArgumentError(_no_category(what, row, f"the float {values[row].item()!r}"))
    row = _first(missing)
    if row is not None:
        raise ArgumentError(_no_category(what, row, "missing"))
    cells = values.astype(np.float64)
    large = np.flatnonzero(np.abs(cells) >= FIRST_HASH)
    if large.size:
        cells[large] = catboost_hashes([str(value) for value in values[large].tolist()])
    return cells


def catboost_hashes(texts: list[str]) -> _Doubles:
    """Return the cells of texts: 2^53 + 2 h, exact in float64, where h is CatBoost's hash."""
    cells: _Doubles = _core.catboost_hash_texts(texts).astype(np.float64)
    return FIRST_HASH + 2 * cells


def _hashed_values(column: Values, what: str) -> _Doubles:
    refused = [
        position for position, value in enumerate(column.values) if not isinstance(value, str | int)
    ]
    row = column.first_row(refused)
    if row is not None:
        value = column.values[column.codes[row]]
        raise ArgumentError(_no_category(what, row, f"the {type(value).__name__} {value!r}"))
    cells = np.zeros(len(column.values))
    texts: dict[int, str] = {}
    for position, value in enumerate(column.values):
        if isinstance(value, str):
            texts[position] = value
        elif isinstance(value, int):
            if abs(value) < FIRST_HASH:
                cells[position] = value
            else:
                texts[position] = str(value)
    if texts:
        cells[list(texts)] = catboost_hashes(list(texts.values()))
    return np.take(cells, column.codes)


def _no_category(what: str, row: int, found: str) -> str:
    return (
        f"{what}: row {row} is {found}; CatBoost's categories are integers and texts: give what "
        f"stood in its place in training"
    )


def _held(name: float, dtype: np.dtype[Any]) -> float | None:
    """Return a name as a number of the dtype's kind that equals it, None where there is none."""
    if dtype.kind in "iu":
        if not math.isfinite(name) or name != int(name):
            return None
        limits = np.iinfo(dtype)
        return int(name) if limits.min <= name <= limits.max else None
    try:
        value = float(name)
    except OverflowError:
        return None
    return value if value == name else None


def _as_double(value: object, what: str) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        raise ArgumentError(f"{what}: an integer is beyond float64") from None


def _first(rows: NDArray[np.bool_]) -> int | None:
    return int(np.argmax(rows)) if rows.any() else None


def _is_nan(value: float) -> bool:
    return isinstance(value, float) and math.isnan(value)
