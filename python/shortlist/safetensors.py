"""Files of named arrays: the safetensors format, written aligned, read with every byte checked.

Format: https://github.com/huggingface/safetensors. Eight bytes with the header's size,
little-endian; a JSON header; the data. Here the data and each tensor in it start at a multiple of
64 bytes: the header ends in spaces, and tensors named ``__pad_0``, ``__pad_1``, ... fill what would
otherwise be gaps, which the format forbids.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist import strict_json
from shortlist.errors import ArgumentError, FormatError, NotFoundError, StorageError

__all__ = ["ALIGNMENT", "MAX_HEADER_BYTES", "Array", "load", "load_descriptor", "loads", "save"]

Array: TypeAlias = NDArray[Any]

ALIGNMENT = 64
MAX_HEADER_BYTES = 8 << 20
_MAX_AXES = 8
_MAX_SIZE = 2**63 - 1
_PAD = re.compile(r"__pad_[0-9]+")
_METADATA = "__metadata__"
_DTYPES: dict[str, np.dtype[Any]] = {
    "U8": np.dtype("u1"),
    "U16": np.dtype("<u2"),
    "U32": np.dtype("<u4"),
    "U64": np.dtype("<u8"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def save(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Array],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays to a file, which appears at once or not at all.

    Parameters
    ----------
    path
        Replaced if it exists; files that are mapped elsewhere keep their old content.
    tensors
        Arrays of dtype uint8, uint16, uint32, uint64, int32, int64, float32 or float64, with up to
        eight axes, written in this order. Copied only where they are not contiguous.
    metadata
        Texts stored in the header.

    Raises
    ------
    ArgumentError
        A name, dtype or number of axes that the format or the reader does not take.
    StorageError
        The file could not be written.
    """
    target = Path(path)
    arrays = {name: _writable(name, array) for name, array in tensors.items()}
    header = _header(arrays, _checked_metadata(metadata or {}))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(header)
            for i, array in enumerate(arrays.values()):
                file.write(array.reshape(-1).view(np.uint8).data)
                if i + 1 < len(arrays):
                    file.write(bytes(_padding(array.nbytes)))
        temporary.replace(target)
    except OSError as error:
        raise StorageError(f"{target}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Map the arrays of a file.

    Parameters
    ----------
    path
        A safetensors file. It must not change while its arrays are in use.

    Returns
    -------
    Arrays by name, read-only views of the mapped file in the order of their bytes, without padding;
    and the header's metadata.

    Raises
    ------
    FormatError
        The file is not safetensors, or has gaps, overlaps, sizes that disagree, duplicate names,
        dtypes other than those `save` takes, or a header above 8 MiB.
    NotFoundError, StorageError
        The file does not exist, or could not be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFoundError(f"{os.fspath(path)}: no such file") from None
    except OSError as error:
        raise StorageError(f"{os.fspath(path)}: {error.strerror}") from error
    try:
        return load_descriptor(descriptor, os.fspath(path))
    finally:
        os.close(descriptor)


def load_descriptor(descriptor: int, where: str) -> tuple[dict[str, Array], dict[str, str]]:
    """Map the arrays of a file that is already open; `where` is what messages call it."""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise StorageError(f"{where}: not a regular file")
        n_bytes = status.st_size
        if n_bytes < 8:
            raise _invalid(where, "shorter than its 8-byte header size")
        mapped = mmap.mmap(descriptor, n_bytes, access=mmap.ACCESS_READ)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{where}: {error.strerror or error}") from error
    return _arrays(mapped, where)


def loads(data: bytes, where: str) -> tuple[dict[str, Array], dict[str, str]]:
    """Take the arrays of a file's bytes, read-only views of them; checked as `load` checks.

    Raises
    ------
    FormatError
    """
    if len(data) < 8:
        raise _invalid(where, "shorter than its 8-byte header size")
    return _arrays(data, where)


def _arrays(data: mmap.mmap | bytes, where: str) -> tuple[dict[str, Array], dict[str, str]]:
    start, entries, metadata = _read_header(data, where)
    arrays = {
        entry.name: np.ndarray(
            entry.shape, dtype=entry.dtype, buffer=data, offset=start + entry.first
        )
        for entry in entries
        if not _PAD.fullmatch(entry.name)
    }
    return arrays, metadata


@dataclass(frozen=True)
class _Entry:
    """One tensor of the header; offsets count from the start of the data."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    first: int
    last: int


def _invalid(where: str, why: str) -> FormatError:
    return FormatError(f"{where}: not a valid safetensors file: {why}")


def _padding(n_bytes: int) -> int:
    return -n_bytes % ALIGNMENT


def _writable(name: str, array: Array) -> Array:
    if not isinstance(name, str) or not name or name == _METADATA or _PAD.fullmatch(name):
        raise ArgumentError(f"tensor name {name!r} is empty or reserved")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise ArgumentError(f"tensor name {name!r} is not valid Unicode") from None
    if not isinstance(array, np.ndarray):
        raise ArgumentError(f"tensor {name!r} is a {type(array).__name__}, expected an array")
    dtype = array.dtype.newbyteorder("<")
    if dtype not in _NAMES:
        expected = ", ".join(known.name for known in _NAMES)
        raise ArgumentError(f"tensor {name!r} has dtype {array.dtype}, expected one of {expected}")
    if array.ndim > _MAX_AXES:
        raise ArgumentError(f"tensor {name!r} has {array.ndim} axes, expected at most {_MAX_AXES}")
    return np.asarray(array, dtype=dtype, order="C")


def _checked_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ArgumentError(f"metadata {key!r}: {value!r}: expected text for text")
    return dict(metadata)


def _header(arrays: Mapping[str, Array], metadata: dict[str, str]) -> bytes:
    entries: dict[str, object] = {_METADATA: metadata} if metadata else {}
    at = n_pads = 0
    for name, array in arrays.items():
        if pad := _padding(at):
            entries[f"__pad_{n_pads}"] = _entry("U8", [pad], at)
            n_pads += 1
            at += pad
        entries[name] = _entry(_NAMES[array.dtype], list(array.shape), at)
        at += array.nbytes
    try:
        text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ArgumentError(f"metadata is not valid Unicode: {error.object!r}") from None
    text += b" " * _padding(8 + len(text))
    if len(text) > MAX_HEADER_BYTES:
        raise ArgumentError(
            f"{len(arrays)} tensors need a header of {len(text)} bytes, expected at most "
            f"{MAX_HEADER_BYTES}"
        )
    return len(text).to_bytes(8, "little") + text


def _entry(dtype: str, shape: list[int], at: int) -> dict[str, object]:
    n_bytes = math.prod(shape) * _DTYPES[dtype].itemsize
    return {"dtype": dtype, "shape": shape, "data_offsets": [at, at + n_bytes]}


def _read_header(data: mmap.mmap | bytes, where: str) -> tuple[int, list[_Entry], dict[str, str]]:
    size = int.from_bytes(data[:8], "little")
    if size > MAX_HEADER_BYTES:
        raise _invalid(where, f"the header claims {size} bytes, at most 8 MiB are taken")
    if size > len(data) - 8:
        raise _invalid(where, f"the header claims {size} bytes, the file is shorter")
    start = 8 + size
    if start % 8:
        raise _invalid(where, "the data does not start at a multiple of 8 bytes")
    header = strict_json.decode(data[8:start], where)
    if not isinstance(header, dict):
        raise _invalid(where, "the header is not an object")
    metadata = _read_metadata(header.pop(_METADATA, {}), where)
    n_bytes = len(data) - start
    entries = [_read_entry(name, entry, n_bytes, where) for name, entry in header.items()]
    entries.sort(key=lambda entry: (entry.first, entry.last))
    covered = 0
    for entry in entries:
        if entry.first != covered:
            raise _invalid(where, f"tensors overlap or leave a gap at byte {covered} of the data")
        covered = entry.last
    if covered != n_bytes:
        raise _invalid(where, "the data goes on after the last tensor, or is cut off")
    return start, entries, metadata


def _read_metadata(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _invalid(where, f'entry "{_METADATA}" is not an object')
    for key, text in value.items():
        if not isinstance(text, str):
            raise _invalid(where, f'metadata "{key}" is not a string')
    return value


def _read_entry(name: str, value: object, n_bytes: int, where: str) -> _Entry:
    what = f'tensor "{name}"'
    if not isinstance(value, dict):
        raise _invalid(where, f'entry "{name}" is not an object')
    dtype_name = value.get("dtype")
    if set(value) != {"dtype", "shape", "data_offsets"} or not isinstance(dtype_name, str):
        raise _invalid(where, f"{what} needs dtype, shape and data_offsets, and nothing else")
    dtype = _DTYPES.get(dtype_name)
    if dtype is None:
        raise _invalid(where, f"{what} has the dtype {dtype_name}, which is not taken")
    shape = _sizes(value["shape"])
    offsets = _sizes(value["data_offsets"])
    if (
        shape is None
        or offsets is None
        or len(offsets) != 2
        or len(shape) > _MAX_AXES
        or math.prod(size or 1 for size in shape) * dtype.itemsize > _MAX_SIZE
    ):
        raise _invalid(where, f"{what} has an invalid shape or data_offsets")
    first, last = offsets
    if first > last or last > n_bytes:
        raise _invalid(where, f"{what} lies outside the data")
    if last - first != math.prod(shape) * dtype.itemsize:
        raise _invalid(where, f"{what} has a shape that does not match its data_offsets")
    if first % dtype.itemsize:
        raise _invalid(where, f"{what} is not aligned to its element size")
    return _Entry(name, dtype, tuple(shape), first, last)


def _sizes(value: object) -> list[int] | None:
    """Non-negative integers below 2^63, or None; true and false are no integers."""
    if not isinstance(value, list) or len(value) > _MAX_AXES:
        return None
    return value if all(type(size) is int and 0 <= size <= _MAX_SIZE for size in value) else None
