"""Frames of any library as names and columns that are read when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shortlist import _core
from shortlist.errors import ArgumentError
from shortlist.frames import arrow_table, is_pandas_frame, named_columns
from shortlist.models.input_columns import InputColumn, arrow_column, read_column

__all__ = ["InputFrame", "open_frame"]


@dataclass(frozen=True)
class InputFrame:
    """Names of columns, and the function that reads one by its position and its title."""

    what: str
    names: Sequence[str]
    read: Callable[[int, str], InputColumn]

    def column(self, position: int) -> InputColumn:
        """Read a column.

        Raises
        ------
        ArgumentError, FormatError
        """
        return self.read(position, self.title(position))

    def title(self, position: int) -> str:
        """Return what messages call a column."""
        return f"{self.what}: column {self.names[position]!r}"


def open_frame(X: object, what: str) -> InputFrame:
    """Take a frame as `ModelInputs.matrix` describes it.

    Raises
    ------
    ArgumentError
        No frame.
    FormatError, StorageError
        Malformed Arrow data, or its producer failed.
    """
    # pandas' own Arrow interface needs pyarrow, and converts columns that are no features.
    columns = named_columns(X) if isinstance(X, Mapping) or is_pandas_frame(X) else None
    table = arrow_table(X) if columns is None else None
    if table is not None:
        return _of_arrow(table, what)
    if columns is None:
        columns = named_columns(X)  # polars before it had the interface
    if columns is None:
        raise ArgumentError(
            f"{what} is a {type(X).__name__}, expected a mapping of columns, a DataFrame, or a "
            f"table behind Arrow's interface"
        )
    values = list(columns.values())
    names = [str(name) for name in columns]
    return InputFrame(what, names, lambda i, title: read_column(values[i], title))


def _of_arrow(table: _core.ArrowTable, what: str) -> InputFrame:
    described = table.columns
    if not table.is_struct:
        raise ArgumentError(f"{what} is Arrow data of type {described[0][2]}, expected a table")

    def read(position: int, title: str) -> InputColumn:
        return arrow_column(table, position, described[position], title)

    return InputFrame(what, [name for name, _, _ in described], read)
