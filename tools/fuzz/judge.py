"""What must hold of any input: an error of this package, or the scores of the reference."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from shortlist.errors import ArgumentError, FormatError, UnsupportedError
from shortlist.models import Forest
from shortlist.models.importers.ensemble import ImportedEnsemble
from shortlist.models.load import model_format

from .damaged_tensors import Tensors

__all__ = ["WrongScoresError", "judge_compiled", "judge_file"]

_REFUSALS = (FormatError, UnsupportedError, ArgumentError)
_REFERENCE = Path(__file__).resolve().parents[2] / "tests" / "trees"
_ROWS = 5
_KERNELS = ("walk", "lookup", "bitslice")
_BLOCK_ROWS = 300  # that kernels take at once, where they take many
_MAX_CELLS = 200_000  # of the rows that are scored
_MAX_STEPS = 60_000  # of the reference: rows times splits, about
_SPECIAL = (0.0, -0.0, float("nan"), float("inf"), float("-inf"), -1.0, 0.5, 1e-35, 2.0**31, 1e300)


class WrongScoresError(AssertionError):
    """A promise that an input breaks."""


def judge_file(
    data: bytes, importer: Callable[[bytes], ImportedEnsemble | None], rng: Random
) -> bool:
    """Import, compile and score a file; return whether it was accepted.

    Raises
    ------
    WrongScoresError
        Scores or leaves that are not those of the reference.
    Exception
        Whatever the package lets through.
    """
    model_format(data)
    try:
        ensemble = importer(data)
        if ensemble is None:
            return False
        forest = Forest.from_imported(ensemble)
    except _REFUSALS:
        return False
    if forest.n_features * _ROWS > _MAX_CELLS:
        return True
    X = _rows(forest, ensemble.thresholds, ensemble.categories, rng)
    dense = _scored(forest, X)
    compiled = forest.compiled_arrays()
    for kernel in _KERNELS:
        with _forced(kernel):
            again = Forest.from_compiled(*compiled)
        if not _same_bits(again.predict(X, raw_score=True), dense[0]):
            raise WrongScoresError(f"the compiled form, taken in for {kernel}, gives other scores")
        if not np.array_equal(again.leaf_indices(X), dense[1]):
            raise WrongScoresError(f"the compiled form, taken in for {kernel}, gives other leaves")
    n_splits = len(ensemble.features) + forest.n_trees
    if n_splits * _ROWS <= _MAX_STEPS:
        _compare_with_reference(ensemble, X, *dense)
    return True


def judge_compiled(tensors: Tensors, metadata: Mapping[str, str], rng: Random) -> bool:
    """Take a compiled form in and score rows with every kernel; return whether it was accepted.

    Raises
    ------
    WrongScoresError
        A form that only some kernels refuse.
    Exception
        Whatever the package lets through.
    """
    accepted = [_scored_by(kernel, tensors, metadata, rng) for kernel in _KERNELS]
    if len(set(accepted)) > 1:
        raise WrongScoresError(f"accepted by some kernels of {_KERNELS}: {accepted}")
    return accepted[0]


def _scored_by(kernel: str, tensors: Tensors, metadata: Mapping[str, str], rng: Random) -> bool:
    """Score rows with one kernel, few and many; return whether the form was accepted."""
    try:
        with _forced(kernel):
            forest = Forest.from_compiled(tensors, metadata)
    except _REFUSALS:
        return False
    if forest.n_features * _ROWS > _MAX_CELLS:
        return True
    X = _rows(forest, tensors["thresholds"], tensors["keys"], rng)
    _scored(forest, X)
    _scored(forest, X[:1])
    forest.predict(X, n_threads=2)
    if forest.n_features * _BLOCK_ROWS <= _MAX_CELLS:
        forest.predict(np.resize(X, (_BLOCK_ROWS, forest.n_features)))
    return True


@contextmanager
def _forced(kernel: str) -> Iterator[None]:
    """Let the forests made meanwhile use one kernel."""
    before = os.environ.get("SHORTLIST_TREE_KERNEL")
    os.environ["SHORTLIST_TREE_KERNEL"] = kernel
    try:
        yield
    finally:
        del os.environ["SHORTLIST_TREE_KERNEL"]
        if before is not None:
            os.environ["SHORTLIST_TREE_KERNEL"] = before


def _rows(
    forest: Forest, thresholds: NDArray[Any], categories: NDArray[Any], rng: Random
) -> NDArray[np.float64]:
    """Return rows of thresholds, categories and special numbers."""
    draw = np.random.default_rng(rng.randrange(2**32))
    some = [draw.choice(array, 40) for array in (thresholds, categories) if array.size]
    pool = np.concatenate([np.array(_SPECIAL), draw.normal(size=9), np.arange(-1.0, 9.0), *some])
    hashed = 2.0**53 + 2.0 * draw.integers(0, 2**32, 3)
    return draw.choice(np.concatenate((pool, hashed)), (_ROWS, forest.n_features))


def _scored(forest: Forest, X: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.uint32]]:
    """Return raw scores and leaves, after every way to score these rows."""
    with np.errstate(over="ignore"):
        narrow = X.astype(np.float32)
    forest.describe()
    forest.predict(X)
    forest.predict(narrow)
    raw = forest.predict(X, raw_score=True)
    leaves = forest.leaf_indices(X)
    sparse = csr_matrix(X)
    forest.predict(sparse)
    forest.leaf_indices(sparse)
    if forest.n_rounds > 1:
        forest.predict(X, iteration_range=(1, forest.n_rounds))
    forest.predict(csr_matrix(narrow))
    return raw, leaves


def _compare_with_reference(
    ensemble: ImportedEnsemble,
    X: NDArray[np.float64],
    raw: NDArray[Any],
    leaves: NDArray[np.uint32],
) -> None:
    if str(_REFERENCE) not in sys.path:
        sys.path.insert(0, str(_REFERENCE))
    reference = import_module("reference")
    n_rounds = ensemble.default_rounds
    with np.errstate(all="ignore"):
        slow = reference.raw_scores(ensemble, X, None if n_rounds is None else (0, n_rounds))
        reached = reference.reached_leaves(ensemble, X)
    if not _same_bits(raw.reshape(slow.shape), slow):
        raise WrongScoresError(f"scores {raw.ravel()[:8]}, the reference has {slow.ravel()[:8]}")
    if ensemble.leaf_ids is None:
        reached = reached - ensemble.leaf_offsets[:-1]
    else:
        reached = ensemble.leaf_ids[reached]
    if not np.array_equal(leaves, reached.astype(np.uint32)):
        raise WrongScoresError(
            f"leaves {leaves.ravel()[:8]}, the reference has {reached.ravel()[:8]}"
        )


def _same_bits(a: NDArray[Any], b: NDArray[Any]) -> bool:
    same = (a == b) & (np.signbit(a) == np.signbit(b))
    return a.dtype == b.dtype and bool((same | (np.isnan(a) & np.isnan(b))).all())
