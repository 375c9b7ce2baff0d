"""Files of scores written a chunk at a time; complete, or not there."""

from __future__ import annotations

import csv
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from shortlist.errors import StorageError
from shortlist.models.forest import Scores

__all__ = ["CsvOutput", "NpyOutput", "Output", "replacing", "score_names"]


class Output(Protocol):
    """A file that is open for writing."""

    def write(self, scores: Scores, kept: Any) -> None:
        """Add the scores of a chunk, and its record batch of columns to copy, which may be None."""

    def finish(self) -> None:
        """Write what the format has at its end."""


def score_names(n_outputs: int) -> list[str]:
    """Return the names of a file's columns of scores."""
    return ["score"] if n_outputs == 1 else [f"score_{i}" for i in range(n_outputs)]


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when all went well, and is removed otherwise.

    Raises
    ------
    StorageError
        It cannot be written there.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    if path.is_dir():
        raise StorageError(f"{path}: is a folder")
    try:
        file = draft.open("xb")
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


class NpyOutput:
    """NumPy's format: shape (n,), or (n, n_outputs) with several outputs."""

    def __init__(self, file: BinaryIO, dtype: np.dtype[Any], n_outputs: int) -> None:
        self._file = file
        self._dtype = dtype
        self._tail = () if n_outputs == 1 else (n_outputs,)
        self._n_rows = 0
        self._header_bytes = self._write_header()

    def write(self, scores: Scores, kept: Any) -> None:
        """Add rows; columns to copy have no place here, and there are none."""
        if kept is not None:
            raise TypeError("a .npy file holds scores alone")
        self._n_rows += len(scores)
        self._file.write(np.ascontiguousarray(scores, self._dtype).data)

    def finish(self) -> None:
        """Write the number of rows, for which the header has room."""
        self._file.seek(0)
        if self._write_header() != self._header_bytes:
            raise StorageError("the header of the .npy file has another size than before")

    def _write_header(self) -> int:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._n_rows, *self._tail),
        }
        np.lib.format.write_array_header_1_0(self._file, header)
        return self._file.tell()


class CsvOutput:
    """CSV in UTF-8, names in the first line; numbers as short as they can be read back exactly."""

    def __init__(self, file: BinaryIO, kept_schema: Any, n_outputs: int) -> None:
        kept_names = [] if kept_schema is None else kept_schema.names
        self._writer = csv.writer(_Utf8(file), lineterminator="\n")
        self._writer.writerow([*kept_names, *score_names(n_outputs)])

    def write(self, scores: Scores, kept: Any) -> None:
        """Add rows."""
        columns = [] if kept is None else _texts_of(kept)
        for column in scores.reshape(len(scores), -1).T:
            # float32 has shorter texts of its own.
            plain = column if column.dtype == np.float64 else column.astype("U")
            columns.append(plain.tolist())
        self._writer.writerows(zip(*columns, strict=True))

    def finish(self) -> None:
        """Nothing is left to write."""


class _Utf8:
    """Takes texts for a file of bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


def _texts_of(kept: Any) -> list[list[str | None]]:
    """Cells of a record batch as Arrow writes them as texts."""
    return [column.cast("string").to_pylist() for column in kept.columns]
