"""The rows that a forest scores: matrices as they lie in memory, and SciPy's sparse rows."""

from __future__ import annotations

from typing import NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import ArgumentError

__all__ = ["SparseRows", "dense_rows", "densified", "sparse_rows"]


class SparseRows(NamedTuple):
    """Compressed sparse rows: row i has entries ``indptr[i]`` to ``indptr[i + 1]``."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.generic]

    def __len__(self) -> int:
        return len(self.indptr) - 1


class _Csr(Protocol):
    """What is read of a SciPy matrix or array in CSR form."""

    shape: tuple[int, int]
    indptr: NDArray[np.integer]
    indices: NDArray[np.integer]
    data: NDArray[np.generic]
    has_canonical_format: bool

    def copy(self) -> _Csr: ...
    def sum_duplicates(self) -> None: ...


def dense_rows(X: object, n_features: int) -> NDArray[np.generic]:
    """Return float32 or float64 of shape (n, n_features) in C order, X itself where it is that.

    Raises
    ------
    ArgumentError
        X is no matrix of numbers, or has another width.
    """
    rows = X if isinstance(X, np.ndarray) else _as_array(X)
    if rows.ndim != 2 or rows.shape[1] != n_features:
        raise ArgumentError(f"X: got shape {rows.shape}, expected (n, {n_features})")
    if rows.dtype in (np.float32, np.float64) and rows.flags.carray:
        return rows
    kind = rows.dtype
    if kind.kind not in "biuf":
        raise ArgumentError(f"X: expected numbers, got dtype {kind}")
    narrow = kind.kind == "f" and kind.itemsize <= 4
    return np.require(rows, np.float32 if narrow else np.float64, ["C", "A"])


def sparse_rows(X: object, n_features: int) -> SparseRows | None:
    """Return the rows of a SciPy sparse matrix of any form, or None where X is none.

    Raises
    ------
    ArgumentError
        Not n_features wide, or no numbers.
    """
    form = getattr(X, "format", None)
    if not isinstance(form, str) or not hasattr(X, "tocsr"):
        return None
    csr = cast(_Csr, X if form == "csr" else X.tocsr())
    if len(csr.shape) != 2 or csr.shape[1] != n_features:
        raise ArgumentError(f"X: got shape {csr.shape}, expected (n, {n_features})")
    if not csr.has_canonical_format:
        csr = csr.copy() if csr is X else csr
        csr.sum_duplicates()
    values = csr.data
    if values.dtype not in (np.float32, np.float64):
        if values.dtype.kind not in "biuf":
            raise ArgumentError(f"X: expected numbers, got dtype {values.dtype}")
        values = values.astype(np.float64)
    return SparseRows(
        np.ascontiguousarray(csr.indptr, dtype=np.int64),
        np.ascontiguousarray(csr.indices, dtype=np.int32),
        np.ascontiguousarray(values),
    )


def densified(rows: SparseRows, n_features: int) -> NDArray[np.generic]:
    """Return sparse rows as a matrix whose absent entries are 0.

    Raises
    ------
    ArgumentError
        An entry is in none of the columns.
    """
    if rows.indices.size and not 0 <= rows.indices.min() <= rows.indices.max() < n_features:
        raise ArgumentError(f"X: sparse rows list columns that are not in 0..{n_features - 1}")
    dense = np.zeros((len(rows), n_features), dtype=rows.values.dtype)
    dense[np.repeat(np.arange(len(rows)), np.diff(rows.indptr)), rows.indices] = rows.values
    return dense


def _as_array(X: object) -> NDArray[np.generic]:
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ArgumentError(f"X: expected a matrix of numbers: {error}") from None
