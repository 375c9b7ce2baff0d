"""One column of a frame as numbers, or as distinct values and their codes, whoever holds it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.errors import ArgumentError
from shortlist.frames import (
    PandasColumn,
    arrow_table,
    is_pandas_column,
    is_pandas_frame,
    is_polars_series,
    plain_column,
)

__all__ = ["Cell", "InputColumn", "Numbers", "Values", "arrow_column", "read_column"]

Cell: TypeAlias = str | bool | int | float

_WHOLE = (int, bool)


@dataclass(frozen=True)
class Numbers:
    """Numbers of one NumPy dtype, in an array or in an Arrow table.

    ``validity`` is a bitmap of an array's values that are not missing, None where none is. Arrow's
    columns of nulls have the dtype None.
    """

    dtype: np.dtype[Any] | None
    array: NDArray[np.generic] | None = None
    validity: NDArray[np.uint8] | None = None
    table: _core.ArrowTable | None = None
    position: int = 0

    def __len__(self) -> int:
        return self.table.n_rows if self.table is not None else np.asarray(self.array).size

    @property
    def source(self) -> _core.Source:
        """What `_core.fill_rows` takes."""
        if self.table is not None:
            return self.table, self.position
        return np.asarray(self.array), self.validity

    def read(self) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Values, and which of them are missing; NaN is."""
        n = len(self)
        if self.dtype is None:
            return np.zeros(n), np.ones(n, dtype=np.bool_)
        missing: NDArray[np.bool_] | None = None
        if self.table is not None:
            values, missing = self.table.numbers(self.position)
        else:
            values = np.asarray(self.array)
            if self.validity is not None:
                missing = np.unpackbits(self.validity, count=n, bitorder="little") == 0
        if missing is None:
            missing = np.zeros(n, dtype=np.bool_)
        return values, missing | np.isnan(values) if values.dtype.kind == "f" else missing


@dataclass(frozen=True)
class Values:
    """Values that occur, and for each row the position of its value among them, -1 where missing.

    ``categorical`` where the frame's own type says so (a categorical, a dictionary, an enum).
    """

    codes: NDArray[np.integer[Any]]
    values: Sequence[object]
    categorical: bool

    def __len__(self) -> int:
        return self.codes.size

    def first_row(self, positions: Sequence[int]) -> int | None:
        """Return the first row that has one of the values at these positions."""
        if not positions:
            return None
        found = np.isin(self.codes, positions)
        return int(np.argmax(found)) if found.any() else None


InputColumn: TypeAlias = Numbers | Values


def read_column(column: object, what: str) -> InputColumn:
    """Read an array, a list, a pandas or polars series, or data behind Arrow's interface.

    Parameters
    ----------
    column : borrowed where it is an array of numbers, or Arrow data.
    what : what messages call it, such as ``"X: column 'age'"``.

    Raises
    ------
    ArgumentError
        It holds neither numbers nor texts.
    """
    if is_pandas_column(column):
        return _from_pandas(column, what)
    if is_pandas_frame(column):
        raise ArgumentError(f"{what}: several columns have this name")
    table = arrow_table(column)
    if table is not None:
        if table.is_struct:
            raise ArgumentError(f"{what} is a table of structs, expected numbers or texts")
        return arrow_column(table, 0, table.columns[0], what)
    if isinstance(column, np.ma.MaskedArray) and column.dtype.kind in "biuf":
        return _from_array(np.asarray(column.data), what, np.ma.getmaskarray(column))
    is_known = isinstance(column, np.ndarray | Sequence) or is_polars_series(column)
    if not is_known and hasattr(column, "__array__"):
        column = np.asarray(column)
    plain = plain_column(column, what)
    return _from_cells(plain, what) if isinstance(plain, list) else _from_array(plain, what)


def arrow_column(
    table: _core.ArrowTable, position: int, described: tuple[str, str, str], what: str
) -> InputColumn:
    """Read a column of an Arrow table, as ``table.columns`` describes it.

    Raises
    ------
    ArgumentError
        Of a type that is neither numbers nor texts; the message names it.
    FormatError
        Malformed.
    """
    _, group, type_name = described
    if group in ("text", "dictionary"):
        codes, values = table.values(position)
        return Values(codes, values, categorical=group == "dictionary")
    if group == "other":
        raise ArgumentError(f"{what} is of Arrow's type {type_name}, expected numbers or texts")
    dtype = None if group == "null" else np.dtype("?" if type_name == "bool" else type_name)
    return Numbers(dtype, table=table, position=position)


