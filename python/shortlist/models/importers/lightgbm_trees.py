"""LightGBM's trees as arrays, and the ensemble made of them: shared by its text and its JSON.

Follows LightGBM 4 where versions differ: the objective's transform is applied to the mean of a
random forest, and NaN is in no set of categories (up to 3.2 it counted as category 0 where the
split's missing type was not NaN).

Source: LightGBM include/LightGBM/tree.h.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shortlist.models.importers.ensemble import (
    CategoryName,
    ImportedEnsemble,
    LinearLeaves,
    ViewKind,
)
from shortlist.models.importers.lightgbm_objective import Objective

__all__ = [
    "MISSING_NAN",
    "MISSING_NONE",
    "MISSING_ZERO",
    "ModelHeader",
    "Tree",
    "TreeTerms",
    "join_trees",
    "view_kinds",
]

MISSING_NONE, MISSING_ZERO, MISSING_NAN = 0, 1, 2
_ZERO = float(np.float32(1e-35))  # kZeroThreshold

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def _no_integers() -> IntArray:
    return np.zeros(0, dtype=np.int64)


def _no_numbers() -> FloatArray:
    return np.zeros(0)


@dataclass(frozen=True)
class TreeTerms:
    """The linear functions of one tree's leaves; terms stand one leaf after another."""

    constants: FloatArray
    counts: IntArray
    features: IntArray
    coefficients: FloatArray


@dataclass
class Tree:
    """One tree's arrays; categories stand one split after another."""

    leaf_values: FloatArray
    features: IntArray = field(default_factory=_no_integers)
    kinds: IntArray = field(default_factory=_no_integers)
    thresholds: FloatArray = field(default_factory=_no_numbers)
    left: IntArray = field(default_factory=_no_integers)
    right: IntArray = field(default_factory=_no_integers)
    category_counts: IntArray = field(default_factory=_no_integers)
    categories: IntArray = field(default_factory=_no_integers)
    terms: TreeTerms | None = None  # None: leaves are constant


@dataclass(frozen=True)
class ModelHeader:
    """What stands before the trees."""

    feature_names: tuple[str, ...]
    n_outputs: int
    objective: Objective
    average: bool


def view_kinds(
    categorical: NDArray[np.bool_], default_left: NDArray[np.bool_], missing: IntArray
) -> IntArray:
    """Return how each split reads its feature, of the three parts of its decision type."""
    zero = np.where(default_left, ViewKind.ZERO_LEFT, ViewKind.ZERO_RIGHT)
    nan = np.where(default_left, ViewKind.NAN_LEFT, ViewKind.NAN_RIGHT)
    kinds = np.where(missing == MISSING_ZERO, zero, int(ViewKind.NONE))
    kinds = np.where(missing == MISSING_NAN, nan, kinds)
    return np.where(categorical, ViewKind.CATEGORY, kinds).astype(np.int64)


def join_trees(
    header: ModelHeader,
    trees: Sequence[Tree],
    category_names: Mapping[int, tuple[CategoryName, ...]],
) -> ImportedEnsemble:
    """Put trees one after another into an ensemble."""
    category_counts = np.concatenate([tree.category_counts for tree in trees])
    return ImportedEnsemble(
        source="lightgbm",
        objective=header.objective.text,
        feature_names=header.feature_names,
        n_outputs=header.n_outputs,
        transform=header.objective.transform,
        scale=header.objective.scale,
        average=header.average,
        split_offsets=_offsets([len(tree.features) for tree in trees]),
        leaf_offsets=_offsets([len(tree.leaf_values) for tree in trees]),
        features=np.concatenate([tree.features for tree in trees]),
        kinds=np.concatenate([tree.kinds for tree in trees]),
        thresholds=_around_zero(np.concatenate([tree.thresholds for tree in trees])),
        left=np.concatenate([tree.left for tree in trees]),
        right=np.concatenate([tree.right for tree in trees]),
        leaf_values=np.concatenate([tree.leaf_values for tree in trees]),
        category_offsets=_offsets(category_counts),
        categories=np.concatenate([tree.categories for tree in trees]).astype(np.float64),
        linear_leaves=_join_terms(trees),
        category_names=category_names,
    )


def _join_terms(trees: Sequence[Tree]) -> LinearLeaves | None:
    if all(tree.terms is None for tree in trees):
        return None
    terms = [tree.terms or _constant_terms(tree.leaf_values) for tree in trees]
    return LinearLeaves(
        constants=np.concatenate([term.constants for term in terms]),
        offsets=_offsets(np.concatenate([term.counts for term in terms])),
        features=np.concatenate([term.features for term in terms]),
        coefficients=np.concatenate([term.coefficients for term in terms]),
    )


def _constant_terms(leaf_values: FloatArray) -> TreeTerms:
    counts = np.zeros(leaf_values.size, dtype=np.int64)
    return TreeTerms(leaf_values, counts, _no_integers(), _no_numbers())


def _around_zero(thresholds: FloatArray) -> FloatArray:
    """Move thresholds of the band around zero to its ends.

    LightGBM takes |x| <= 1e-35 for 0 before it compares; so it need not be done to x.
    """
    below = (thresholds >= -_ZERO) & (thresholds < 0.0)
    above = (thresholds >= 0.0) & (thresholds <= _ZERO)
    moved = np.where(below, np.nextafter(-_ZERO, -np.inf), thresholds)
    return np.where(above, _ZERO, moved)


def _offsets(counts: list[int] | IntArray) -> IntArray:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
