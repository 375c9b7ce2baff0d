"""TreeEnsembleRegressor and TreeEnsembleClassifier of ai.onnx.ml 1 to 3: lists of nodes and leaves.

Source: https://onnx.ai/onnx/operators/, onnxruntime/core/providers/cpu/ml/.
"""

from __future__ import annotations

from array import array
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from shortlist.models.importers.ensemble import CategoryName
from shortlist.models.importers.onnx_attributes import (
    AGGREGATES,
    TRANSFORMS,
    TreeOperator,
    check_length,
    checked_features,
    checked_numbers,
    checked_targets,
    offsets_of,
    tracks_true,
    widened,
)
from shortlist.models.importers.onnx_forest import IntArray, Mode, OnnxForest
from shortlist.models.importers.onnx_graph import Attributes

__all__ = ["read_lists"]

_LEAF = -1
_MODES = {f"BRANCH_{mode.name}".encode(): int(mode) for mode in Mode if mode < Mode.MEMBER}
_MODES[b"LEAF"] = _LEAF
_NODE_LISTS = ("treeids", "nodeids", "featureids", "truenodeids", "falsenodeids")


def read_lists(name: str, attributes: Attributes, dtype: int) -> TreeOperator | None:
    """Read an operator that keeps nodes and weights in lists; see read_operator."""
    classifier = name == "TreeEnsembleClassifier"
    prefix = "class" if classifier else "target"
    numbers = ["base_values", "nodes_values", f"{prefix}_weights"]
    known = {f"nodes_{part}" for part in (*_NODE_LISTS, "modes", "missing_value_tracks_true")}
    known |= {f"{prefix}_{part}" for part in ("ids", "nodeids", "treeids")}
    known |= {*numbers, *(f"{part}_as_tensor" for part in numbers), "post_transform"}
    known |= {"nodes_hitrates", "nodes_hitrates_as_tensor"}  # which scores do not depend on
    known |= {"classlabels_int64s", "classlabels_strings"} if classifier else set()
    known |= set() if classifier else {"n_targets", "aggregate_function"}
    if attributes.names() - known:
        return None
    taken = [_numbers(attributes, part, dtype) for part in numbers]
    base, values, weights = taken
    if base is None or values is None or weights is None:
        return None
    classes = _classes(attributes) if classifier else None
    n_outputs = len(classes) if classes is not None else attributes.integer("n_targets", 0)
    aggregate = "SUM" if classifier else attributes.text("aggregate_function", "SUM")
    transform = attributes.text("post_transform", "NONE")
    if transform not in TRANSFORMS:
        raise attributes.reject("post_transform", f"is {transform!r}, expected one of {TRANSFORMS}")
    if aggregate not in AGGREGATES:
        raise attributes.reject(
            "aggregate_function", f"is {aggregate!r}, expected one of {AGGREGATES}"
        )
    forest = _old_forest(attributes, prefix, values, weights, n_outputs)
    if forest is None:
        return None
    few = classifier and n_outputs <= 2
    if base.size not in ((0, 1, 2) if few else (0, n_outputs)):
        raise attributes.reject("base_values", f"has {base.size} values for {n_outputs} outputs")
    return TreeOperator(
        name=name,
        forest=forest,
        n_outputs=n_outputs,
        transform=transform,
        aggregate=aggregate,
        base=base,
        classes=classes,
        one_class=np.unique(attributes.integers(f"{prefix}_ids")).size == 1,
        any_negative=bool((weights < 0.0).any()),
    )


def _numbers(attributes: Attributes, name: str, dtype: int) -> NDArray[np.float64] | None:
    """Return a list of floats or the tensor that may stand in its place."""
    plain = attributes.floats(name)
    tensor = attributes.tensor(f"{name}_as_tensor")
    if tensor is None:
        return widened(plain)
    if plain.size and tensor.values is not None and tensor.values.size:
        raise attributes.reject(name, f"stands beside {name}_as_tensor, expected one of them")
    if plain.size:
        return widened(plain)
    if tensor.dtype != dtype or tensor.values is None:
        return None
    return widened(tensor.values)


def _classes(attributes: Attributes) -> tuple[CategoryName, ...]:
    integers = attributes.integers("classlabels_int64s")
    try:
        strings = tuple(
            label.decode("utf-8") for label in attributes.strings("classlabels_strings")
        )
    except UnicodeDecodeError:
        raise attributes.reject("classlabels_strings", "is not UTF-8") from None
    if integers.size and strings:
        raise attributes.reject("classlabels_strings", "stands beside classlabels_int64s")
    labels: tuple[CategoryName, ...] = strings or tuple(integers.tolist())
    if not labels:
        raise attributes.reject("classlabels_int64s", "is missing")
    if len(set(labels)) != len(labels):
        twice, _ = Counter(labels).most_common(1)[0]
        raise attributes.reject("classlabels", f"name {twice!r} twice")
    return labels