def _from_array(
    array: NDArray[Any], what: str, missing: NDArray[np.bool_] | None = None
) -> InputColumn:
    if array.ndim != 1:
        raise ArgumentError(f"{what} has {array.ndim} dimensions, expected 1")
    if array.dtype.kind in "OU":
        return _from_cells(array.tolist(), what)
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"{what} has dtype {array.dtype}, expected numbers or texts")
    if array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if missing is None or not missing.any():
        return Numbers(array.dtype, array)
    return Numbers(array.dtype, array, np.packbits(~missing, bitorder="little"))


def _from_pandas(column: PandasColumn, what: str) -> InputColumn:
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return _from_array(np.asarray(column.to_numpy()), what)
    categories = getattr(dtype, "categories", None)
    if categories is not None:
        codes = np.asarray(getattr(getattr(column, "cat", column), "codes"))  # noqa: B009
        return Values(codes, categories.tolist(), categorical=True)
    if dtype.kind in "biuf":
        own = getattr(dtype, "numpy_dtype", None)
        if own is None:  # sparse
            return _from_array(np.asarray(column), what)
        missing = np.asarray(column.isna())
        return _from_array(np.asarray(column.to_numpy(own, na_value=own.type(0))), what, missing)
    with suppress(ImportError):  # pandas goes by way of pyarrow
        table = arrow_table(column)
        if table is not None:
            return arrow_column(table, 0, table.columns[0], what)
    return _from_cells(_objects(column, what), what)


def _objects(column: PandasColumn, what: str) -> list[object]:
    plain = plain_column(column, what)
    return plain if isinstance(plain, list) else plain.tolist()


def _from_cells(cells: list[object], what: str) -> InputColumn:
    """Read Python objects; None and NaN are missing, and so is pandas' NA."""
    kinds = set(map(type, cells))
    if any(issubclass(kind, np.generic) for kind in kinds):
        cells = [cell.item() if isinstance(cell, np.generic) else cell for cell in cells]
        kinds = set(map(type, cells))
    absent = {kind for kind in kinds if kind.__name__ in ("NAType", "NaTType")}
    if absent:
        cells = [None if type(cell) in absent else cell for cell in cells]
        kinds = (kinds - absent) | {type(None)}
    if kinds <= {bool, int, float, type(None)}:
        return _numbers_of(cells, kinds - {type(None)}, what)
    return _values_of(cells, what)


def _numbers_of(cells: list[Any], kinds: set[type], what: str) -> InputColumn:
    if not kinds:
        return _from_array(np.full(len(cells), np.nan), what)
    if float in kinds:
        numbers = [np.nan if cell is None else _as_float(cell, what) for cell in cells]
        return _from_array(np.array(numbers, dtype=np.float64), what)
    missing = np.array([cell is None for cell in cells], dtype=np.bool_)
    present = [cell or 0 for cell in cells] if missing.any() else cells
    if kinds == {bool}:
        return _from_array(np.array(present, dtype=np.bool_), what, missing)
    for dtype in (np.int64, np.uint64):
        with suppress(OverflowError):
            return _from_array(np.array(present, dtype=dtype), what, missing)
    return _values_of(cells, what)  # integers beyond 64 bits: each is looked at


def _as_float(cell: float, what: str) -> float:
    try:
        return float(cell)
    except OverflowError:
        raise ArgumentError(f"{what}: an integer is beyond float64") from None


def _values_of(cells: list[object], what: str) -> Values:
    positions: dict[tuple[type, object], int] = {}
    codes = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        if cell is None or cell != cell:  # noqa: PLR0124, NaN
            codes[row] = -1
            continue
        if isinstance(cell, str):
            key: tuple[type, object] = (str, str(cell))
        elif isinstance(cell, bool | int | float):
            key = (type(cell), cell)
        else:
            raise ArgumentError(
                f"{what}: row {row} is a {type(cell).__name__}, expected numbers or texts"
            )
        codes[row] = positions.setdefault(key, len(positions))
    return Values(codes, [value for _, value in positions], categorical=False)
