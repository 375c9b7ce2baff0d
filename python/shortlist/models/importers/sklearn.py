"""Models that :func:`shortlist.export_sklearn` wrote, into plain arrays.

GradientBoosting and forests round rows to float32 and compare with float64 thresholds; NaN goes
where the node says, in GradientBoosting (which refuses NaN) to the right, as its comparison is then
false. HistGradientBoosting compares in float64; a category that training did not see goes where
missing values go.

Source: scikit-learn 1.3 to 1.9, sklearn/tree/_tree.pyx, ensemble/_gradient_boosting.pyx,
ensemble/_forest.py and ensemble/_hist_gradient_boosting/_predictor.pyx.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortlist.models.importers.ensemble import (
    CategoryName,
    ImportedEnsemble,
    Transform,
    ViewKind,
)
from shortlist.models.importers.sklearn_sets import SplitSets, read_sets
from shortlist.models.importers.sklearn_tensors import Exported, read_exported, reject
from shortlist.models.sklearn_format import CLASSIFIERS, FORESTS, HISTOGRAM

__all__ = ["import_sklearn"]


def import_sklearn(data: bytes) -> ImportedEnsemble:
    """Read an exported scikit-learn model.

    Parameters
    ----------
    data : the whole file.

    Raises
    ------
    FormatError
        Truncated, inconsistent, or no such file; the message names the field, and the tree.
    UnsupportedError
        A version, an estimator or a loss that is not known; above 1,000,000 features.
    """
    exported = read_exported(data)
    trees = _read_trees(exported)
    values, n_outputs = _read_values(exported, trees)
    classes = _check_classes(exported, n_outputs)
    transform, scale = _transform(exported, n_outputs)
    forest = exported.estimator in FORESTS
    histogram = exported.estimator in HISTOGRAM
    sets = (
        read_sets(exported, trees.features, trees.nodes) if histogram else SplitSets.none(trees.n)
    )
    left = exported.tensors["missing_left"][trees.nodes] != 0
    numeric = np.where(left, ViewKind.NAN_LEFT, ViewKind.NAN_RIGHT)
    kinds = np.where(sets.kinds >= 0, sets.kinds, numeric).astype(np.int64)
    trees_a_round = 1 if forest else n_outputs
    return ImportedEnsemble(
        source="sklearn",
        objective=f"{exported.estimator} {exported.loss}".rstrip(),
        feature_names=exported.description.feature_names,
        n_outputs=n_outputs,
        transform=transform,
        scale=scale,
        average=forest,
        average_raw=forest,
        split_offsets=trees.split_offsets,
        leaf_offsets=trees.leaf_offsets,
        features=trees.features,
        kinds=kinds,
        thresholds=_thresholds(exported, trees, sets.kinds >= 0),
        left=trees.left,
        right=trees.right,
        leaf_values=values,
        category_offsets=sets.offsets,
        categories=sets.keys,
        missing_left=np.where(sets.kinds >= 0, np.where(sets.has_none, sets.none_left, left), left),
        unknown_left=left,
        known_categories=sets.known,
        round_offsets=np.arange(0, exported.n_trees + 1, trees_a_round),
        leaf_ids=trees.leaf_ids,
        float32_input=not histogram,
        base=exported.tensors["base"].copy(),
        category_names=_category_names(exported),
        classes=classes,
    )


@dataclass(frozen=True)
class _Trees:
    """Structure of all trees; `nodes` are the places of the splits among the nodes."""

    nodes: NDArray[np.int64]
    split_offsets: NDArray[np.int64]
    leaf_offsets: NDArray[np.int64]
    features: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    leaf_ids: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Number of splits."""
        return self.nodes.size


