"""Vectors and ids that a caller gives to an index, checked."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortlist.arguments import check_finite_rows, checked_float32
from shortlist.errors import ArgumentError, FormatError, NotFoundError, StorageError
from shortlist.frames import plain_column
from shortlist.ids import read_ids
from shortlist.index.neighbors import Ids

__all__ = ["checked_ids", "checked_vectors"]

_BLOCK_ROWS = 1 << 14


def checked_vectors(vectors: ArrayLike | os.PathLike[str]) -> NDArray[np.float32]:
    """Finite float32 of shape (n, dim); C-contiguous float32, mapped files too, is not copied."""
    source = _mapped(vectors) if isinstance(vectors, os.PathLike) else vectors
    if isinstance(source, np.ndarray) and source.dtype.kind == "f" and source.ndim == 2:
        matrix = _converted(source)
    else:
        matrix = checked_float32(source, "vectors", expected="numbers of shape (n, dim)")
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ArgumentError(f"vectors: shape {matrix.shape}, expected (n, dim) with dim >= 1")
    for first in range(0, len(matrix), _BLOCK_ROWS):
        check_finite_rows(matrix[first : first + _BLOCK_ROWS], "vectors", first)
    return matrix


def checked_ids(ids: object, n: int) -> Ids:
    """Distinct ids, one for each vector; row numbers where there are none."""
    if ids is None:
        return np.arange(n, dtype=np.int64)
    read = read_ids(plain_column(ids, "ids"), "ids")
    if len(read) != n:
        raise ArgumentError(f"ids: got {len(read)}, expected {n}, one for each vector")
    if isinstance(read, np.ndarray):
        return read
    for row, value in enumerate(read):
        if value.endswith("\0"):  # which arrays of str drop
            raise ArgumentError(f"ids: id {value!r} in row {row} ends in a NUL character")
    return np.array(read, dtype=np.str_)


def _mapped(path: os.PathLike[str]) -> NDArray[Any]:
    """Map a .npy file."""
    try:
        loaded: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise NotFoundError(f"{os.fspath(path)}: no such file") from None
    except OSError as error:
        raise StorageError(f"{os.fspath(path)}: {error.strerror or error}") from error
    except ValueError as error:
        raise FormatError(f"{os.fspath(path)}: {error}") from None
    if not isinstance(loaded, np.ndarray):
        raise FormatError(f"{os.fspath(path)}: expected one array, a .npy file")
    return loaded


def _converted(source: NDArray[Any]) -> NDArray[np.float32]:
    """Convert a block at a time, so that half-precision or mapped input needs no second copy."""
    if source.dtype == np.float32 and source.flags.c_contiguous:
        return source.view(np.ndarray)
    matrix = np.empty(source.shape, dtype=np.float32)
    with np.errstate(over="ignore"):
        for first in range(0, len(source), _BLOCK_ROWS):
            matrix[first : first + _BLOCK_ROWS] = source[first : first + _BLOCK_ROWS]
    return matrix
