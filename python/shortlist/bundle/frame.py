"""Tables as callers have them (dict of columns, pandas, polars), read as plain columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import ArgumentError
from shortlist.frames import Column, named_columns, plain_column

__all__ = ["Column", "Columns", "is_missing", "n_rows", "read_columns", "take_rows"]

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


def _named_columns(frame: object, what: str) -> Iterator[tuple[str, Column]]:
    columns = named_columns(frame)
    if columns is None:
        raise ArgumentError(
            f"{what} is a {type(frame).__name__}, expected a dict of columns, a pandas or a polars "
            f"DataFrame"
        )
    for name, column in columns.items():
        if not isinstance(name, str) or not name:
            raise ArgumentError(f"{what}: column name {name!r}: expected text")
        yield name, plain_column(column, f"{what}: column {name!r}")
