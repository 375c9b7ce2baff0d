"""Attributes of ai.onnx.ml's tree operators: TreeEnsembleRegressor, ...Classifier, TreeEnsemble.

What an operator means is what ONNX Runtime makes of it.

Source: https://onnx.ai/onnx/operators/, onnxruntime/core/providers/cpu/ml/.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shortlist.models.importers.ensemble import CategoryName
from shortlist.models.importers.onnx_forest import IntArray, Mode, OnnxForest
from shortlist.models.importers.onnx_graph import UINT8, Attributes

__all__ = ["MOST_FEATURES", "TREE_OPERATORS", "TreeOperator", "read_operator"]

TREE_OPERATORS = ("TreeEnsembleRegressor", "TreeEnsembleClassifier", "TreeEnsemble")
_TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
_AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")
_LEAF = -1
_MODES = {f"BRANCH_{mode.name}".encode(): int(mode) for mode in Mode if mode < Mode.MEMBER}
_MODES[b"LEAF"] = _LEAF
_NODE_LISTS = ("treeids", "nodeids", "featureids", "truenodeids", "falsenodeids")
MOST_FEATURES = 1 << 20
_GREATEST_SINGLE, _MOST_SINGLE = 30.0, 30  # of sets that become chains of EQ
_LEAST_OUTPUTS = 64  # that a graph may declare without weights for them


@dataclass(frozen=True, kw_only=True)
class TreeOperator:
    """A tree operator's attributes, checked; ``n_outputs`` are targets or classes."""

    name: str
    forest: OnnxForest
    n_outputs: int
    transform: str
    aggregate: str
    base: NDArray[np.float64]  # empty where there is none
    classes: tuple[CategoryName, ...] | None = None  # of a classifier
    # Of all weights, those of leaves that no row reaches too:
    one_class: bool = False  # they are all for the same output
    any_negative: bool = False


def read_operator(name: str, attributes: Attributes, dtype: int) -> TreeOperator | None:
    """Read a tree operator.

    Parameters
    ----------
    name : one of TREE_OPERATORS.
    attributes : of the node.
    dtype : of the operator's input, FLOAT or DOUBLE.

    Returns
    -------
    None where it holds what ONNX Runtime may take, but this importer cannot represent.

    Raises
    ------
    FormatError
        Inconsistent.
    """
    if name == "TreeEnsemble":
        return _read_new(attributes, dtype)
    return _read_old(name, attributes, dtype)


