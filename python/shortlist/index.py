"""Candidate retrieval: the exact best k of a set of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortlist import _core
from shortlist.errors import ArgumentError, NotFoundError

__all__ = ["Index", "Metric", "Neighbors"]

Metric = Literal["ip", "cosine", "l2"]
Ids = NDArray[np.int64] | NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Neighbors:
    """What a search found, best first.

    Attributes
    ----------
    ids : int64 or str, shape (n, k)
        Where fewer than k vectors pass, -1 or the empty string.
    scores : float32, shape (n, k)
        Higher is better; -inf where there is no vector.
    """

    ids: Ids
    scores: NDArray[np.float32]


class Index:
    """Vectors with ids, searched exactly under one metric.

    Scores are higher-is-better for every metric: the inner product, the cosine, or minus the squared
    L2 distance, each in float32 and in one order of additions on every processor.
    """

    def __init__(self, vectors: NDArray[np.float32], ids: Ids, metric: Metric) -> None:
        self._vectors = vectors
        self._ids = ids
        self._metric = metric
        self._core = _core.FlatIndex(vectors, metric)
        self._rows: dict[int | str, int] | None = None

    @classmethod
    def build(
        cls, vectors: ArrayLike, *, ids: ArrayLike | None = None, metric: Metric = "ip"
    ) -> Index:
        """Index vectors for exact search.

        Parameters
        ----------
        vectors : shape (n, dim)
            Finite numbers. A C-contiguous float32 array is used as it is, not copied, and must not
            change afterwards; anything else is converted once.
        ids : n integers or n strings, distinct; the row numbers where omitted.
        metric : "ip", "cosine" or "l2"

        Raises
        ------
        ArgumentError
            For a wrong shape, values that are not finite, ids that repeat or are of another type.
        """
        if metric not in get_args(Metric):
            raise ArgumentError(f"metric: got {metric!r}, expected 'ip', 'cosine' or 'l2'")
        matrix = np.ascontiguousarray(vectors, dtype=np.float32)
        if matrix.ndim != 2 or matrix.shape[1] == 0:
            raise ArgumentError(f"vectors: shape {matrix.shape}, expected (n, dim) with dim >= 1")
        if not np.isfinite(matrix).all():
            row = int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
            raise ArgumentError(f"vectors: row {row} holds a value that is not finite in float32")
        return cls(matrix, _checked_ids(ids, len(matrix)), metric)

    def __len__(self) -> int:
        return len(self._vectors)

    def __repr__(self) -> str:
        return f"Index({len(self)} vectors of {self.dim} dimensions, metric={self._metric!r})"

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return int(self._vectors.shape[1])

    @property
    def metric(self) -> Metric:
        """Name of the metric."""
        return self._metric

    @property
    def ids(self) -> Ids:
        """Ids by row: int64 or str, shape (n,); a view."""
        return self._ids

    @property
    def vectors(self) -> NDArray[np.float32]:
        """Vectors by row, float32, shape (n, dim); a view."""
        return self._vectors

    @property
    def inverse_norms(self) -> NDArray[np.float32]:
        """Under cosine 1 / |vector| by row, 0 for a zero vector; empty under the other metrics."""
        return self._core.inverse_norms

    def search(
        self,
        queries: ArrayLike,
        *,
        k: int,
        mask: NDArray[np.bool_] | None = None,
        exclude: ArrayLike | None = None,
    ) -> Neighbors:
        """Find the best k vectors for each query, exactly; ties go to the lower row.

        Parameters
        ----------
        queries : shape (n, dim) or (dim,)
            C-contiguous float32 is not copied.
        k : 1 or more
        mask : bool, shape (len(self),)
            Only rows where it is true are found.
        exclude : ids that are not to be found; ids the index lacks are passed over.

        Raises
        ------
        ArgumentError
        """
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
            raise ArgumentError(f"k: got {k!r}, expected an integer of 1 or more")
        batch = self._checked_queries(queries)
        rows, scores = self._core.search(batch, int(k), self._allowed(mask, exclude))
        if self._ids.dtype.kind == "U":
            found = np.where(rows >= 0, self._ids[rows], "")
        else:
            found = np.where(rows >= 0, self._ids[rows], -1)
        return Neighbors(found, scores)

    def score(self, queries: ArrayLike, ids: ArrayLike) -> NDArray[np.float32]:
        """Score pairs: query i against the vector of id i, the same float32 value a search gives.

        Parameters
        ----------
        queries : shape (n, dim)
        ids : n ids of the index

        Raises
        ------
        NotFoundError
            For an id the index lacks.
        """
        batch = self._checked_queries(queries)
        rows = [self._row_of(id_) for id_ in np.asarray(ids).tolist()]
        missing = [id_ for id_, row in zip(np.asarray(ids).tolist(), rows, strict=True) if row < 0]
        if missing:
            raise NotFoundError(f"ids: {missing[0]!r} is not in the index")
        return self._core.pair_scores(batch, np.array(rows, dtype=np.uint32))

    def _checked_queries(self, queries: ArrayLike) -> NDArray[np.float32]:
        batch = np.atleast_2d(np.ascontiguousarray(queries, dtype=np.float32))
        if batch.ndim != 2 or batch.shape[1] != self.dim:
            raise ArgumentError(f"queries: shape {batch.shape}, expected (n, {self.dim})")
        if not np.isfinite(batch).all():
            raise ArgumentError("queries: hold a value that is not finite in float32")
        return batch

    def _row_of(self, id_: int | str) -> int:
        if self._rows is None:
            self._rows = {known: row for row, known in enumerate(self._ids.tolist())}
        return self._rows.get(id_, -1)

    def _allowed(
        self, mask: NDArray[np.bool_] | None, exclude: ArrayLike | None
    ) -> NDArray[np.uint64] | None:
        if mask is None and exclude is None:
            return None
        passing = np.ones(len(self), dtype=bool)
        if mask is not None:
            passing = np.array(mask)
            if passing.dtype != np.bool_ or passing.shape != (len(self),):
                raise ArgumentError(
                    f"mask: {passing.dtype} of shape {passing.shape}, "
                    f"expected bool of shape ({len(self)},)"
                )
        if exclude is not None:
            rows = [self._row_of(id_) for id_ in np.asarray(exclude).ravel().tolist()]
            passing[[row for row in rows if row >= 0]] = False
        words = np.zeros((len(self) + 63) // 64 * 8, dtype=np.uint8)
        packed = np.packbits(passing, bitorder="little")
        words[: len(packed)] = packed
        return words.view(np.uint64)


def _checked_ids(ids: ArrayLike | Sequence[str] | None, n: int) -> Ids:
    if ids is None:
        return np.arange(n, dtype=np.int64)
    array = np.asarray(ids)
    if array.shape != (n,):
        raise ArgumentError(f"ids: shape {array.shape}, expected ({n},), one id for each vector")
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array):
        array = array.astype(np.str_)
    if array.dtype.kind not in "iuU":
        raise ArgumentError(f"ids: dtype {array.dtype}, expected integers or strings")
    if array.dtype.kind == "u" and n and array.max() > np.iinfo(np.int64).max:
        raise ArgumentError("ids: an id is beyond int64")
    checked: Ids = array if array.dtype.kind == "U" else array.astype(np.int64)
    values, counts = np.unique(checked, return_counts=True)
    if len(values) != n:
        raise ArgumentError(f"ids: {values[counts > 1][0].item()!r} occurs more than once")
    return checked
