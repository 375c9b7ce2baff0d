"""Damage to named arrays: compiled forests, and files of tensors with a header of JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from random import Random
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from shortlist import safetensors

from .damaged_bytes import damage_bytes
from .damaged_json import Json, damage_json, damage_tree
from .interesting import number_bytes

__all__ = ["Tensors", "damage_file", "damage_tensors", "tensor_file"]

Tensors: TypeAlias = dict[str, NDArray[np.generic]]
_DTYPES = {"u1": "U8", "u2": "U16", "u4": "U32", "u8": "U64", "i4": "I32", "i8": "I64"}
_DTYPES |= {"f4": "F32", "f8": "F64"}


def damage_tensors(tensors: Tensors, other: Tensors, rng: Random) -> Tensors:
    """Return the arrays with one to four of them changed."""
    made = dict(tensors)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        filled = [name for name, array in made.items() if array.size]
        # The small arrays decide how the large ones are read.
        name = rng.choice(filled if rng.random() < 0.9 else sorted(made))
        array = made[name]
        if name == "description" and array.size:
            text = bytes(tensors[name])
            made[name] = np.frombuffer(damage_json(text, text, rng), array.dtype)
        elif rng.random() < 0.05 and name in other:
            made[name] = other[name]
        else:
            made[name] = _damaged(array, rng)
    return made


def damage_file(data: bytes, other: bytes, rng: Random) -> bytes:
    """Return a safetensors file damaged in its bytes, its header or its tensors."""
    if rng.random() < 0.2:
        return damage_bytes(data, other, rng)
    if rng.random() < 0.3:
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        return _with_header(damage_tree(header, header, rng), data[8 + size :])
    tensors, metadata = safetensors.loads(data, "corpus")
    donors, _ = safetensors.loads(other, "corpus")
    if rng.random() < 0.05:
        changed = damage_tree(cast(Json, dict(metadata)), cast(Json, dict(metadata)), rng)
        if isinstance(changed, dict):
            metadata = {key: str(value) for key, value in changed.items()}
    return tensor_file(damage_tensors(dict(tensors), dict(donors), rng), metadata)


def tensor_file(tensors: Mapping[str, NDArray[np.generic]], metadata: Mapping[str, str]) -> bytes:
    """Return arrays as the bytes of a safetensors file, without any check of them."""
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    data = bytearray()
    for i, (name, array) in enumerate(tensors.items()):
        gap = -len(data) % safetensors.ALIGNMENT
        if gap:
            header[f"__pad_{i}"] = _entry("U8", (gap,), len(data), gap)
            data += bytes(gap)
        dtype = _DTYPES[array.dtype.str[1:]]
        header[name] = _entry(dtype, array.shape, len(data), array.nbytes)
        data += array.tobytes()
    return _with_header(header, bytes(data))


def _entry(dtype: str, shape: tuple[int, ...], begin: int, size: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, begin + size]}


def _with_header(header: object, data: bytes) -> bytes:
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    text += b" " * ((-8 - len(text)) % safetensors.ALIGNMENT)
    return len(text).to_bytes(8, "little") + text + data


def _damaged(array: NDArray[np.generic], rng: Random) -> NDArray[np.generic]:
    """Return the array, of the same dtype, with other numbers or another size."""
    flat = array.reshape(-1).copy()
    kind = rng.randrange(12)
    if flat.size == 0 or kind == 0:
        number = np.frombuffer(number_bytes(rng, flat.itemsize), flat.dtype)
        at = rng.randrange(flat.size + 1)
        flat = np.concatenate((flat[:at], np.repeat(number, rng.choice((1, 1, 2, 40))), flat[at:]))
    elif kind == 1:
        flat = flat[: rng.randrange(flat.size + 1)]
    elif kind == 2:
        flat = np.delete(flat, rng.randrange(flat.size))
    elif kind <= 4:
        to = rng.randrange(flat.size)
        flat[rng.randrange(flat.size)] = flat[to]
    elif kind == 5:
        octets = flat.view(np.uint8)
        octets[rng.randrange(octets.size)] ^= np.uint8(1 << rng.randrange(8))
    elif kind == 6:
        octets = flat.view(np.uint8)
        octets[rng.randrange(octets.size)] = rng.randrange(256)
    elif kind <= 8 and flat.dtype.kind != "f":
        at = rng.randrange(flat.size)
        near = int(flat[at].item()) + rng.choice((1, -1, 2, -2, 16, -16))
        raw = (near % (1 << 8 * flat.itemsize)).to_bytes(flat.itemsize, "little")
        flat[at : at + 1] = np.frombuffer(raw, flat.dtype)
    else:
        at = rng.randrange(flat.size)
        flat[at : at + 1] = np.frombuffer(number_bytes(rng, flat.itemsize), flat.dtype)
    return flat.reshape(_shape(array.shape, flat.size))


def _shape(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Return the shape that keeps all axes but the first, where that many numbers allow it."""
    width = math.prod(shape[1:])
    return (
        (size // width, *shape[1:]) if len(shape) > 1 and width and size % width == 0 else (size,)
    )
