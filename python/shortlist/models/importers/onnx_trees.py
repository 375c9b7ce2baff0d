"""ONNX graphs whose scores come from trees into plain arrays, as ONNX Runtime scores them.

Source: https://onnx.ai/onnx/operators/, onnxruntime/core/providers/cpu/ml/.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError
from shortlist.models.importers.ensemble import (
    Aggregate,
    ImportedEnsemble,
    Transform,
    ViewKind,
    as_less_or_equal,
)
from shortlist.models.importers.onnx_attributes import MOST_FEATURES, offsets_of
from shortlist.models.importers.onnx_forest import (
    IntArray,
    Mode,
    OnnxForest,
    cut_to_reachable,
    merge_equalities,
)
from shortlist.models.importers.onnx_graph import FLOAT, Tensor, read_graph
from shortlist.models.importers.onnx_operators import read_operator
from shortlist.models.importers.onnx_path import TreePath, find_tree_path
from shortlist.models.importers.onnx_scores import make_scores

__all__ = ["import_onnx_trees"]


def import_onnx_trees(data: bytes) -> ImportedEnsemble | None:
    """Read an ONNX graph of one tree operator and of nodes that change nothing about its scores.

    Operators are TreeEnsembleRegressor, TreeEnsembleClassifier and TreeEnsemble. Between the
    graph's input and the operator may stand Identity, Cast to float or double, and Concat of one
    tensor; behind it Identity, Cast to float, ZipMap, and Mul, Div, Add and Sub by constants where
    the result is the same bit for bit. What becomes of the labels does not matter.

    Parameters
    ----------
    data : the whole file.

    Returns
    -------
    The trees, whose scores are bit-equal to those of ONNX Runtime on one thread; None for another
    graph, and where it holds what an ensemble cannot say exactly.

    Raises
    ------
    FormatError
        No protobuf, or trees that are inconsistent; the message names node and attribute.
    """
    graph = read_graph(data)
    path = find_tree_path(graph) if graph else None
    if path is None:
        return None
    n_features = _n_features(path)
    operator = read_operator(path.operator.op_type, path.operator.attributes(), path.dtype)
    if n_features is None or operator is None:
        return None
    forest = merge_equalities(operator.forest)
    cut = cut_to_reachable(forest) if forest else None
    if forest is None or cut is None:
        return None
    reachable, trees = cut
    n_features = _checked_width(n_features, forest.features[reachable])

    splits = np.flatnonzero(reachable)
    splits = splits[np.argsort(trees[splits], kind="stable")]
    n_trees = forest.roots.size
    split_offsets = offsets_of(np.bincount(trees[splits], minlength=n_trees))
    place = np.zeros(forest.modes.size, np.int64)
    place[splits] = np.arange(splits.size) - split_offsets[trees[splits]]
    on_true, on_false, leaf_sources, leaf_offsets = _place_children(
        forest, splits, trees[splits], place
    )
    float32 = path.dtype == FLOAT
    scores = make_scores(operator, leaf_sources, leaf_offsets, float32=float32)
    if scores is None:
        return None
    kinds, thresholds, left, right, missing_left = _rules(
        forest, splits, on_true, on_false, float32=float32
    )
    counts, members = _members(forest, splits)
    each_round = scores.tree_outputs is not None and np.array_equal(
        scores.tree_outputs, np.arange(n_trees) % scores.n_outputs
    )
    whole = each_round and n_trees % scores.n_outputs == 0 and not scores.average
    ensemble = ImportedEnsemble(
        source="onnx",
        objective=f"{operator.name} {operator.transform}",
        feature_names=tuple(f"f{i}" for i in range(n_features)),
        n_outputs=scores.n_outputs,
        transform=scores.transform,
        average=scores.average,
        average_raw=scores.average,
        split_offsets=split_offsets,
        leaf_offsets=leaf_offsets,
        features=forest.features[splits],
        kinds=kinds,
        thresholds=thresholds,
        left=left,
        right=right,
        leaf_values=scores.leaf_values,
        category_offsets=offsets_of(counts),
        categories=members,
        missing_left=missing_left,
        round_offsets=None if whole else np.arange(n_trees + 1),
        tree_outputs=None if whole else scores.tree_outputs,
        leaf_ids=forest.leaf_ids[leaf_sources],
        float32=float32,
        float32_input=path.rounded,
        bias=scores.bias,
        aggregate=scores.aggregate,
        classes=operator.classes,
    )
    return _with_steps(ensemble, path)


def _n_features(path: TreePath) -> int | None:
    """Return the width of rows that the graph declares, 0 where it declares none."""
    shape = path.source.shape
    if shape is None:
        return 0
    if len(shape) != 2:
        return None
    if not 0 <= shape[1] <= MOST_FEATURES:
        raise FormatError(
            f"ONNX graph: input {path.source.name!r}: {shape[1]} features, "
            f"expected 1 to {MOST_FEATURES}"
        )
    return shape[1]


def _checked_width(declared: int, features: IntArray) -> int:
    needed = int(features.max(initial=-1)) + 1
    if declared and needed > declared:
        raise FormatError(
            f"ONNX graph: nodes_featureids name feature {needed - 1}, the input has {declared}"
        )
    return declared or max(needed, 1)


def _place_children(
    forest: OnnxForest, splits: IntArray, trees: IntArray, place: IntArray
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Count children within their trees; each way to a leaf gets a leaf of its own.

    Returns
    -------
    True and false children of the splits, the forest's leaf behind each leaf, and the leaves'
    offsets by tree.
    """
    n_trees = forest.roots.size
    children = np.concatenate((forest.on_true[splits], forest.on_false[splits]))
    trees = np.concatenate((trees, trees))
    ways = np.flatnonzero(children < 0)
    lone = np.flatnonzero(forest.roots < 0)
    sources = ~np.concatenate((children[ways], forest.roots[lone]))
    owners = np.concatenate((trees[ways], lone))
    order = np.lexsort((sources, owners))
    offsets = offsets_of(np.bincount(owners, minlength=n_trees))
    numbers = np.empty(order.size, np.int64)
    numbers[order] = np.arange(order.size) - offsets[owners[order]]
    placed = place[np.maximum(children, 0)] if place.size else children
    placed[ways] = ~numbers[: ways.size]
    return placed[: splits.size], placed[splits.size :], sources[order], offsets


