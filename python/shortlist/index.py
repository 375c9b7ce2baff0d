"""Candidate retrieval: the exact best k of a set of vectors."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortlist import _core
from shortlist.arguments import check_finite_rows, checked_float32, checked_integer
from shortlist.errors import ArgumentError, NotFoundError
from shortlist.frames import plain_column
from shortlist.ids import read_ids, typed_ids

__all__ = ["Index", "Metric", "Neighbors"]

Metric = Literal["ip", "cosine", "l2"]
Ids = NDArray[np.int64] | NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """What a search found, best first.

    Attributes
    ----------
    ids : int64 or str, shape (n, k), or (n, size of the index) where that is less
        Where fewer than k vectors pass, -1 or the empty string.
    scores : float32, shape (n, k)
        Higher is better; -inf where there is no vector.
    """

    ids: Ids
    scores: NDArray[np.float32]


class Index:
    """Vectors with ids, searched exactly under one metric.

    Scores are higher-is-better for every metric: the inner product, the cosine, or minus the
    squared L2 distance, each in float32 and in one order of additions on every processor.
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
        ids : n integers or n strings, distinct, never one turned into the other; the row numbers
            where omitted.
        metric : "ip", "cosine" or "l2"

        Raises
        ------
        ArgumentError
            For a wrong shape, values that are not finite, ids that repeat or are of another type.
        """
        if metric not in get_args(Metric):
            raise ArgumentError(f"metric: got {metric!r}, expected 'ip', 'cosine' or 'l2'")
        matrix = checked_float32(vectors, "vectors", expected="numbers of shape (n, dim)")
        if matrix.ndim != 2 or matrix.shape[1] == 0:
            raise ArgumentError(f"vectors: shape {matrix.shape}, expected (n, dim) with dim >= 1")
        check_finite_rows(matrix, "vectors")
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
        exclude: ArrayLike | Set[int] | Set[str] | None = None,
    ) -> Neighbors:
        """Find the best k vectors for each query, exactly; ties go to the lower row.

        Parameters
        ----------
        queries : shape (n, dim) or (dim,)
            C-contiguous float32 is not copied.
        k : 1 or more; where the index has fewer vectors, the result has a column for each of those
        mask : bool, shape (len(self),)
            Only rows where it is true are found.
        exclude : ids that are not to be found, one or several; ids the index lacks are passed over.

        Raises
        ------
        ArgumentError
            For a wrong shape or dtype, queries that are not finite, ids of the other type.
        """
        k = min(checked_integer(k, "k", least=1), len(self))
        batch = self._checked_queries(queries)
        rows, scores = self._core.search(batch, k, self._allowed(mask, exclude))
        if self._ids.dtype.kind == "U":
            found: Ids = np.full(rows.shape, "", dtype=self._ids.dtype.str)
        else:
            found = np.full(rows.shape, -1, dtype=np.int64)
        found[rows >= 0] = self._ids[rows[rows >= 0]]
        return Neighbors(found, scores)

    def score(self, queries: ArrayLike, ids: ArrayLike) -> NDArray[np.float32]:
        """Score pairs: query i against the vector of id i, the same float32 value a search gives.

        Parameters
        ----------
        queries : shape (n, dim), or (dim,) for one
        ids : n ids of the index, or one

        Returns
        -------
        float32, shape (n,)

        Raises
        ------
        NotFoundError
            For an id the index lacks.
        ArgumentError
            For another number of ids, and as `search`.
        """
        batch = self._checked_queries(queries)
        wanted = self._ids_of(ids, "ids")
        if len(wanted) != len(batch):
            raise ArgumentError(
                f"ids: got {len(wanted)}, expected {len(batch)}, one for each query"
            )
        rows = [self._row_of(id_) for id_ in wanted]
        if -1 in rows:
            raise NotFoundError(f"ids: {wanted[rows.index(-1)]!r} is not in the index")
        return self._core.pair_scores(batch, np.array(rows, dtype=np.uint32))

    def _checked_queries(self, queries: ArrayLike) -> NDArray[np.float32]:
        expected = f"numbers of shape (n, {self.dim})"
        batch = np.atleast_2d(checked_float32(queries, "queries", expected=expected))
        if batch.ndim != 2 or batch.shape[1] != self.dim:
            raise ArgumentError(f"queries: shape {batch.shape}, expected (n, {self.dim})")
        check_finite_rows(batch, "queries")
        return batch

    def _ids_of(self, ids: object, what: str) -> list[int] | list[str]:
        """Ids that a caller names, of the type that the index has."""
        if isinstance(ids, str | int | np.integer):
            ids = [ids]
        column = plain_column(list(ids) if isinstance(ids, Set) else ids, what)
        named = typed_ids(column, what)
        values = named.tolist() if isinstance(named, np.ndarray) else named
        if values and isinstance(values[0], str) != (self._ids.dtype.kind == "U"):
            kind = "texts" if self._ids.dtype.kind == "U" else "integers"
            raise ArgumentError(f"{what}: got {values[0]!r}, the ids of the index are {kind}")
        return values

    def _row_of(self, id_: int | str) -> int:
        if self._rows is None:
            self._rows = {known: row for row, known in enumerate(self._ids.tolist())}
        return self._rows.get(id_, -1)

    def _allowed(
        self, mask: NDArray[np.bool_] | None, exclude: object
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
            rows = [self._row_of(id_) for id_ in self._ids_of(exclude, "exclude")]
            passing[[row for row in rows if row >= 0]] = False
        words = np.zeros((len(self) + 63) // 64 * 8, dtype=np.uint8)
        packed = np.packbits(passing, bitorder="little")
        words[: len(packed)] = packed
        return words.view(np.uint64)


def _checked_ids(ids: object, n: int) -> Ids:
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
