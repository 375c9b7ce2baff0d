"""Frames as callers have them: mappings, pandas, polars, Arrow; no library is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.errors import ArgumentError

__all__ = [
    "Column",
    "PandasColumn",
    "PolarsSeries",
    "arrow_table",
    "encoded_texts",
    "is_frame",
    "is_pandas_column",
    "is_pandas_frame",
    "is_polars_series",
    "named_columns",
    "plain_column",
]

Column: TypeAlias = NDArray[Any] | list[Any]


class _Table(Protocol):
    """What pandas and polars data frames have in common."""

    @property
    def columns(self) -> Sequence[object]: ...
    def __getitem__(self, name: object) -> object: ...


class _PandasDtype(Protocol):
    kind: str


class PandasColumn(Protocol):
    """A pandas series, index or array."""

    dtype: _PandasDtype

    def __len__(self) -> int: ...

    def isna(self) -> NDArray[np.bool_]:
        """Which values are missing."""

    def to_numpy(self, dtype: object = ..., *, na_value: object = ...) -> NDArray[np.generic]:
        """Values as an array of the dtype."""


class _PolarsDtype(Protocol):
    def is_numeric(self) -> bool: ...
    def is_integer(self) -> bool: ...


class _PolarsTexts(Protocol):
    def len_bytes(self) -> PolarsSeries: ...
    def join(self, delimiter: str) -> PolarsSeries: ...


class PolarsSeries(Protocol):
    """A polars series."""

    dtype: _PolarsDtype

    @property
    def str(self) -> _PolarsTexts:
        """Functions of texts."""

    def __len__(self) -> int: ...

    def cast(self, dtype: type) -> PolarsSeries:
        """Convert values."""

    def fill_null(self, value: object) -> PolarsSeries:
        """Replace what is missing."""

    def is_null(self) -> PolarsSeries:
        """Which values are missing."""

    def item(self) -> object:
        """Give the only value."""

    def null_count(self) -> int:
        """How many values are missing."""

    def to_list(self) -> list[object]:
        """Values as Python has them."""

    def to_numpy(self) -> NDArray[np.generic]:
        """Values as an array."""


def is_frame(values: object) -> bool:
    """Whether it has named columns: a mapping, a DataFrame, or data behind Arrow's interface.

    A pandas series, index or array is none, though it may have that interface.
    """
    if isinstance(values, Mapping) or _is_data_frame(values):
        return True
    return _has_arrow_interface(values) and _library(values) != "pandas"


def arrow_table(values: object) -> _core.ArrowTable | None:
    """Take data behind Arrow's PyCapsule interface, not copied; None where there is none.

    Readers of record batches are read to their end.

    Raises
    ------
    FormatError, StorageError
        Malformed, or its producer failed.
    """
    if hasattr(values, "__arrow_c_stream__"):
        return _core.ArrowTable.from_stream(values.__arrow_c_stream__())
    if hasattr(values, "__arrow_c_array__"):
        return _core.ArrowTable.from_array(*values.__arrow_c_array__())
    return None


def named_columns(frame: object) -> dict[object, object] | None:
    """Columns of a frame by name, as they are; None where it is no frame.

    Of a name that two columns of a pandas frame have, the column is a data frame, which no reader
    of columns takes.
    """
    if isinstance(frame, Mapping):
        return dict(frame)
    if _is_data_frame(frame):
        table = cast(_Table, frame)
        return {name: table[name] for name in dict.fromkeys(table.columns)}
    return None


def is_pandas_frame(values: object) -> bool:
    """Tell a pandas DataFrame, also of a class that extends it, from everything else."""
    return _is_data_frame(values, ("pandas",))


def is_pandas_column(values: object) -> TypeGuard[PandasColumn]:
    """Tell a pandas series, index or array from everything else."""
    return (
        _library(values) == "pandas"
        and type(values).__name__ != "DataFrame"
        and all(hasattr(values, name) for name in ("dtype", "isna", "to_numpy"))
    )


def is_polars_series(values: object) -> TypeGuard[PolarsSeries]:
    """Tell a polars series from everything else."""
    return _library(values) == "polars" and type(values).__name__ == "Series"


def plain_column(column: object, what: str) -> Column:
    """Read a column as an array of numbers or texts, or as a list with None for missing values.

    Parameters
    ----------
    column
        An array, a list or another sequence, a pandas or a polars series. Arrays may be shared.
    what
        What messages call it, such as ``"items: column 'id'"``.

    Raises
    ------
    ArgumentError
    """
    if is_pandas_column(column):
        return _plain_pandas(column)
    if is_polars_series(column):
        if column.dtype.is_numeric() and column.null_count() == 0:
            return np.asarray(column.to_numpy())
        return column.to_list()
    if isinstance(column, np.ma.MaskedArray):
        return list(np.atleast_1d(column).tolist())  # None where masked
    if isinstance(column, np.ndarray):
        if column.ndim == 0:
            raise ArgumentError(f"{what} is a single value")
        return column.tolist() if column.dtype == object else column
    if isinstance(column, Sequence) and not isinstance(column, str | bytes):
        return list(column)
    raise ArgumentError(f"{what} is a {type(column).__name__}, expected an array or a list")


def encoded_texts(texts: Sequence[str]) -> tuple[bytes, NDArray[np.int64]]:
    """UTF-8 of texts, one after another, and n + 1 offsets.

    Raises
    ------
    UnicodeEncodeError
        A text holds half of a surrogate pair.
    """
    joined = "".join(texts)
    data = joined.encode()
    sizes = map(len, texts) if len(data) == len(joined) else map(len, map(str.encode, texts))
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(sizes, np.int64, len(texts)), out=offsets[1:])
    return data, offsets


def _is_data_frame(value: object, libraries: tuple[str, ...] = ("pandas", "polars")) -> bool:
    return any(
        kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] in libraries
        for kind in type(value).__mro__
    )


def _has_arrow_interface(value: object) -> bool:
    return hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")


def _library(value: object) -> str:
    return type(value).__module__.partition(".")[0]


def _plain_pandas(column: PandasColumn) -> Column:
    if isinstance(column.dtype, np.dtype) and column.dtype != object:
        return np.asarray(column.to_numpy())
    missing = np.asarray(column.isna())
    values = column.to_numpy(object).tolist()
    return [None if absent else value for value, absent in zip(values, missing, strict=True)]