def _rules(
    forest: OnnxForest,
    splits: IntArray,
    on_true: IntArray,
    on_false: IntArray,
    *,
    float32: bool,
) -> tuple[IntArray, NDArray[np.float64], IntArray, IntArray, NDArray[np.bool_]]:
    """Rewrite what nodes ask as ``x <= threshold`` or x in a set: kinds, thresholds, children.

    x is NaN or the rule is true, if the node says so of NaN; of itself NaN satisfies NEQ alone.
    """
    modes = forest.modes[splits]
    swapped = np.isin(modes, (Mode.GTE, Mode.GT, Mode.NEQ))  # left is where the rule is false
    left = np.where(swapped, on_false, on_true)
    right = np.where(swapped, on_true, on_false)
    true_of_nan = forest.tracks_true[splits] | (modes == Mode.NEQ)
    nan_left = true_of_nan ^ swapped
    in_set = modes >= Mode.EQ
    thresholds = np.where(in_set, 0.0, forest.thresholds[splits])
    below = (modes == Mode.LT) | (modes == Mode.GTE)
    thresholds[below], left[below], right[below], nan_left[below] = as_less_or_equal(
        thresholds[below], left[below], right[below], nan_left[below], float32=float32
    )
    kinds = np.where(nan_left, ViewKind.NAN_LEFT, ViewKind.NAN_RIGHT)
    kinds = np.where(in_set, ViewKind.VALUE, kinds)
    kinds = np.where(modes == Mode.TRUNCATED_MEMBER, ViewKind.CATEGORY, kinds).astype(np.int64)
    return kinds, thresholds, left, right, nan_left & in_set


def _members(forest: OnnxForest, splits: IntArray) -> tuple[IntArray, NDArray[np.float64]]:
    """Return the sets of the splits: how many members, and the members, none twice in a set."""
    counts = np.diff(forest.member_offsets)
    owner = np.full(counts.size, -1, np.int64)
    owner[splits] = np.arange(splits.size)
    owners = np.repeat(owner, counts)
    members = forest.members[owners >= 0] + 0.0  # no -0
    owners = owners[owners >= 0]
    order = np.lexsort((members, owners))
    owners, members = owners[order], members[order]
    fresh = np.ones(order.size, bool)
    fresh[1:] = (owners[1:] != owners[:-1]) | (members[1:] != members[:-1])
    return np.bincount(owners[fresh], minlength=splits.size), members[fresh]


def _with_steps(ensemble: ImportedEnsemble, path: TreePath) -> ImportedEnsemble | None:
    """Fold what is computed with constants behind the trees, where no bit changes by that."""
    for operator, constant in path.steps:
        number = _one_number(constant, ensemble.n_outputs)
        if number is None:
            return None
        if number == 1.0 and operator in ("Mul", "Div"):
            continue
        if ensemble.transform != Transform.IDENTITY or not ensemble.float32:
            return None
        if ensemble.classes is not None or ensemble.bias is not None:
            return None
        if operator in ("Add", "Sub"):
            signed = number if operator == "Add" else -number
            ensemble = replace(ensemble, bias=np.full(ensemble.n_outputs, signed))
        elif ensemble.sum_scale != 1.0:
            return None
        elif operator == "Mul":
            ensemble = replace(ensemble, sum_scale=number)
        elif (
            number == ensemble.n_trees
            and not ensemble.average
            and ensemble.aggregate == Aggregate.SUM
        ):
            ensemble = replace(
                ensemble,
                average=True,
                average_raw=True,
                round_offsets=np.arange(ensemble.n_trees + 1),
                tree_outputs=_tree_outputs(ensemble),
            )
        else:
            return None
    return ensemble


def _tree_outputs(ensemble: ImportedEnsemble) -> IntArray | None:
    if ensemble.tree_outputs is not None or ensemble.leaf_values.ndim == 2:
        return ensemble.tree_outputs
    return np.arange(ensemble.n_trees) % ensemble.n_outputs


def _one_number(constant: Tensor, n_outputs: int) -> float | None:
    """Return the number of a constant that neither adds columns nor differs between them."""
    values = constant.values
    fits = len(constant.shape) <= 2 and constant.shape[:-1] in ((), (1,))
    if values is None or not fits or values.size not in (1, n_outputs):
        return None
    number = float(values[0])
    if not np.isfinite(number) or (values != values[0]).any():
        return None
    return number
