"""Columns of frames as the native code takes them: float64 numbers, or UTF-8 texts with offsets.

A frame is a mapping of arrays or lists, a pandas or a polars data frame.
Neither library is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import ArgumentError

__all__ = ["Column", "Frame", "Numbers", "Texts", "column_texts", "read_column"]

Numbers: TypeAlias = NDArray[np.float64]  # NaN where missing
Texts: TypeAlias = tuple[bytes, NDArray[np.int64], NDArray[np.uint8]]  # UTF-8, offsets, missing
Column: TypeAlias = Numbers | Texts

# Integers from here on are not all float64 numbers, so two of them may look alike.
_EXACT = 2.0**53


class _Table(Protocol):
    """What pandas and polars data frames have in common."""

    @property
    def columns(self) -> Sequence[object]: ...
    def __getitem__(self, name: str) -> object: ...
    def __len__(self) -> int: ...


class _PandasDtype(Protocol):
    kind: str


class _PandasSeries(Protocol):
    dtype: _PandasDtype

    def to_numpy(self, dtype: object = ..., *, na_value: object = ...) -> NDArray[np.generic]: ...


class _PolarsDtype(Protocol):
    def is_numeric(self) -> bool: ...
    def is_integer(self) -> bool: ...


class _PolarsSeries(Protocol):
    dtype: _PolarsDtype

    def cast(self, dtype: type) -> _PolarsSeries: ...
    def to_numpy(self) -> NDArray[np.generic]: ...
    def to_list(self) -> list[object]: ...


class Frame:
    """Named columns of one length.

    Parameters
    ----------
    frame
        A mapping of names to one-dimensional arrays or lists, or a pandas or polars ``DataFrame``.

    Raises
    ------
    ArgumentError
        It is none of these, or its columns differ in length.
    """

    def __init__(self, frame: object) -> None:
        if isinstance(frame, Mapping):
            self._columns: Mapping[str, object] | _Table = frame
            self.names = list(frame)
            self.n_rows = _common_length(frame)
        elif _is_table(frame):
            self._columns = frame
            self.names = list(frame.columns)
            self.n_rows = len(frame)
        else:
            raise ArgumentError(
                "a frame is a mapping of columns, a pandas or a polars DataFrame, "
                f"not {type(frame).__name__}"
            )

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def read(self, name: str, *, as_text: bool = False) -> Column:
        """Convert one column.

        Parameters
        ----------
        name
            A column there is.
        as_text
            The values are looked up or hashed, so integers beyond 2**53 are refused.
        """
        return read_column(self._columns[name], name, as_text=as_text)


def read_column(values: object, name: str, *, as_text: bool = False) -> Column:
    """Convert one column; it shares memory with a float64 array.

    Parameters
    ----------
    values
        Numbers and booleans, or texts; None, NaN and pandas' NA are missing.
    name
        For messages.
    as_text
        The values are looked up or hashed, so integers beyond 2**53 are refused.

    Returns
    -------
    float64 numbers, NaN where missing; or texts as (UTF-8 bytes, int64 offsets, uint8 missing).

    Raises
    ------
    ArgumentError
        Mixed or unsupported values; the message names the column.
    """
    library = type(values).__module__.partition(".")[0]
    if isinstance(values, np.ndarray):
        return _from_numpy(values, name, as_text)
    if library == "pandas" and type(values).__name__ == "Series":
        return _from_pandas(cast(_PandasSeries, values), name, as_text)
    if library == "polars" and type(values).__name__ == "Series":
        return _from_polars(cast(_PolarsSeries, values), name, as_text)
    if isinstance(values, list | tuple):
        return _from_objects(list(values), name, as_text)
    raise _unsupported(name, f"{type(values).__name__} instead of an array or a list")


def column_texts(column: Texts) -> list[str]:
    """Texts of a column that are not missing."""
    data, offsets, missing = column
    bounds = offsets.tolist()
    return [data[bounds[i] : bounds[i + 1]].decode() for i in np.flatnonzero(missing == 0).tolist()]


def _is_table(frame: object) -> TypeGuard[_Table]:
    library = type(frame).__module__.partition(".")[0]
    return library in ("pandas", "polars") and type(frame).__name__ == "DataFrame"


def _common_length(frame: Mapping[str, object]) -> int:
    lengths: dict[int, str] = {}
    for name, values in frame.items():
        if not hasattr(values, "__len__"):
            raise _unsupported(name, f"{type(values).__name__} instead of an array or a list")
        lengths.setdefault(len(values), name)
    if len(lengths) > 1:
        (first, one), (second, other), *_ = lengths.items()
        raise ArgumentError(
            f"columns differ in length: {one!r} has {first} rows, {other!r} has {second}"
        )
    return next(iter(lengths), 0)


def _unsupported(name: str, what: str) -> ArgumentError:
    return ArgumentError(f"column {name!r}: {what} is not supported; expected numbers or texts")


def _from_numpy(values: NDArray[np.generic], name: str, as_text: bool) -> Column:
    if values.ndim != 1:
        raise _unsupported(name, f"an array of {values.ndim} dimensions")
    kind = values.dtype.kind
    if isinstance(values, np.ma.MaskedArray):
        return _from_objects(values.tolist(), name, as_text)  # None where masked
    if kind in "biuf":
        return _numbers(values, name, check=as_text and kind in "iu")
    if kind in "OUT":
        return _from_objects(values.tolist(), name, as_text)
    raise _unsupported(name, f"dtype {values.dtype}")


def _from_pandas(series: _PandasSeries, name: str, as_text: bool) -> Column:
    kind = series.dtype.kind
    if kind in "biuf":
        values = series.to_numpy(np.float64, na_value=np.nan)
        return _numbers(values, name, check=as_text and kind in "iu")
    if kind in "OU":
        return _from_objects(series.to_numpy(object).tolist(), name, as_text)
    raise _unsupported(name, f"dtype {series.dtype}")


def _from_polars(series: _PolarsSeries, name: str, as_text: bool) -> Column:
    dtype = series.dtype
    kind = str(dtype).partition("(")[0]
    if dtype.is_numeric() or kind in ("Boolean", "Null"):
        return _numbers(series.cast(float).to_numpy(), name, check=as_text and dtype.is_integer())
    if kind in ("String", "Categorical", "Enum"):
        return _from_objects(series.cast(str).to_list(), name, as_text)
    if kind == "Object":
        return _from_objects(series.to_list(), name, as_text)
    raise _unsupported(name, f"dtype {dtype}")


def _from_objects(values: list[object], name: str, as_text: bool) -> Column:
    types = set(map(type, values))
    absent = {
        kind for kind in types if kind is type(None) or kind.__name__ in ("NAType", "NaTType")
    }
    texts = {kind for kind in types if issubclass(kind, str)}
    numeric = (bool, int, float, np.bool_, np.integer, np.floating)
    numbers = {kind for kind in types if issubclass(kind, numeric)}
    for kind in types - absent - texts - numbers:
        raise _unsupported(name, f"a value of type {kind.__name__}")
    if not texts:
        if absent:
            values = [np.nan if type(value) in absent else value for value in values]
        return _numbers_of(values, name, check=as_text and bool(numbers))
    if absent or numbers:
        values = [_text_or_none(value, name) for value in values]
    return _texts(cast("list[str | None]", values), name)


def _text_or_none(value: object, name: str) -> str | None:
    if isinstance(value, str):
        return value
    # NaN beside texts is how numpy and pandas mark what is missing; any other number is an error.
    is_nan = isinstance(value, float | np.floating) and np.isnan(value)
    if isinstance(value, bool | int | float | np.bool_ | np.number) and not is_nan:
        raise ArgumentError(f"column {name!r} mixes texts and numbers, such as {value!r}")
    return None


def _texts(values: list[str | None], name: str) -> Texts:
    try:
        encoded = [b"" if value is None else value.encode() for value in values]
    except UnicodeEncodeError as error:
        raise ArgumentError(f"column {name!r} holds text that is not Unicode: {error}") from None
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(values)), out=offsets[1:])
    missing = np.fromiter((value is None for value in values), np.uint8, len(values))
    return b"".join(encoded), offsets, missing


def _numbers_of(values: list[object], name: str, *, check: bool) -> Numbers:
    try:
        numbers = np.array(values, np.float64)
    except OverflowError:
        raise ArgumentError(f"column {name!r} holds an integer beyond float64") from None
    if check:
        for row in np.flatnonzero(np.abs(numbers) >= _EXACT).tolist():
            if isinstance(values[row], int | np.integer):
                raise _inexact(name, values[row])
    return numbers


def _numbers(values: NDArray[np.generic], name: str, *, check: bool) -> Numbers:
    numbers = np.ascontiguousarray(values, np.float64)
    if check:
        for row in np.flatnonzero(np.abs(numbers) >= _EXACT)[:1].tolist():
            raise _inexact(name, values[row])
    return numbers


def _inexact(name: str, value: object) -> ArgumentError:
    return ArgumentError(
        f"column {name!r} holds the integer {value}: from 2**53 on float64 confuses neighbours; "
        "give such ids as texts"
    )
