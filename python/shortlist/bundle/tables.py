"""Tensors of the item and user tables besides ids: filter columns, popularity, vectors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from shortlist.arguments import check_finite_rows, checked_float32
from shortlist.bundle.frame import Column, is_missing
from shortlist.bundle.ids import pack_texts
from shortlist.errors import ArgumentError
from shortlist.safetensors import Array

__all__ = ["filter_tensors", "numbers_of", "popularity_order", "vectors_of"]

_FILTER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_RESERVED = ("and", "or", "not", "in", "true", "false")


def filter_tensors(
    columns: Mapping[str, Column], names: Sequence[str] | None, what: str
) -> dict[str, Array]:
    """Tensors of the columns that filters read.

    Parameters
    ----------
    columns
        The table's columns, in row order.
    names
        Columns to take; None takes every one that holds numbers, texts or lists of texts and has a
        name that a filter can spell.
    what
        What messages call the table.

    Returns
    -------
    ``number.NAME`` (float64, NaN is missing), ``text.NAME.*`` (codes into a dictionary, -1 is
    missing) or ``list.NAME.*`` (codes of all rows one after another, and offsets).

    Raises
    ------
    ArgumentError
        A column of `names` is absent or of another type.
    """
    tensors: dict[str, Array] = {}
    for name in columns if names is None else names:
        if name not in columns:
            raise ArgumentError(f"{what}: filter column {name!r} does not exist")
        if not _FILTER_NAME.fullmatch(name) or name in _RESERVED:
            if names is None:
                continue
            raise ArgumentError(
                f"{what}: filter column {name!r}: expected a name of letters, digits, '_' and '.' "
                f"that is no word of the filter language"
            )
        column = _filter_column(name, columns[name])
        if column is None and names is not None:
            raise ArgumentError(
                f"{what}: filter column {name!r} does not hold numbers, texts or lists of texts"
            )
        tensors.update(column or {})
    return tensors


def popularity_order(popularity: Column | None, n_rows: int) -> NDArray[np.uint32]:
    """Rows by descending popularity, ties and missing values by the lower row; None: in row order.

    Raises
    ------
    ArgumentError
        Not one number a row.
    """
    if popularity is None:
        return np.arange(n_rows, dtype=np.uint32)
    numbers = numbers_of(popularity)
    if numbers is None:
        raise ArgumentError("popularity holds something else than numbers")
    if len(numbers) != n_rows:
        raise ArgumentError(f"popularity has {len(numbers)} numbers, expected {n_rows}")
    return np.argsort(-numbers, kind="stable").astype(np.uint32)  # NaN sorts last


def vectors_of(column: Column, dim: int, what: str) -> NDArray[np.float32]:
    """Vectors as float32 (n, dim), finite.

    Raises
    ------
    ArgumentError
    """
    vectors = checked_float32(column, what, expected=f"one list of {dim} numbers a row")
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        raise ArgumentError(f"{what}: shape {vectors.shape}, expected {(len(column), dim)}")
    check_finite_rows(vectors, what)
    return vectors


def _filter_column(name: str, column: Column) -> dict[str, Array] | None:
    numbers = numbers_of(column)
    if numbers is not None:
        return {f"number.{name}": numbers}
    if isinstance(column, np.ndarray) and (column.ndim != 1 or column.dtype.kind != "U"):
        return None
    values = column.tolist() if isinstance(column, np.ndarray) else column
    present = [value for value in values if not is_missing(value)]
    if all(_is_text(value) for value in present):
        return _text_column(name, values)
    if all(
        isinstance(value, list | tuple | np.ndarray) and all(_is_text(text) for text in value)
        for value in present
    ):
        return _list_column(name, values)
    return None


def numbers_of(column: Column) -> NDArray[np.float64] | None:
    """One float64 a row with NaN for missing values, None where a value is no number."""
    if isinstance(column, np.ndarray):
        one_number_a_row = column.ndim == 1 and column.dtype.kind in "iufb"
        return np.ascontiguousarray(column, dtype=np.float64) if one_number_a_row else None
    if not all(
        value is None or isinstance(value, bool | int | float | np.number | np.bool_)
        for value in column
    ):
        return None
    return np.array([np.nan if value is None else float(value) for value in column])


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _text_column(name: str, values: Sequence[object]) -> dict[str, Array]:
    texts = sorted({value for value in values if isinstance(value, str)})
    code_of: dict[object, int] = {text: code for code, text in enumerate(texts)}
    offsets, data = pack_texts(texts)
    return {
        f"text.{name}.codes": np.array(
            [-1 if is_missing(value) else code_of[value] for value in values], dtype=np.int32
        ),
        f"text.{name}.offsets": offsets,
        f"text.{name}.bytes": data,
    }


def _list_column(name: str, values: Sequence[object]) -> dict[str, Array]:
    lists = [
        [str(text) for text in value] if isinstance(value, Iterable) else [] for value in values
    ]
    texts = sorted({text for entries in lists for text in entries})
    code_of = {text: code for code, text in enumerate(texts)}
    offsets = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum([len(entries) for entries in lists], out=offsets[1:])
    dict_offsets, data = pack_texts(texts)
    return {
        f"list.{name}.offsets": offsets,
        f"list.{name}.codes": np.array(
            [code_of[text] for entries in lists for text in entries], dtype=np.int32
        ),
        f"list.{name}.dict_offsets": dict_offsets,
        f"list.{name}.dict_bytes": data,
    }
