"""Tables as callers have them (dict of columns, pandas, polars), read as plain columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import ArgumentError

__all__ = ["Column", "Columns", "is_missing", "n_rows", "read_columns", "take_rows"]

Column: TypeAlias = NDArray[Any] | list[Any]
Columns: TypeAlias = dict[str, Column]


def read_columns(frame: object, what: str) -> Columns:
    """Columns of a table by name, all of the same length.

    Parameters
    ----------
    frame
        A mapping from names to arrays or lists, or a pandas or polars DataFrame.
    what
        What messages call it, such as ``"items"``.

    Returns
    -------
    Arrays where the table has arrays of numbers or text, lists with None for missing values
    otherwise. Arrays may be views of the table.

    Raises
    ------
    ArgumentError
    """
    columns = dict(_named_columns(frame, what))
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ArgumentError(f"{what}: columns differ in their number of rows: {text}")
    return columns


def n_rows(columns: Mapping[str, Column]) -> int:
    """Length of the columns; 0 where there are none."""
    return next((len(column) for column in columns.values()), 0)


def take_rows(columns: Mapping[str, Column], rows: NDArray[np.intp]) -> Columns:
    """Columns with the given rows, in the given order."""
    return {
        name: column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows]
        for name, column in columns.items()
    }


def is_missing(value: object) -> bool:
    """None and NaN."""
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _named_columns(frame: object, what: str) -> Iterable[tuple[str, Column]]:
    if isinstance(frame, Mapping):
        columns: Iterable[tuple[object, Column]] = [
            (name, _plain(name, column, what)) for name, column in frame.items()
        ]
    elif hasattr(frame, "get_columns"):
        columns = [(series.name, _from_polars(series)) for series in frame.get_columns()]
    elif hasattr(frame, "iloc") and hasattr(frame, "items"):
        columns = [(name, _from_pandas(series)) for name, series in frame.items()]
    else:
        raise ArgumentError(
            f"{what} is a {type(frame).__name__}, expected a dict of columns, a pandas or a polars "
            f"DataFrame"
        )
    for name, column in columns:
        if not isinstance(name, str) or not name:
            raise ArgumentError(f"{what}: column name {name!r}: expected text")
        yield name, column


def _plain(name: object, column: object, what: str) -> Column:
    if hasattr(column, "notna"):
        return _from_pandas(column)
    if hasattr(column, "null_count"):
        return _from_polars(column)
    if isinstance(column, np.ndarray):
        if column.ndim == 0:
            raise ArgumentError(f"{what}: column {name!r} is a single value")
        return column.tolist() if column.dtype == object else column
    if isinstance(column, Sequence) and not isinstance(column, str | bytes):
        return list(column)
    raise ArgumentError(
        f"{what}: column {name!r} is a {type(column).__name__}, expected an array or a list"
    )


def _from_pandas(series: Any) -> Column:
    if isinstance(series.dtype, np.dtype) and series.dtype != object:
        return np.asarray(series.to_numpy())
    present = series.notna().to_numpy()
    values = series.astype(object).tolist()
    return [value if here else None for value, here in zip(values, present, strict=True)]


def _from_polars(series: Any) -> Column:
    if series.dtype.is_numeric() and series.null_count() == 0:
        return np.asarray(series.to_numpy())
    return list(series.to_list())
