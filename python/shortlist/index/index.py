"""The index: vectors with ids, searched under one metric."""

from __future__ import annotations

import os
from collections.abc import Set
from typing import Any, Literal, TypeGuard, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortlist import _core
from shortlist.arguments import check_finite_rows, checked_flag, checked_float32, checked_integer
from shortlist.errors import ArgumentError, NotFoundError
from shortlist.frames import plain_column
from shortlist.ids import typed_ids
from shortlist.index.building import (
    Built,
    Kind,
    Progress,
    Wanted,
    build_core,
    printed_progress,
    silent_progress,
)
from shortlist.index.files import Stored, Verify, load, save
from shortlist.index.filters import Bitmap, check_filter_name, evaluate, packed
from shortlist.index.neighbors import Ids, Metric, Neighbors
from shortlist.index.recall_curve import EXACT, Plan
from shortlist.index.vectors import checked_ids, checked_vectors

__all__ = ["Index"]


class Index:
    """Vectors with ids, searched under one metric, exactly or at a recall that is asked for.

    Scores are higher-is-better for every metric: the inner product, the cosine, or minus the
    squared L2 distance, each in float32 and in one order of additions on every processor.

    Made by `build`.
    """

    def __init__(
        self, vectors: NDArray[np.float32], ids: Ids, metric: Metric, built: Built, recall: float
    ) -> None:
        self._vectors = vectors
        self._ids = ids
        self._metric = metric
        self._size = len(ids)
        self._built = built
        self._recall = recall
        self._core: _core.VectorIndex = built.core
        self._names = cast(NDArray[np.int64], ids) if ids.dtype.kind == "i" else None
        self._plans: dict[tuple[int, float, bool], Plan] = {}
        self._rows: dict[int | str, int] | None = None
        self._masks: dict[str, NDArray[np.bool_]] = {}
        self._bitmaps: dict[str, Bitmap] = {}

    @classmethod
    def build(
        cls,
        vectors: ArrayLike | os.PathLike[str],
        *,
        ids: ArrayLike | None = None,
        metric: Metric = "ip",
        kind: Kind = "auto",
        recall: float = 0.95,
        k: int = 100,
        n_threads: int = 1,
        progress: bool | Progress = False,
        queries: ArrayLike | None = None,
    ) -> Index:
        """Index vectors.

        Parameters
        ----------
        vectors : shape (n, dim), or the path of a .npy file, which is mapped
            Finite numbers. A C-contiguous float32 array, in memory or mapped, is used as it is, not
            copied, and must not change afterwards; anything else is converted once.
        ids : n integers or n strings, distinct, never one turned into the other; the row numbers
            where omitted.
        metric : "ip", "cosine" or "l2"
        kind : "flat", "ivf" or "auto"
            Scan all vectors by 8-bit codes, always exact; or only those lists around centroids that
            may hold the best. "auto" measures both for this `recall` and `k`; `describe` has why.
        recall : 0 < recall <= 1
            What share of the true best k a search finds on average, unless it asks for another.
        k : the k that recall is measured for, beside 1, 10 and 100.
        n_threads : threads of the build; the index is the same for any number.
        progress : True prints to the standard error; a function gets stage and share done.
        queries : shape (m, dim)
            What will be searched for, to measure recall by. Where omitted, vectors of the index
            itself stand in, which find themselves not counted.

        Raises
        ------
        ArgumentError
            For a wrong shape, values that are not finite, ids that repeat or are of another type.
        FormatError, NotFoundError, StorageError
            For a file that cannot be read.
        """
        if metric not in get_args(Metric):
            raise ArgumentError(f"metric: got {metric!r}, expected 'ip', 'cosine' or 'l2'")
        if kind not in get_args(Kind):
            raise ArgumentError(f"kind: got {kind!r}, expected 'auto', 'flat' or 'ivf'")
        wanted = Wanted(
            kind,
            _checked_recall(recall),
            checked_integer(k, "k", least=1),
            checked_integer(n_threads, "n_threads", least=1, most=256),
        )
        matrix = checked_vectors(vectors)
        names = checked_ids(ids, len(matrix))
        sample = None if queries is None else _checked_rows(queries, matrix.shape[1])
        if sample is not None and not len(sample):
            raise ArgumentError("queries: got none, expected one or more to measure recall by")
        if callable(progress):
            shown = progress
        else:
            shown = printed_progress if checked_flag(progress, "progress") else silent_progress
        built = build_core(matrix, metric, wanted, sample, shown)
        return cls(matrix, names, metric, built, wanted.recall)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, verify: Verify = "full") -> Index:
        """Map an index that `save` wrote; processes share its pages.

        Parameters
        ----------
        path : a file, which must not change while the index is in use
        verify : "full" compares the checksum of everything; "fast" checks sizes, bounds and ids

        Raises
        ------
        FormatError, MismatchError, UnsupportedError, NotFoundError, StorageError
            For a file that is no index, damaged, newer, absent or unreadable; the message names it.
        """
        stored = load(path, verify)
        return cls(stored.vectors, stored.ids, stored.metric, stored.built, stored.recall)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to one file, which appears at once or not at all; filters are left out.

        Raises
        ------
        StorageError
            The file could not be written.
        """
        save(path, Stored(self._vectors, self._ids, self._metric, self._built, self._recall))

    def __len__(self) -> int:
        return len(self._vectors)

    def __repr__(self) -> str:
        return (
            f"Index({len(self)} vectors of {self.dim} dimensions, metric={self._metric!r}, "
            f"kind={self._built.kind!r})"
        )

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return int(self._vectors.shape[1])

    @property
    def metric(self) -> Metric:
        """Name of the metric."""
        return self._metric

    @property
    def kind(self) -> Literal["flat", "ivf"]:
        """Which kind it is: "flat" or "ivf"."""
        return self._built.kind

    @property
    def recall(self) -> float:
        """What a search finds of the true best on average, unless it asks for another share."""
        return 1.0 if self._built.kind == "flat" else self._recall

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

    def serving_tensors(self) -> dict[str, NDArray[Any]]:
        """Give what an engine needs to search as `search` does: vectors, lists, and plans by k."""
        tensors: dict[str, NDArray[Any]] = {"vectors": self._vectors}
        if self._metric == "cosine":
            tensors["inverse_norms"] = self.inverse_norms
        tensors |= self._core.tensors()
        if self._built.curve is not None:
            tensors["plans"] = self._built.curve.plans(self._recall)
        return tensors

    def describe(self) -> str:
        """Tell the kind, why it is that, and the recall curve that was measured."""
        lines = [repr(self), f"kind {self._built.kind}: {self._built.reason}"]
        curve = self._built.curve
        if curve is not None:
            lines[1] += f"; {self._core.n_lists} lists"
            lines.append("     k  recall  effort  us/query")
            for k in sorted({setting.k for setting in curve.settings}):
                for recall in (0.9, 0.95, 0.99):
                    plan, microseconds = curve.plan(k, recall)
                    effort = "exact" if plan.exact else f"{plan.effort:.2f}"
                    lines.append(f"{k:6d}  {recall:6.2f}  {effort:>6}  {microseconds:8.1f}")
            lines.append(f" exact                  {curve.exact_microseconds:8.1f}")
        return "\n".join(lines)

    def define_filter(self, name: str, mask: NDArray[np.bool_]) -> None:
        """Give a mask a name, for the `filter` of searches; one of that name is replaced.

        Parameters
        ----------
        name : letters, digits and underscores; not and, or, not
        mask : bool, shape (len(self),); copied

        Raises
        ------
        ArgumentError
        """
        masks = {**self._masks, check_filter_name(name): self._checked_mask(mask).copy()}
        self._masks, self._bitmaps = masks, {}

    def search(
        self,
        queries: ArrayLike,
        *,
        k: int,
        recall: float | None = None,
        exact: bool = False,
        filter: str | NDArray[np.bool_] | None = None,
        exclude: ArrayLike | Set[int] | Set[str] | None = None,
        rerank: bool = True,
        out: Neighbors | None = None,
        n_threads: int = 1,
    ) -> Neighbors:
        """Find the best k vectors for each query; ties go to the lower row.

        Parameters
        ----------
        queries : shape (n, dim) or (dim,)
            C-contiguous float32 is not copied.
        k : 1 or more; where the index has fewer vectors, the result has a column for each of those
        recall : 0 < recall <= 1
            What share of the true best k to find on average; that of the build where omitted. 1 is
            the exact search. A flat index is always exact.
        exact : True for the proven best k
        filter : bool mask of shape (len(self),), or an expression over names from `define_filter`
            Only rows where it is true are found: ``"in_stock and not (adult or hidden)"``.
        exclude : ids that are not to be found, one or several
            Ids the index lacks are passed over.
        rerank : False leaves out the scoring in float32
            Faster; scores are those of 8-bit codes then, where the result is not exact.
        out : Neighbors with integer ids and the shape of the result, whose arrays are written to
        n_threads : threads that the queries are spread over

        Raises
        ------
        ArgumentError
            For a wrong shape or dtype, queries that are not finite, ids of the other type.
        NotFoundError
            For a filter that is not defined.
        """
        if type(k) is not int or k < 1:
            k = checked_integer(k, "k", least=1)
        k = min(k, self._size)
        batch = queries if _is_plain(queries) else self._checked_queries(queries)
        plan = self._plan(k, recall, exact, rerank)
        words, count = _ALL_ROWS if filter is None else self._bitmap(filter)
        excluded = None if exclude is None else self._rows_of(self._ids_of(exclude, "exclude"))
        out_ids, out_scores = _NOWHERE if out is None else self._output(out)
        found, scores, *_ = self._core.search(
            batch,
            k,
            plan.effort,
            plan.n_candidates,
            plan.rerank,
            plan.n_typical,
            words,
            count,
            excluded,
            self._names,
            out_ids,
            out_scores,
            1 if n_threads == 1 else checked_integer(n_threads, "n_threads", least=1, most=256),
        )
        ids = found if self._names is not None else self._texts(found)
        return Neighbors(ids, scores, self._metric, plan.exact, plan.rerank)

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

    def _output(self, out: Neighbors) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Arrays of the caller that the core can write to; it checks their shape."""
        if self._names is None:
            raise ArgumentError("out: the ids of the index are texts, expected integers")
        if out.ids.dtype != np.int64 or out.scores.dtype != np.float32:
            raise ArgumentError(
                f"out: ids of {out.ids.dtype} and scores of {out.scores.dtype}, "
                "expected int64 and float32"
            )
        return cast(NDArray[np.int64], out.ids), out.scores

    def _plan(self, k: int, recall: float | None, exact: bool, rerank: bool) -> Plan:
        curve = self._built.curve
        if curve is None or exact is True:
            if recall is not None:
                _checked_recall(recall)
            checked_flag(exact, "exact")
            checked_flag(rerank, "rerank")
            return Plan(EXACT, k, True, 0)
        wanted = self._recall if recall is None else recall
        plan = self._plans.get((k, wanted, rerank))
        if plan is None:
            checked_flag(exact, "exact")
            checked_flag(rerank, "rerank")
            plan = curve.plan(k, _checked_recall(wanted), rerank=rerank)[0]
            if len(self._plans) < _MOST_PLANS:
                self._plans[k, wanted, rerank] = plan
        return plan

    def _texts(self, rows: NDArray[np.int64]) -> NDArray[np.str_]:
        if not len(self):
            return np.full(rows.shape, "", dtype=self._ids.dtype.str)
        found = cast(NDArray[np.str_], self._ids[rows])
        found[rows < 0] = ""
        return found

    def _checked_queries(self, queries: ArrayLike) -> NDArray[np.float32]:
        return _checked_rows(queries, self.dim)

    def _checked_mask(self, mask: object) -> NDArray[np.bool_]:
        passing = np.asarray(mask)
        if passing.dtype != np.bool_ or passing.shape != (len(self),):
            raise ArgumentError(
                f"mask: {passing.dtype} of shape {passing.shape}, "
                f"expected bool of shape ({len(self)},)"
            )
        return passing

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

    def _rows_of(self, ids: list[int] | list[str]) -> NDArray[np.uint32]:
        """Rows of those ids that the index has."""
        rows = [self._row_of(id_) for id_ in ids]
        return np.array([row for row in rows if row >= 0], dtype=np.uint32)

    def _bitmap(self, passing: str | NDArray[np.bool_]) -> Bitmap:
        if not isinstance(passing, str):
            return packed(self._checked_mask(passing))
        masks, bitmaps = self._masks, self._bitmaps
        bitmap = bitmaps.get(passing)
        if bitmap is None:
            bitmap = packed(evaluate(passing, masks))
            if len(bitmaps) < _MOST_BITMAPS:
                bitmaps[passing] = bitmap
        return bitmap


