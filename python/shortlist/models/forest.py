"""A forest of decision trees, scored natively and exactly as the library that trained it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortlist import _core, strict_json
from shortlist.arguments import checked_integer
from shortlist.errors import ArgumentError, FormatError
from shortlist.models.compile import Tensors, compile_ensemble
from shortlist.models.importers.ensemble import ImportedEnsemble, Transform

__all__ = ["Forest"]

_MAX_THREADS = 1024


class Forest:
    """A compiled forest; immutable, and safe to use from several threads at once.

    Made by :func:`shortlist.load_model`, or by :meth:`from_compiled`.
    """

    def __init__(self, tensors: Mapping[str, NDArray[np.generic]], metadata: Mapping[str, str]):
        self._native = _core.Forest(dict(tensors))
        self._tensors = dict(tensors)
        self._metadata = dict(metadata)
        self.feature_names: tuple[str, ...] = _feature_names(metadata, self._native.n_features)
        self.n_features: int = self._native.n_features
        self.n_outputs: int = self._native.n_outputs
        self.n_trees: int = self._native.n_trees
        self.objective: str = metadata.get("objective", "")
        self.source: str = metadata.get("source", "")

    @classmethod
    def from_imported(cls, ensemble: ImportedEnsemble) -> Forest:
        """Compile what an importer has read.

        Raises
        ------
        FormatError, UnsupportedError
        """
        return cls(*compile_ensemble(ensemble))

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

        csrc/trees/forest.hpp says what each tensor holds. The arrays are those in use here.
        """
        return dict(self._tensors), dict(self._metadata)

    def predict(
        self,
        X: ArrayLike,
        *,
        raw_score: bool = False,
        out: NDArray[np.float64] | None = None,
        n_threads: int = 1,
    ) -> NDArray[np.float64]:
        """Score rows.

        Parameters
        ----------
        X : shape (n, n_features). float32 and float64 in C order are read in place; anything else
            is converted once (integers and booleans to float64). NaN is missing. Values of
            categorical features are the category numbers of training.
        raw_score : the sums of leaves, without the objective's transform (and without the mean
            that a random forest takes), as in LightGBM.
        out : float64, C order, shape (n,) or (n, n_outputs), filled and returned; apart from X.
        n_threads : rows are split among so many threads; the scores do not depend on it.

        Returns
        -------
        float64, shape (n,), or (n, n_outputs) with several outputs.

        Raises
        ------
        ArgumentError
        """
        rows = X if isinstance(X, np.ndarray) else _as_array(X)
        if rows.dtype not in (np.float32, np.float64) or not rows.flags.carray:
            rows = _converted(rows)
        n_threads = checked_integer(n_threads, "n_threads", least=1, most=_MAX_THREADS)
        if out is None:
            n = rows.shape[0] if rows.ndim else 0
            out = np.empty(n if self.n_outputs == 1 else (n, self.n_outputs))
        elif not isinstance(out, np.ndarray):
            raise ArgumentError(f"out: expected a NumPy array, got {type(out).__name__}")
        elif np.may_share_memory(out, rows):
            raise ArgumentError("out: overlaps X")
        self._native.predict(rows, raw_score, out, n_threads)
        return out

    def describe(self) -> str:
        """Return a few lines of text about the model."""
        sizes = np.diff(self._tensors["tree_roots"].astype(np.int64))
        leaves = (sizes + 1) // 2
        header = self._tensors["header"]
        lines = {
            "source": self.source,
            "objective": self.objective,
            "transform": Transform(int(header[3])).name.lower(),
            "trees": f"{self.n_trees:,}",
            "leaves a tree": f"{leaves.min()} to {leaves.max()}, mean {leaves.mean():.1f}",
            "features": f"{self.n_features:,} "
            f"({np.unique(self._tensors['view_features']).size:,} used)",
            "outputs": str(self.n_outputs),
            "thresholds": f"{self._tensors['thresholds'].size:,} distinct",
            "categories": f"{self._tensors['categories'].size:,} distinct",
        }
        return "\n".join(f"{name:<14} {value}" for name, value in lines.items())

    def __repr__(self) -> str:
        return (
            f"<Forest {self.objective!r}: {self.n_trees} trees, {self.n_features} features, "
            f"{self.n_outputs} outputs>"
        )


def _as_array(X: ArrayLike) -> NDArray[np.generic]:
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ArgumentError(f"X: expected a matrix of numbers: {error}") from None


def _converted(rows: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return rows as float32 or float64 in C order, native byte order and aligned."""
    kind = rows.dtype
    if kind.kind not in "biuf":
        raise ArgumentError(f"X: expected numbers, got dtype {kind}")
    narrow = kind.kind == "f" and kind.itemsize <= 4
    return np.require(rows, np.float32 if narrow else np.float64, ["C", "A"])


def _feature_names(metadata: Mapping[str, str], n_features: int) -> tuple[str, ...]:
    text = metadata.get("feature_names", "null")
    names = strict_json.decode(
        text.encode("utf-8", "surrogatepass"), "compiled forest: metadata feature_names"
    )
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FormatError("compiled forest: metadata feature_names is no JSON list of names")
    if len(names) != n_features:
        raise FormatError(
            f"compiled forest: metadata feature_names lists {len(names)} names, "
            f"expected {n_features}"
        )
    return tuple(names)
