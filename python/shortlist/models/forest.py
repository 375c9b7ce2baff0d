"""A forest of decision trees, scored natively and exactly as the library that trained it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.arguments import checked_integer
from shortlist.errors import ArgumentError
from shortlist.models.compiler import Tensors, compile_ensemble
from shortlist.models.description import read_description
from shortlist.models.importers.ensemble import CategoryName, ImportedEnsemble
from shortlist.models.inputs import ModelInputs, is_frame
from shortlist.models.rows import SparseRows, dense_rows, densified, sparse_rows
from shortlist.models.summary import summary

if TYPE_CHECKING:
    from shortlist.models.estimator import ForestClassifier, ForestRanker, ForestRegressor

__all__ = ["BoundForest", "Forest", "Scores"]

Scores: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
IterationRange: TypeAlias = tuple[int, int]

_MAX_THREADS = 1024
_COSTS = "kernel_costs"  # of the metadata
_MAX_BOUND_ROWS = 2**31


class Forest:
    """A compiled forest; immutable, and safe to use from several threads at once.

    Made by :func:`shortlist.load_model`, or by :meth:`from_compiled`.

    Attributes
    ----------
    feature_names : in the order of the columns of X.
    category_names : feature -> its categories; the position is the number that stands for one.
    classes : labels of a classifier, or None.
    n_features, n_outputs, n_trees, n_rounds : sizes; a round is one boosting iteration.
    default_rounds : how many rounds predictions take unless told.
    best_iteration : the round that early stopping chose, from 0, where the file says so.
    dtype : of predictions: float32 where the library sums in float32 (XGBoost, ONNX), else float64.
    objective, source : as the model names them.
    inputs : how a frame becomes the matrix that is scored.
    """

    def __init__(self, tensors: Mapping[str, NDArray[np.generic]], metadata: Mapping[str, str]):
        self._native = _core.Forest(dict(tensors), metadata.get(_COSTS, ""))
        self._tensors = dict(tensors)
        self._metadata = dict(metadata)
        description = read_description(tensors, self._native.n_features)
        self.feature_names: tuple[str, ...] = description.feature_names
        self.category_names: Mapping[int, tuple[CategoryName, ...]] = description.category_names
        self.hashed_features: tuple[int, ...] = description.hashed_features
        self.classes: tuple[CategoryName, ...] | None = description.classes
        self.best_iteration: int | None = description.best_iteration
        self.n_features: int = self._native.n_features
        self.n_outputs: int = self._native.n_outputs
        self.n_trees: int = self._native.n_trees
        self.n_rounds: int = self._native.n_rounds
        self.default_rounds: int = self._native.default_rounds
        self.dtype: np.dtype[np.float32] | np.dtype[np.float64] = (
            np.dtype(np.float32) if self._native.is_float32 else np.dtype(np.float64)
        )
        self.inputs: ModelInputs = ModelInputs(
            description.feature_names, description.category_names, description.hashed_features
        )
        self.objective: str = metadata.get("objective", "")
        self.source: str = metadata.get("source", "")

    @classmethod
    def from_imported(cls, ensemble: ImportedEnsemble) -> Forest:
        """Compile what an importer has read, and measure which kernel costs least here.

        Raises
        ------
        FormatError, UnsupportedError
        """
        forest = cls(*compile_ensemble(ensemble))
        costs = forest._native.measure(forest._tensors)
        if costs is not None:
            forest._metadata[_COSTS] = costs
        return forest

    @classmethod
    def from_compiled(
        cls, tensors: Mapping[str, NDArray[np.generic]], metadata: Mapping[str, str]
    ) -> Forest:
        """Take the compiled form back in; every index and count in it is checked.

        Raises
        ------
        FormatError, UnsupportedError
        """
        return cls(tensors, metadata)

    def compiled_arrays(self) -> tuple[Tensors, dict[str, str]]:
        """Return the compiled form: tensors by name, and metadata strings.

        csrc/trees/forest_arrays.hpp says what each tensor holds. The arrays are those in use here.
        """
        return dict(self._tensors), dict(self._metadata)

    def predict(
        self,
        X: object,
        *,
        raw_score: bool = False,
        iteration_range: IterationRange | None = None,
        out: Scores | None = None,
        n_threads: int = 1,
    ) -> Scores:
        """Score rows.

        Parameters
        ----------
        X : shape (n, n_features). float32 and float64 in C order are read in place; anything else
            is converted once (integers and booleans to float64). NaN is missing. Values of
            categorical features are the category numbers of training. Or a SciPy CSR matrix, whose
            absent entries are what they are to the training library: missing for XGBoost, else 0.
            Or a frame (pandas, polars, anything of Arrow's PyCapsule interface, a mapping of
            columns): columns are found by name, and categories by value, whichever codes the frame
            gives them.
        raw_score : the sums of leaves, without the objective's transform (and, for LightGBM,
            without the mean that a random forest takes).
        iteration_range : boosting rounds (first, last), last excluded; by default the first
            ``default_rounds``.
        out : of ``dtype``, C order, shape (n,) or (n, n_outputs), filled and returned; apart
            from X.
        n_threads : rows are split among so many threads; the scores do not depend on it.

        Returns
        -------
        Probabilities or expected values, never labels: shape (n,), or (n, n_outputs) with several
        outputs, of ``dtype``.

        Raises
        ------
        ArgumentError
        """
        rows = self._rows(X)
        first, last = self._rounds(iteration_range)
        n_threads = checked_integer(n_threads, "n_threads", least=1, most=_MAX_THREADS)
        if out is None:
            out = np.empty(self._shape(len(rows)), dtype=self.dtype)
        elif not isinstance(out, np.ndarray):
            raise ArgumentError(f"out: expected a NumPy array, got {type(out).__name__}")
        elif not isinstance(rows, SparseRows) and np.may_share_memory(out, rows):
            raise ArgumentError("out: overlaps X")
        if isinstance(rows, SparseRows):
            self._native.predict_sparse(
                rows.indptr, rows.indices, rows.values, first, last, raw_score, out, n_threads
            )
        else:
            self._native.predict(rows, first, last, raw_score, out, n_threads)
        return out

    def leaf_indices(
        self,
        X: object,
        *,
        iteration_range: IterationRange | None = None,
        n_threads: int = 1,
    ) -> NDArray[np.uint32]:
        """Return the leaf that each row reaches in each tree.

        Leaves have the numbers that the training library gives them: LightGBM's ``pred_leaf``,
        XGBoost's ``pred_leaf``, scikit-learn's ``apply``, CatBoost's ``calc_leaf_indexes``.

        Parameters
        ----------
        X, iteration_range, n_threads : as in :meth:`predict`.

        Returns
        -------
        uint32, shape (n, trees of these rounds).

        Raises
        ------
        ArgumentError
        """
        rows = self._rows(X)
        first, last = self._rounds(iteration_range)
        n_threads = checked_integer(n_threads, "n_threads", least=1, most=_MAX_THREADS)
        if isinstance(rows, SparseRows):
            return self._native.leaf_indices_sparse(
                rows.indptr, rows.indices, rows.values, first, last, n_threads
            )
        return self._native.leaf_indices(rows, first, last, n_threads)

    def bind(
        self,
        n_rows: int,
        *,
        dtype: type[np.float32] | type[np.float64] = np.float32,
        raw_score: bool = False,
        iteration_range: IterationRange | None = None,
    ) -> BoundForest:
        """Prepare a call whose input and output stand already, for the least time a call.

        ``bound(rows)`` reads such rows where they are and returns ``bound.out``, which the next
        call overwrites; ``bound()`` reads ``bound.X``. Not for several threads at once: bind one
        for each.

        Parameters
        ----------
        n_rows : rows of a call; their shape is (n_rows, n_features), in C order.
        dtype : of the rows.
        raw_score, iteration_range : as in :meth:`predict`.

        Raises
        ------
        ArgumentError
        """
        n_rows = checked_integer(n_rows, "n_rows", least=1, most=_MAX_BOUND_ROWS)
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ArgumentError(f"dtype: got {dtype!r}, expected float32 or float64")
        first, last = self._rounds(iteration_range)
        X = np.zeros((n_rows, self.n_features), dtype=dtype)
        out = np.zeros(self._shape(n_rows), dtype=self.dtype)
        return _core.BoundForest(self._native, X, out, first, last, raw_score)

    def as_estimator(
        self, *, classes: Sequence[CategoryName] | None = None
    ) -> ForestClassifier | ForestRegressor | ForestRanker:
        """Return this model with the methods that scikit-learn users know.

        Parameters
        ----------
        classes : labels of a classifier, where its file does not have them (LightGBM's and
            XGBoost's, whose labels are else 0, 1, ...).

        Returns
        -------
        By the objective: a classifier with ``classes_``, ``predict`` (labels) and
        ``predict_proba``, or a regressor or ranker with ``predict``.

        Raises
        ------
        ArgumentError
            The number of labels is not the model's.
        """
        from shortlist.models.estimator import as_estimator

        return as_estimator(self, classes)

    def describe(self) -> str:
        """Return a few lines of text about the model, and how it is scored."""
        return summary(self._tensors, self._metadata, self._native.kernels())

    def __repr__(self) -> str:
        return (
            f"<Forest {self.objective!r}: {self.n_trees} trees, {self.n_features} features, "
            f"{self.n_outputs} outputs>"
        )

    def _shape(self, n: int) -> tuple[int, ...]:
        return (n,) if self.n_outputs == 1 else (n, self.n_outputs)

    def _rows(self, X: object) -> NDArray[np.generic] | SparseRows:
        if not isinstance(X, np.ndarray):
            if is_frame(X):
                return self.inputs.matrix(X)
            sparse = sparse_rows(X, self.n_features)
            if sparse is not None and self._native.derives_features:
                return densified(sparse, self.n_features)
            if sparse is not None:
                return sparse
        return dense_rows(X, self.n_features)

    def _rounds(self, iteration_range: IterationRange | None) -> IterationRange:
        if iteration_range is None:
            return 0, self.default_rounds
        if not isinstance(iteration_range, tuple | list) or len(iteration_range) != 2:
            raise ArgumentError(
                f"iteration_range: got {iteration_range!r}, expected (first, last) or None"
            )
        first = checked_integer(iteration_range[0], "iteration_range[0]", least=0)
        last = checked_integer(iteration_range[1], "iteration_range[1]", least=0)
        if not first < last <= self.n_rounds:
            raise ArgumentError(
                f"iteration_range: got ({first}, {last}), expected 0 <= first < last <= "
                f"{self.n_rounds}"
            )
        return first, last


BoundForest: TypeAlias = _core.BoundForest