#: So many filters' bitmaps, and plans, are remembered.
_MOST_BITMAPS = 256
_MOST_PLANS = 1024

_FLOAT32 = np.dtype(np.float32)
_ALL_ROWS = (None, None)
_NOWHERE = (None, None)


def _is_plain(queries: ArrayLike) -> TypeGuard[NDArray[np.float32]]:
    """Tell whether the core takes queries as they are, and checks their shape and values."""
    return type(queries) is np.ndarray and queries.dtype is _FLOAT32 and queries.flags.c_contiguous


def _checked_recall(recall: object) -> float:
    if isinstance(recall, bool) or not isinstance(recall, int | float | np.floating):
        raise ArgumentError(f"recall: got {recall!r}, expected a number above 0 and up to 1")
    if not 0 < recall <= 1:
        raise ArgumentError(f"recall: got {recall!r}, expected a number above 0 and up to 1")
    return float(recall)


def _checked_rows(queries: ArrayLike, dim: int) -> NDArray[np.float32]:
    batch = np.atleast_2d(
        checked_float32(queries, "queries", expected=f"numbers of shape (n, {dim})")
    )
    if batch.ndim != 2 or batch.shape[1] != dim:
        raise ArgumentError(f"queries: shape {batch.shape}, expected (n, {dim})")
    check_finite_rows(batch, "queries")
    return batch