def _read_old(name: str, attributes: Attributes, dtype: int) -> TreeOperator | None:
    classifier = name == "TreeEnsembleClassifier"
    prefix = "class" if classifier else "target"
    numbers = ["base_values", "nodes_hitrates", "nodes_values", f"{prefix}_weights"]
    known = {f"nodes_{part}" for part in (*_NODE_LISTS, "modes", "missing_value_tracks_true")}
    known |= {f"{prefix}_{part}" for part in ("ids", "nodeids", "treeids")}
    known |= {*numbers, *(f"{part}_as_tensor" for part in numbers), "post_transform"}
    known |= {"classlabels_int64s", "classlabels_strings"} if classifier else set()
    known |= set() if classifier else {"n_targets", "aggregate_function"}
    if attributes.names() - known:
        return None
    taken = [_numbers(attributes, part, dtype) for part in numbers]
    base, _, values, weights = taken
    if base is None or values is None or weights is None:
        return None
    classes = _classes(attributes) if classifier else None
    n_outputs = len(classes) if classes is not None else attributes.integer("n_targets", 0)
    aggregate = "SUM" if classifier else attributes.text("aggregate_function", "SUM")
    transform = attributes.text("post_transform", "NONE")
    if transform not in _TRANSFORMS:
        raise attributes.reject(
            "post_transform", f"is {transform!r}, expected one of {_TRANSFORMS}"
        )
    if aggregate not in _AGGREGATES:
        raise attributes.reject(
            "aggregate_function", f"is {aggregate!r}, expected one of {_AGGREGATES}"
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
        return plain.astype(np.float64)
    if plain.size and tensor.values is not None and tensor.values.size:
        raise attributes.reject(name, f"stands beside {name}_as_tensor, expected one of them")
    if plain.size:
        return plain.astype(np.float64)
    if tensor.dtype != dtype or tensor.values is None:
        return None
    return tensor.values.astype(np.float64)


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
        _check_length(attributes, f"nodes_{part}", found.size, n)
    tree_changes = np.flatnonzero(np.diff(lists["treeids"])) + 1
    first = np.concatenate(([0], tree_changes))
    tree_ids = lists["treeids"][first]
    if np.unique(tree_ids).size != tree_ids.size:
        return None  # nodes of a tree lie apart
    tree = np.repeat(np.arange(first.size), np.diff(np.append(first, n)))
    find = _NodeFinder(attributes, tree, lists["nodeids"])

    is_leaf = modes == _LEAF
    inner = np.flatnonzero(~is_leaf)
    place = np.zeros(n, np.int64)  # as a child is written
    place[inner] = np.arange(inner.size)
    place[is_leaf] = ~np.arange(n - inner.size)
    children = [
        place[find(f"nodes_{part}", tree[inner], lists[part][inner])]
        for part in ("truenodeids", "falsenodeids")
    ]
    leaf_trees, known = _positions(tree_ids, attributes.integers(f"{prefix}_treeids"))
    if not known.all():
        raise attributes.reject(f"{prefix}_treeids", "names a tree that is not there")
    targets = attributes.integers(f"{prefix}_ids")
    leaf_nodes = attributes.integers(f"{prefix}_nodeids")
    for part, size in (("ids", targets.size), ("nodeids", leaf_nodes.size)):
        _check_length(attributes, f"{prefix}_{part}", size, weights.size)
    _check_length(attributes, f"{prefix}_treeids", leaf_trees.size, weights.size)
    weight_nodes = find(f"{prefix}_nodeids", leaf_trees, leaf_nodes)
    at_leaf = is_leaf[weight_nodes]  # weights of other nodes count nothing
    modes, thresholds = modes[inner], values[inner]
    compared = (modes == Mode.EQ) | (modes == Mode.NEQ)
    return OnnxForest(
        roots=place[first],
        modes=modes,
        features=_checked_features(attributes, lists["featureids"][inner]),
        thresholds=_checked_numbers(attributes, "nodes_values", thresholds),
        tracks_true=_tracks_true(attributes, n)[inner],
        on_true=children[0],
        on_false=children[1],
        member_offsets=_offsets(compared),
        members=thresholds[compared],
        leaf_ids=lists["nodeids"][is_leaf],
        weight_leaves=~place[weight_nodes[at_leaf]],
        targets=_checked_targets(attributes, f"{prefix}_ids", targets, n_outputs)[at_leaf],
        weights=weights[at_leaf],
    )


class _NodeFinder:
    """From tree and node id to a node's place in the lists."""

    def __init__(self, attributes: Attributes, trees: IntArray, node_ids: IntArray):
        self._attributes = attributes
        self._ids, ranks = np.unique(node_ids, return_inverse=True)
        keys = trees * self._ids.size + ranks
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        again = np.flatnonzero(self._keys[1:] == self._keys[:-1])
        if again.size:
            at = self._order[again[0] + 1]
            raise attributes.reject(
                "nodes_nodeids", f"has node {node_ids[at]} of tree {trees[at]} twice"
            )

    def __call__(self, name: str, trees: IntArray, node_ids: IntArray) -> IntArray:
        ranks, known = _positions(self._ids, node_ids)
        keys = trees * self._ids.size + ranks
        places = np.minimum(np.searchsorted(self._keys, keys), self._keys.size - 1)
        known &= self._keys[places] == keys
        if not known.all():
            at = int(known.argmin())
            raise self._attributes.reject(
                name, f"holds node {node_ids[at]} of tree {trees[at]}, which is not there"
            )
        return self._order[places]


def _read_new(attributes: Attributes, dtype: int) -> TreeOperator | None:
    nodes = ("featureids", "truenodeids", "trueleafs", "falsenodeids", "falseleafs")
    tensors = ("nodes_splits", "leaf_weights", "membership_values", "nodes_hitrates")
    known = {f"nodes_{part}" for part in (*nodes, "modes", "missing_value_tracks_true")}
    known |= {*tensors, "leaf_targetids", "tree_roots", "n_targets", "aggregate_function"}
    if attributes.names() - known - {"post_transform"}:
        return None
    taken = [_tensor_numbers(attributes, name, dtype) for name in tensors]
    splits, weights, members, _ = taken
    modes = attributes.tensor("nodes_modes")
    if splits is None or weights is None or members is None or modes is None:
        return None
    if modes.dtype != UINT8 or modes.values is None:
        return None
    lists = {part: attributes.integers(f"nodes_{part}") for part in nodes}
    n = modes.values.size
    for part, found in (*lists.items(), ("splits", splits)):
        _check_length(attributes, f"nodes_{part}", found.size, n)
    n_outputs = attributes.integer("n_targets", 0)
    targets = attributes.integers("leaf_targetids")
    _check_length(attributes, "leaf_targetids", targets.size, weights.size)
    numbers = modes.values.astype(np.int64)
    if (numbers > Mode.MEMBER).any():
        raise attributes.reject("nodes_modes", f"holds {numbers.max()}, expected 0 to 6")
    children = [_new_children(attributes, side, lists, weights.size) for side in ("true", "false")]
    roots = _new_roots(attributes, lists, children)
    if roots is None:
        return None
    thresholds = _checked_numbers(attributes, "nodes_splits", splits, numbers != Mode.MEMBER)
    compared, offsets = _new_members(attributes, numbers, thresholds, members)
    large = _large_sets(numbers, compared, offsets)
    if large is None:
        return None
    numbers[large] = Mode.TRUNCATED_MEMBER
    return TreeOperator(
        name="TreeEnsemble",
        forest=OnnxForest(
            roots=roots,
            modes=numbers,
            features=_checked_features(attributes, lists["featureids"]),
            thresholds=thresholds,
            tracks_true=_tracks_true(attributes, n),
            on_true=children[0],
            on_false=children[1],
            member_offsets=offsets,
            members=compared,
            leaf_ids=np.arange(weights.size),
            weight_leaves=np.arange(weights.size),
            targets=_checked_targets(attributes, "leaf_targetids", targets, n_outputs),
            weights=weights,
        ),
        n_outputs=n_outputs,
        transform=_choice(attributes, "post_transform", _TRANSFORMS, 0),
        aggregate=_choice(attributes, "aggregate_function", _AGGREGATES, 1),
        base=np.zeros(0),
    )


def _tensor_numbers(attributes: Attributes, name: str, dtype: int) -> NDArray[np.float64] | None:
    tensor = attributes.tensor(name)
    if tensor is None:
        return np.zeros(0)
    if tensor.dtype != dtype or tensor.values is None:
        return None
    return tensor.values.astype(np.float64)


def _choice(attributes: Attributes, name: str, choices: tuple[str, ...], default: int) -> str:
    chosen = attributes.integer(name, default)
    if not 0 <= chosen < len(choices):
        raise attributes.reject(name, f"is {chosen}, expected 0 to {len(choices) - 1}")
    return choices[chosen]


def _new_children(
    attributes: Attributes, side: str, lists: dict[str, IntArray], n_leaves: int
) -> IntArray:
    children, leaf = lists[f"{side}nodeids"], lists[f"{side}leafs"] != 0
    most = np.where(leaf, n_leaves, children.size)
    wrong = np.flatnonzero((children < 0) | (children >= most))
    if wrong.size:
        at = wrong[0]
        raise attributes.reject(
            f"nodes_{side}nodeids",
            f"holds {children[at]} at position {at}, expected 0 to {most[at] - 1}",
        )
    return np.where(leaf, ~children, children)


def _new_roots(
    attributes: Attributes, lists: dict[str, IntArray], children: list[IntArray]
) -> IntArray | None:
    """Return the roots; a root whose children are one and the same leaf is that leaf.

    ONNX Runtime takes the leaf with the root's own number then: None where that is another.
    """
    roots = attributes.integers("tree_roots")
    n = children[0].size
    if roots.size == 0:
        raise attributes.reject("tree_roots", "is empty: there are no trees")
    if (roots < 0).any() or (roots >= n).any():
        raise attributes.reject("tree_roots", f"name a node that is none of 0 to {n - 1}")
    on_true, on_false = children[0][roots], children[1][roots]
    leaf = (on_true < 0) & (on_true == on_false)
    if (leaf & (~on_true != roots)).any():
        return None
    return np.where(leaf, on_true, roots)


def _new_members(
    attributes: Attributes,
    modes: IntArray,
    thresholds: NDArray[np.float64],
    members: NDArray[np.float64],
) -> tuple[NDArray[np.float64], IntArray]:
    """Split the sets, which stand one after another with a NaN between them."""
    sets = np.flatnonzero(modes == Mode.MEMBER)
    ends = np.flatnonzero(np.isnan(members))
    if members.size and not np.isnan(members[-1]):
        ends = np.append(ends, members.size)
    sizes = np.diff(np.concatenate(([-1], ends))) - 1
    if sizes.size != sets.size or (sizes == 0).any():
        raise attributes.reject(
            "membership_values",
            f"has {sizes.size} sets, of which {(sizes == 0).sum()} are empty; "
            f"expected {sets.size} with members",
        )
    single = (modes == Mode.EQ) | (modes == Mode.NEQ)
    counts = single.astype(np.int64)
    counts[sets] = sizes
    offsets = _offsets(counts)
    found = np.zeros(offsets[-1])
    found[offsets[:-1][single]] = thresholds[single]
    in_set = np.repeat(modes == Mode.MEMBER, counts)
    found[in_set] = members[~np.isnan(members)]
    return found, offsets


def _large_sets(
    modes: IntArray, members: NDArray[np.float64], offsets: IntArray
) -> IntArray | None:
    """Return the nodes whose sets ONNX Runtime looks up by int32, not as single comparisons.

    None where it refuses such a set for its members, or would find what is no int32 in it.
    """
    sets = np.flatnonzero(modes == Mode.MEMBER)
    if sets.size == 0:
        return sets
    owners = np.repeat(np.arange(modes.size), np.diff(offsets))
    small = (members >= 0.0) & (members <= _GREATEST_SINGLE)
    n_small = np.bincount(owners[small], minlength=modes.size)[sets]
    sizes = np.diff(offsets)[sets]
    large = sets[(n_small < sizes) | (sizes > _MOST_SINGLE)]
    looked_up = members[np.isin(owners, large)]
    if not ((looked_up >= 0.0) & (looked_up < 2.0**31) & (np.floor(looked_up) == looked_up)).all():
        return None
    return large


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


def _tracks_true(attributes: Attributes, n: int) -> NDArray[np.bool_]:
    tracks = attributes.integers("nodes_missing_value_tracks_true")
    if tracks.size == 0:
        return np.zeros(n, bool)
    _check_length(attributes, "nodes_missing_value_tracks_true", tracks.size, n)
    if ((tracks != 0) & (tracks != 1)).any():
        raise attributes.reject(
            "nodes_missing_value_tracks_true", "holds another number than 0 and 1"
        )
    return np.asarray(tracks == 1)


def _checked_features(attributes: Attributes, features: IntArray) -> IntArray:
    if features.size and not 0 <= features.min() <= features.max() < MOST_FEATURES:
        at = int(((features < 0) | (features >= MOST_FEATURES)).argmax())
        raise attributes.reject(
            "nodes_featureids",
            f"holds {features[at]}, expected 0 to {MOST_FEATURES - 1}",
        )
    return features


def _checked_targets(
    attributes: Attributes, name: str, targets: IntArray, n_outputs: int
) -> IntArray:
    if not 0 < n_outputs <= max(_LEAST_OUTPUTS, targets.size):
        raise attributes.reject(
            "n_targets", f"is {n_outputs}, there are {targets.size} weights of leaves"
        )
    if targets.size and not 0 <= targets.min() <= targets.max() < n_outputs:
        at = int(((targets < 0) | (targets >= n_outputs)).argmax())
        raise attributes.reject(
            name, f"holds {targets[at]} at position {at}, expected 0 to {n_outputs - 1}"
        )
    return targets


def _checked_numbers(
    attributes: Attributes,
    name: str,
    numbers: NDArray[np.float64],
    counts: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    missing = np.isnan(numbers) if counts is None else np.isnan(numbers) & counts
    if missing.any():
        raise attributes.reject(name, "holds nan, expected numbers")
    return numbers if counts is None else np.where(counts, numbers, 0.0)


def _check_length(attributes: Attributes, name: str, size: int, expected: int) -> None:
    if size != expected:
        raise attributes.reject(name, f"has {size} values, expected {expected}")


def _positions(known: IntArray, wanted: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Places of numbers among distinct ones, and whether they are there."""
    order = np.argsort(known, kind="stable")
    places = np.minimum(np.searchsorted(known, wanted, sorter=order), known.size - 1)
    found = order[places]
    return found, known[found] == wanted


def _offsets(counts: NDArray[np.generic]) -> IntArray:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
