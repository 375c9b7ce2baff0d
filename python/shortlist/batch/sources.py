"""Files of rows read a chunk at a time: what a source is, and NumPy's files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from shortlist.errors import ArgumentError, FormatError
from shortlist.models.inputs import ModelInputs

__all__ = ["Chunk", "NpySource", "Source"]


@dataclass(frozen=True)
class Chunk:
    """Rows for the model; `kept` is a record batch of columns to copy, None where there are none.

    ``done`` is the part of the file, from 0 to 1, that was read with this chunk.
    """

    rows: object
    n_rows: int
    kept: object
    done: float


class Source(Protocol):
    """A file that is open for reading."""

    kept_schema: Any
    """Arrow's schema of the columns to copy, None where there are none."""

    def chunks(self, n_rows: int) -> Iterator[Chunk]:
        """Read all rows in order, at most so many at a time."""


class NpySource:
    """A matrix in NumPy's format, mapped a chunk at a time.

    Raises
    ------
    FormatError
        Not a .npy file of numbers with two dimensions.
    ArgumentError
        Another number of columns.
    """

    kept_schema: Any = None

    def __init__(self, path: Path, inputs: ModelInputs) -> None:
        try:
            matrix = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise FormatError(f"{path}: no array in NumPy's format: {error}") from None
        if not isinstance(matrix, np.memmap) or matrix.ndim != 2 or matrix.dtype.kind not in "biuf":
            found = "an archive"
            if isinstance(matrix, np.ndarray):
                found = f"{matrix.dtype} of shape {matrix.shape}"
            raise FormatError(f"{path}: expected a matrix of numbers; found {found}")
        if matrix.shape[1] != inputs.n_features:
            raise ArgumentError(
                f"{path}: {matrix.shape[1]} columns; the model has {inputs.n_features} features"
            )
        self._path = path
        self._shape = matrix.shape
        self._dtype = matrix.dtype
        self._begin = matrix.offset
        self._whole = None if matrix.flags.c_contiguous else matrix

    def chunks(self, n_rows: int) -> Iterator[Chunk]:
        """Map so many rows after another; what was scored is unmapped."""
        total, n_columns = self._shape
        for row in range(0, total, n_rows):
            n = min(n_rows, total - row)
            rows: object
            if self._whole is not None:  # in Fortran's order a chunk is all over the file
                rows = np.ascontiguousarray(self._whole[row : row + n])
            else:
                offset = self._begin + row * n_columns * self._dtype.itemsize
                rows = np.asarray(np.memmap(self._path, self._dtype, "r", offset, (n, n_columns)))
            yield Chunk(rows, n, None, (row + n) / total)