def _read_trees(exported: Exported) -> _Trees:
    tensors = exported.tensors
    bounds = tensors["tree_nodes"]
    n_nodes = tensors["left"].size
    if (
        bounds.size < 2
        or bounds[0] != 0
        or bounds[-1] != n_nodes
        or (bounds[1:] <= bounds[:-1]).any()
    ):
        raise reject("tree_nodes", f"do not ascend from 0 to the number of nodes, {n_nodes}")
    counts = np.diff(bounds)
    tree = np.repeat(np.arange(counts.size), counts)
    left, right = tensors["left"].astype(np.int64), tensors["right"].astype(np.int64)
    leaf = left == -1
    for name, child in (("left", left), ("right", right)):
        wrong = np.where(leaf, child != -1, (child < 0) | (child >= counts[tree]))
        if wrong.any():
            node = int(np.argmax(wrong))
            t = int(tree[node])
            raise reject(
                f"tree {t}: {name}",
                f"of node {node - bounds[t]} is {child[node]}, expected a node from 0 to "
                f"{counts[t] - 1}, or -1 on both sides of a leaf",
            )
    # Place of each node among the splits, or among the leaves, of its tree.
    before = np.where(leaf, np.cumsum(leaf), np.cumsum(~leaf)) - 1
    leaf_offsets = np.concatenate(([0], np.cumsum(leaf)))[bounds]
    split_offsets = bounds - leaf_offsets
    within = before - np.where(leaf, leaf_offsets[tree], split_offsets[tree])
    reference = np.where(leaf, ~within, within)
    nodes = np.flatnonzero(~leaf)
    features = tensors["features"][nodes].astype(np.int64)
    n_features = len(exported.description.feature_names)
    if ((features < 0) | (features >= n_features)).any():
        split = int(np.argmax((features < 0) | (features >= n_features)))
        raise reject(
            f"tree {tree[nodes[split]]}: features",
            f"has {features[split]}, expected 0 to {n_features - 1}",
        )
    start = bounds[:-1][tree[nodes]]
    return _Trees(
        nodes,
        split_offsets,
        leaf_offsets,
        features,
        reference[start + left[nodes]],
        reference[start + right[nodes]],
        np.flatnonzero(leaf) - bounds[:-1][tree[leaf]],
    )


def _read_values(exported: Exported, trees: _Trees) -> tuple[NDArray[np.float64], int]:
    values, base = exported.tensors["values"], exported.tensors["base"]
    n_leaves = trees.leaf_ids.size
    n_outputs = int(base.size)
    shape: tuple[int, ...] = (n_leaves,)
    if exported.estimator in FORESTS:
        shape = (n_leaves,) if n_outputs == 1 else (n_leaves, n_outputs)
    elif n_outputs < 1 or exported.n_trees % n_outputs != 0:
        raise reject("base", f"has {n_outputs} outputs, of which {exported.n_trees} trees are none")
    if values.shape != shape or n_outputs < 1:
        raise reject("values", f"have the shape {values.shape}, expected {shape}, as base has")
    for name, numbers in (("values", values), ("base", base)):
        if not np.isfinite(numbers).all():
            number = numbers.ravel()[int(np.argmin(np.isfinite(numbers).ravel()))]
            raise reject(name, f"hold {number}, expected finite numbers")
    with np.errstate(over="ignore"):
        scaled = values * exported.tensors["learning_rate"]
    if not np.isfinite(scaled).all():
        raise reject("values", "times learning_rate are beyond float64")
    return scaled, n_outputs


def _check_classes(exported: Exported, n_outputs: int) -> tuple[CategoryName, ...] | None:
    classes = exported.description.classes
    if (classes is not None) != (exported.estimator in CLASSIFIERS):
        raise reject("classes", f"are {classes!r} of a {exported.estimator}")
    if classes is None:
        if n_outputs > 1 and exported.estimator not in FORESTS:
            raise reject("base", f"has {n_outputs} outputs, expected 1 of {exported.estimator}")
        return None
    boosted = exported.estimator not in FORESTS
    expected = 2 if boosted and n_outputs == 1 else n_outputs
    if len(classes) != expected or (boosted and n_outputs == 2):
        raise reject("classes", f"are {len(classes)}, expected {expected} for {n_outputs} outputs")
    return classes


def _transform(exported: Exported, n_outputs: int) -> tuple[Transform, float]:
    if exported.loss in ("poisson", "gamma"):
        return Transform.EXPONENTIAL, 1.0
    if exported.loss == "log_loss":
        # NumPy adds a row's numbers in blocks where they stand side by side, which they do not in
        # HistGradientBoosting.
        histogram = exported.estimator in HISTOGRAM
        many = Transform.SOFTMAX if histogram else Transform.SOFTMAX_BY_BLOCKS
        return (Transform.SIGMOID if n_outputs == 1 else many), 1.0
    if exported.loss == "exponential":
        if n_outputs > 1:
            raise reject("base", f"has {n_outputs} outputs, expected 1 with exponential loss")
        return Transform.SIGMOID, 2.0
    return Transform.IDENTITY, 1.0


def _thresholds(
    exported: Exported, trees: _Trees, is_set: NDArray[np.bool_]
) -> NDArray[np.float64]:
    found: NDArray[np.float64] = exported.tensors["thresholds"][trees.nodes]
    thresholds = np.where(is_set, 0.0, found)
    if np.isnan(thresholds).any():
        split = int(np.argmax(np.isnan(thresholds)))
        tree = int(np.searchsorted(trees.split_offsets, split, side="right")) - 1
        raise reject(f"tree {tree}: thresholds", "hold NaN, expected a number")
    return thresholds


def _category_names(exported: Exported) -> dict[int, tuple[Any, ...]]:
    return {
        feature: categories.names
        for feature, categories in exported.description.categories.items()
        if categories.names is not None
    }
