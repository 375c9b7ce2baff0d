"""Damage to UBJSON: the decoded tree is changed and written anew, with markers of any width."""

from __future__ import annotations

import struct
from random import Random
from typing import cast

import numpy as np

from shortlist.models.importers.xgboost_numbers import TypedArray
from shortlist.models.importers.xgboost_ubj import read_ubjson

from .damaged_bytes import damage_bytes
from .damaged_json import Json, damage_tree

__all__ = ["damage_ubjson"]

_INTEGERS = (("i", ">b", 7), ("I", ">h", 15), ("l", ">i", 31), ("L", ">q", 63))


def damage_ubjson(data: bytes, other: bytes, rng: Random) -> bytes:
    """Return the document changed in its tree, or as bytes."""
    if rng.random() < 0.35:
        return damage_bytes(data, other, rng, aligned=0.0)
    made = bytearray()
    _write(damage_tree(_plain(read_ubjson(data)), _plain(read_ubjson(other)), rng), made, rng)
    return bytes(made)


def _plain(value: object) -> Json:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, TypedArray):
        return cast(Json, value.values.tolist())
    return cast(Json, value)


def _write(value: Json, made: bytearray, rng: Random, *, typed: bool = True) -> None:
    if value is None:
        made += b"Z"
    elif isinstance(value, bool):
        made += b"T" if value else b"F"
    elif isinstance(value, int):
        _write_integer(value, made, rng)
    elif isinstance(value, float):
        made += b"D" + struct.pack(">d", value)
    elif isinstance(value, str):
        made += b"S"
        _write_text(value, made)
    elif isinstance(value, dict):
        made += b"{"
        for key, item in value.items():
            _write_text(key, made)
            _write(item, made, rng, typed=key != "version" or rng.random() < 0.02)
        made += b"}"
    elif not (typed and _write_typed(value, made, rng)):
        made += b"["
        for item in value:
            _write(item, made, rng)
        made += b"]"


def _write_integer(value: int, made: bytearray, rng: Random) -> None:
    for marker, layout, bits in _INTEGERS:
        if -(1 << bits) <= value < 1 << bits and (bits == 63 or rng.random() < 0.5):
            made += marker.encode() + struct.pack(layout, value)
            return
    _write(float(value) if abs(value) < 1 << 1000 else str(value), made, rng)


def _write_text(text: str, made: bytearray) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    made += b"L" + struct.pack(">q", len(raw)) + raw


def _write_typed(values: list[Json], made: bytearray, rng: Random) -> bool:
    """Write a list of numbers of one kind as a typed array, as XGBoost does; else write nothing."""
    numbers = [value for value in values if isinstance(value, int | float)]
    if not numbers or len(numbers) != len(values) or rng.random() < 0.1:
        return False
    if any(isinstance(value, float) for value in numbers):
        marker, dtype = rng.choice((("d", ">f4"), ("D", ">f8")))
    else:
        marker, dtype = rng.choice((("l", ">i4"), ("L", ">i8")))
    try:
        with np.errstate(all="ignore"):
            raw = np.array(numbers).astype(dtype).tobytes()
    except (OverflowError, ValueError, TypeError):
        return False
    made += b"[$" + marker.encode() + b"#L" + struct.pack(">q", len(numbers)) + raw
    return True
