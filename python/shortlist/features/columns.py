"""Columns of frames as the native code takes them: float64 numbers, or UTF-8 texts with offsets.

A frame is a mapping of arrays or lists, a pandas or a polars data frame.
What libraries they come from is told by `shortlist.frames`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import ArgumentError
from shortlist.frames import (
    PandasColumn,
    PolarsSeries,
    encoded_texts,
    is_pandas_column,
    is_polars_series,
    named_columns,
)

__all__ = ["Column", "Frame", "Numbers", "Texts", "column_texts", "read_column"]

Numbers: TypeAlias = NDArray[np.float64]  # NaN where missing
Texts: TypeAlias = tuple[bytes, NDArray[np.int64], NDArray[np.uint8]]  # UTF-8, offsets, missing
Column: TypeAlias = Numbers | Texts

# Integers from here on are not all float64 numbers, so two of them may look alike.
_EXACT = 2.0**53
# A text of polars is shorter than 4 GiB.
_MOST_JOINED = 2**31


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
        columns = named_columns(frame)
        if columns is None:
            raise ArgumentError(
                "a frame is a mapping of columns, a pandas or a polars DataFrame, "
                f"not {type(frame).__name__}"
            )
        self._columns = columns
        self.names = list(columns)
        self.n_rows = _common_length(columns)

    def __contains__(self, name: str) -> bool:
        return name in self._columns

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
    if isinstance(values, np.ndarray):
        return _from_numpy(values, name, as_text)
    if is_pandas_column(values):
        return _from_pandas(values, name, as_text)
    if is_polars_series(values):
        return _from_polars(values, name, as_text)
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        return _from_objects(list(values), name, as_text)
    raise _unsupported(name, f"{type(values).__name__} instead of an array or a list")


def column_texts(column: Texts) -> list[str]:
    """Texts of a column that are not missing."""
    data, offsets, missing = column
    bounds = offsets.tolist()
    return [data[bounds[i] : bounds[i + 1]].decode() for i in np.flatnonzero(missing == 0).tolist()]


def _common_length(frame: Mapping[object, object]) -> int:
    lengths: dict[int, object] = {}
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


def _unsupported(name: object, what: str) -> ArgumentError:
    return ArgumentError(f"column {name!r}: {what} is not supported; expected numbers or texts")


def _from_numpy(values: NDArray[np.generic], name: str, as_text: bool) -> Column:
    if values.ndim != 1:
        raise _unsupported(name, f"an array of {values.ndim} dimensions")
    kind = values.dtype.kind
    if isinstance(values, np.ma.MaskedArray):
        return _from_objects(values.tolist(), name, as_text)  # None where masked
    if kind in "biuf":
        return _numbers(values, name, check=as_text and kind in "iu")
    if kind == "U":
        return _from_unicode(values, name)
    if kind in "OT":
        return _from_objects(values.tolist(), name, as_text)
    raise _unsupported(name, f"dtype {values.dtype}")


def _from_pandas(series: PandasColumn, name: str, as_text: bool) -> Column:
    kind = series.dtype.kind
    if kind in "biuf":
        values = series.to_numpy(np.float64, na_value=np.nan)
        return _numbers(values, name, check=as_text and kind in "iu")
    if kind in "OU":
        return _from_objects(series.to_numpy(object).tolist(), name, as_text)
    raise _unsupported(name, f"dtype {series.dtype}")


def _from_polars(series: PolarsSeries, name: str, as_text: bool) -> Column:
    dtype = series.dtype
    kind = str(dtype).partition("(")[0]
    if dtype.is_numeric() or kind in ("Boolean", "Null"):
        return _numbers(series.cast(float).to_numpy(), name, check=as_text and dtype.is_integer())
    if kind in ("String", "Categorical", "Enum"):
        return _from_polars_texts(series.cast(str))
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
    if numbers or absent - {type(None)}:
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


def _from_unicode(values: NDArray[np.generic], name: str) -> Texts:
    """Texts of a NumPy array of str, whose elements are 4-byte characters up to trailing zeros."""
    n, width = len(values), values.dtype.itemsize // 4
    if n == 0 or width == 0 or not values.dtype.isnative:
        return _texts(cast("list[str | None]", values.tolist()), name)
    characters = np.ascontiguousarray(values).view(np.uint32).reshape(n, width)
    if characters.max() > 0x7F:
        return _texts(cast("list[str | None]", values.tolist()), name)
    used = characters != 0
    # An element ends at its last character; a zero before that belongs to it.
    sizes = width - np.argmax(used[:, ::-1], axis=1)
    sizes[~used.any(axis=1)] = 0
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    within = np.arange(width) < sizes[:, None]
    return characters[within].astype(np.uint8).tobytes(), offsets, np.zeros(n, np.uint8)


def _from_polars_texts(series: PolarsSeries) -> Texts:
    missing = series.is_null().to_numpy().astype(np.uint8)
    present = series.fill_null("")
    offsets = np.zeros(len(series) + 1, np.int64)
    np.cumsum(present.str.len_bytes().to_numpy(), out=offsets[1:])
    if offsets[-1] >= _MOST_JOINED:
        return encoded_texts(cast("list[str]", present.to_list()))[0], offsets, missing
    return str(present.str.join("").item()).encode(), offsets, missing


def _texts(values: list[str | None], name: str) -> Texts:
    missing = np.zeros(len(values), np.uint8)
    if None in values:
        missing = np.fromiter((value is None for value in values), np.uint8, len(values))
        values = [value or "" for value in values]
    try:
        data, offsets = encoded_texts(cast("list[str]", values))
    except UnicodeEncodeError as error:
        raise ArgumentError(f"column {name!r} holds text that is not Unicode: {error}") from None
    return data, offsets, missing


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
