"""Tables from files: CSV by the standard library, Parquet by a library that is there."""

from __future__ import annotations

import csv
import importlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shortlist.bundle.frame import Column, Columns
from shortlist.errors import ArgumentError, FormatError

__all__ = ["read_entities", "read_matrix", "read_table"]


def read_entities(path: Path, *, text_ids: bool = False) -> Columns:
    """Read a table of items or users, which has an ``id`` column; see `read_table`.

    Raises
    ------
    FormatError : there is no such column.
    """
    columns = read_table(path, text_ids=text_ids)
    if "id" not in columns:
        raise FormatError(f"{path}: there is no column 'id'; found {', '.join(columns)}")
    return columns


def read_table(path: Path, *, text_ids: bool = False) -> Columns:
    """Read a table.

    Parameters
    ----------
    path : a .csv file (UTF-8, comma, names in the first line) or a .parquet file.
    text_ids : keep a column ``id`` of a CSV file as text, though all may look like integers.

    Returns
    -------
    Columns by name. Of a CSV file a column is int64 where every cell is an integer written plainly
    (no sign +, no leading zero), else float64 where every cell is a number or empty (NaN), else
    texts, with None for empty cells. Ids are int64 or texts.

    Raises
    ------
    ArgumentError : another kind of file, or no library for Parquet; FormatError : no such table.
    """
    if path.suffix == ".csv":
        columns = _read_csv(path, text_ids=text_ids)
    elif path.suffix == ".parquet":
        columns = _read_parquet(path)
    else:
        raise ArgumentError(f"{path}: expected a .csv or .parquet file")
    return columns


def read_matrix(path: Path) -> NDArray[np.float32]:
    """Read a .npy file of numbers, shape (n, dim); float32 is mapped, anything else converted.

    Raises
    ------
    FormatError : not a .npy file of numbers with two dimensions.
    """
    try:
        matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise FormatError(f"{path}: no array in NumPy's format: {error}") from None
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or matrix.dtype.kind not in "fiu":
        found = f"{matrix.dtype} {matrix.shape}" if isinstance(matrix, np.ndarray) else "an archive"
        raise FormatError(f"{path}: expected numbers of shape (n, dim); found {found}")
    return np.ascontiguousarray(matrix, dtype=np.float32)


def _read_csv(path: Path, *, text_ids: bool) -> Columns:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            names = next(rows, [])
            cells: list[list[str]] = [[] for _ in names]
            for row in rows:
                if not row:
                    continue
                if len(row) != len(names):
                    raise FormatError(
                        f"{path}: line {rows.line_num} has {len(row)} cells; "
                        f"expected {len(names)}, one for each name in the first line"
                    )
                for column, cell in zip(cells, row, strict=True):
                    column.append(cell)
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path}: no CSV in UTF-8: {error}") from None
    if len(set(names)) != len(names):
        raise FormatError(f"{path}: a column name is there twice: {', '.join(names)}")
    table: Columns = {}
    for name, column in zip(names, cells, strict=True):
        if name != "id":
            table[name] = _typed(column)
        elif text_ids or (integers := _integers(column)) is None:
            table[name] = column
        else:
            table[name] = integers
    return table


def _integers(cells: list[str]) -> NDArray[np.int64] | None:
    """Return the integers that the cells are, or None where one is anything else."""
    try:
        if all(str(int(cell)) == cell for cell in cells):
            return np.array([int(cell) for cell in cells], dtype=np.int64)
    except (ValueError, OverflowError):
        return None
    return None


def _typed(cells: list[str]) -> Column:
    integers = _integers(cells)
    if integers is not None:
        return integers
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
    except ValueError:
        return [cell or None for cell in cells]


def _read_parquet(path: Path) -> Columns:
    for library in ("polars", "pyarrow.parquet", "pandas"):
        try:
            module = importlib.import_module(library)
        except ImportError:
            continue
        try:
            if library == "polars":
                columns: Columns = module.read_parquet(path).to_dict(as_series=False)
            elif library == "pandas":
                columns = module.read_parquet(path).to_dict("list")
            else:
                columns = module.read_table(path).to_pydict()
        except ImportError:  # pandas without an engine for Parquet
            continue
        except Exception as error:
            raise FormatError(f"{path}: {library} cannot read it: {error}") from error
        return columns
    raise ArgumentError(f"{path}: reading Parquet needs a library: pip install pyarrow")
