"""One table as each library holds it, in ways that differ inside: types, slices, chunks."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

NUMBERS = {
    "float64": pl.Float64,
    "float32": pl.Float32,
    "int8": pl.Int8,
    "int16": pl.Int16,
    "int32": pl.Int32,
    "int64": pl.Int64,
    "uint8": pl.UInt8,
    "uint16": pl.UInt16,
    "uint32": pl.UInt32,
    "uint64": pl.UInt64,
    "bool": pl.Boolean,
}


@dataclass(frozen=True)
class Column:
    """Values with None where missing; of a NumPy dtype, or "text"."""

    name: str
    kind: str
    values: list


def as_lists(columns: list[Column], _choices: random.Random) -> dict:
    return {column.name: column.values for column in columns}


def as_arrays(columns: list[Column], choices: random.Random) -> dict:
    return {column.name: _array(column, choices) for column in columns}


def as_pandas(columns: list[Column], choices: random.Random) -> pd.DataFrame:
    frame = pd.DataFrame({column.name: _pandas(column, choices) for column in columns})
    padded = pd.concat([frame[:1], frame, frame[:2]], ignore_index=True)
    return padded[1 : len(frame) + 1] if choices.random() < 0.5 else frame


def as_polars(columns: list[Column], choices: random.Random) -> pl.DataFrame:
    frame = pl.DataFrame([_polars(column, choices) for column in columns])
    if choices.random() < 0.5:
        frame = pl.concat([frame[:1], frame, frame[:3]])[1 : frame.height + 1]
    if choices.random() < 0.5:
        cut = choices.randint(0, frame.height)
        frame = pl.concat([frame[:cut], frame[cut:]], rechunk=False)
    return frame


def as_arrow(columns: list[Column], choices: random.Random) -> object:
    arrays = {column.name: _arrow(column, choices) for column in columns}
    table = pa.table(arrays)
    if choices.random() < 0.5:
        table = pa.concat_tables([table.slice(0, 2), table])[min(2, table.num_rows) :]
    if choices.random() < 0.5:
        cut = choices.randint(0, table.num_rows)
        table = pa.concat_tables([table[:cut], table[cut:]])
    if choices.random() < 0.3:
        return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    if choices.random() < 0.3:
        return table.combine_chunks().to_batches()[0] if table.num_rows else table
    return table


def as_struct_array(columns: list[Column], choices: random.Random) -> pa.StructArray:
    """Behind `__arrow_c_array__`; an offset of its own lies on top of those of its fields."""
    arrays = [_arrow(column, choices) for column in columns]
    if choices.random() < 0.5 and arrays and len(arrays[0]):
        arrays = [pa.concat_arrays([array[:1], array]) for array in arrays]
        return pa.StructArray.from_arrays(arrays, names=[c.name for c in columns])[1:]
    return pa.StructArray.from_arrays(arrays, names=[column.name for column in columns])


REPRESENTATIONS = {
    "lists": as_lists,
    "arrays": as_arrays,
    "pandas": as_pandas,
    "polars": as_polars,
    "arrow": as_arrow,
    "struct array": as_struct_array,
}


def _shuffled(values: list, choices: random.Random) -> list:
    found = list({value: None for value in values if value is not None})
    found.append("never there" if any(isinstance(value, str) for value in found) else 77)
    choices.shuffle(found)
    return list(dict.fromkeys(found))


def _array(column: Column, choices: random.Random) -> object:
    if column.kind == "text" or None in column.values:
        if column.kind == "float64":
            return np.array([np.nan if v is None else v for v in column.values], dtype=np.float64)
        return np.array(column.values, dtype=object)
    array = np.array(column.values, dtype=column.kind)
    if choices.random() < 0.3:
        return np.repeat(array, 2)[::2]
    return array[::-1].copy()[::-1] if choices.random() < 0.3 else array


def _pandas(column: Column, choices: random.Random) -> pd.Series:
    values = column.values
    if column.kind == "text":
        way = choices.choice(["object", "str", "category", "string"])
        if way == "category":
            return pd.Series(pd.Categorical(values, categories=_shuffled(values, choices)))
        return pd.Series(values, dtype=way)
    if None in values:
        if column.kind.startswith("float"):
            return pd.Series([np.nan if v is None else v for v in values], dtype=column.kind)
        masked = "boolean" if column.kind == "bool" else column.kind.replace("ui", "UI")
        return pd.Series(values, dtype=choices.choice([masked.replace("int", "Int"), "object"]))
    return pd.Series(values, dtype=column.kind)


def _polars(column: Column, choices: random.Random) -> pl.Series:
    if column.kind != "text":
        return pl.Series(column.name, column.values, dtype=NUMBERS[column.kind])
    enum = pl.Enum(_shuffled([*column.values, "other"], choices))
    dtype = choices.choice([pl.String, pl.Categorical, enum])
    return pl.Series(column.name, column.values, dtype=dtype)


def _arrow(column: Column, choices: random.Random) -> pa.Array:
    if column.kind != "text":
        kind = "bool_" if column.kind == "bool" else column.kind
        return pa.array(column.values, type=getattr(pa, kind)())
    text = choices.choice([pa.string(), pa.large_string(), pa.string_view()])
    if choices.random() < 0.5 or pa.types.is_string_view(text):
        return pa.array(column.values, type=text)
    index = choices.choice(["int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"])
    entries = _shuffled([*column.values, "other"], choices)
    places = [None if value is None else entries.index(value) for value in column.values]
    return pa.DictionaryArray.from_arrays(
        pa.array(places, type=getattr(pa, index)()), pa.array(entries, type=text)
    )