def _old_forest(
    attributes: Attributes,
    prefix: str,
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    n_outputs: int,
) -> OnnxForest | None:
    lists = {part: attributes.integers(f"nodes_{part}") for part in _NODE_LISTS}
    modes = _old_modes(attributes)
    n = modes.size
    if n == 0:
        raise attributes.reject("nodes_modes", "is empty: there are no trees")
    for part, found in (*lists.items(), ("values", values)):
        check_length(attributes, f"nodes_{part}", found.size, n)
    tree_changes = np.flatnonzero(np.diff(lists["treeids"])) + 1
    first = np.concatenate(([0], tree_changes))
    tree_ids = lists["treeids"][first]
    if np.unique(tree_ids).size != tree_ids.size:
        return None  # nodes of a tree lie apart
    tree = np.repeat(np.arange(first.size), np.diff(np.append(first, n)))
    find = _NodeFinder(attributes, first, lists["nodeids"])

    is_leaf = modes == _LEAF
    inner = np.flatnonzero(~is_leaf)
    place = np.zeros(n, np.int64)  # as a child is written
    place[inner] = np.arange(inner.size)
    place[is_leaf] = ~np.arange(n - inner.size)
    children = [
        place[find(f"nodes_{part}", tree[inner], lists[part][inner])]
        for part in ("truenodeids", "falsenodeids")
    ]
    weight_nodes = _weight_nodes(attributes, prefix, tree_ids, find, weights.size)
    targets = attributes.integers(f"{prefix}_ids")
    check_length(attributes, f"{prefix}_ids", targets.size, weights.size)
    at_leaf = is_leaf[weight_nodes]  # weights of other nodes count nothing
    modes, thresholds = modes[inner], values[inner]
    compared = (modes == Mode.EQ) | (modes == Mode.NEQ)
    return OnnxForest(
        roots=place[first],
        modes=modes,
        features=checked_features(attributes, lists["featureids"][inner]),
        thresholds=checked_numbers(attributes, "nodes_values", thresholds),
        tracks_true=tracks_true(attributes, n)[inner],
        on_true=children[0],
        on_false=children[1],
        member_offsets=offsets_of(compared),
        members=thresholds[compared],
        leaf_ids=lists["nodeids"][is_leaf],
        weight_leaves=~place[weight_nodes[at_leaf]],
        targets=checked_targets(attributes, f"{prefix}_ids", targets, n_outputs)[at_leaf],
        weights=weights[at_leaf],
    )


def _weight_nodes(
    attributes: Attributes, prefix: str, tree_ids: IntArray, find: _NodeFinder, n: int
) -> IntArray:
    """Return the place of the node that each weight is of."""
    nodes = attributes.integers(f"{prefix}_nodeids")
    trees, known = _positions(tree_ids, attributes.integers(f"{prefix}_treeids"))
    check_length(attributes, f"{prefix}_nodeids", nodes.size, n)
    check_length(attributes, f"{prefix}_treeids", trees.size, n)
    if not known.all():
        raise attributes.reject(f"{prefix}_treeids", "names a tree that is not there")
    return find(f"{prefix}_nodeids", trees, nodes)


class _NodeFinder:
    """From tree and node id to a node's place in the lists."""

    def __init__(self, attributes: Attributes, first: IntArray, node_ids: IntArray):
        self._attributes = attributes
        self._first = np.append(first, node_ids.size)
        counted = np.arange(node_ids.size) - np.repeat(first, np.diff(self._first))
        self._counted = np.array_equal(node_ids, counted)  # 0, 1, 2, ... in each tree
        if not self._counted:
            self._sort(node_ids)

    def __call__(self, name: str, trees: IntArray, node_ids: IntArray) -> IntArray:
        if self._counted:
            places = self._first[trees] + node_ids
            known = (node_ids >= 0) & (node_ids < np.diff(self._first)[trees])
        else:
            ranks, known = _positions(self._ids, node_ids)
            keys = trees * self._ids.size + ranks
            at = np.minimum(np.searchsorted(self._keys, keys), self._keys.size - 1)
            known &= self._keys[at] == keys
            places = self._order[at]
        if not known.all():
            wrong = int(known.argmin())
            raise self._attributes.reject(
                name, f"holds node {node_ids[wrong]} of tree {trees[wrong]}, which is not there"
            )
        return places

    def _sort(self, node_ids: IntArray) -> None:
        trees = np.repeat(np.arange(self._first.size - 1), np.diff(self._first))
        self._ids, ranks = np.unique(node_ids, return_inverse=True)
        keys = trees * self._ids.size + ranks
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        again = np.flatnonzero(self._keys[1:] == self._keys[:-1])
        if again.size:
            at = self._order[again[0] + 1]
            raise self._attributes.reject(
                "nodes_nodeids", f"has node {node_ids[at]} of tree {trees[at]} twice"
            )


def _old_modes(attributes: Attributes) -> IntArray:
    codes = array("b")
    for name in attributes.strings("nodes_modes"):
        code = _MODES.get(name)
        if code is None:
            raise attributes.reject(
                "nodes_modes", f"holds {name[:40]!r} at position {len(codes)}, which is no mode"
            )
        codes.append(code)
    return np.frombuffer(codes, np.int8).astype(np.int64)


def _positions(known: IntArray, wanted: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Places of numbers among distinct ones, and whether they are there."""
    order = np.argsort(known, kind="stable")
    places = np.minimum(np.searchsorted(known, wanted, sorter=order), known.size - 1)
    found = order[places]
    return found, known[found] == wanted
