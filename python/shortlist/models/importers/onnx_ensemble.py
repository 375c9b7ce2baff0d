"""TreeEnsemble of ai.onnx.ml 5: nodes and leaves apart, sets, roots by number.

Source: https://onnx.ai/onnx/operators/, onnxruntime/core/providers/cpu/ml/.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
from shortlist.models.importers.onnx_graph import UINT8, Attributes

__all__ = ["read_ensemble"]

_GREATEST_SINGLE, _MOST_SINGLE = 30.0, 30  # of sets that become chains of EQ


def read_ensemble(attributes: Attributes, dtype: int) -> TreeOperator | None:
    """Read a TreeEnsemble; see read_operator."""
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
        check_length(attributes, f"nodes_{part}", found.size, n)
    n_outputs = attributes.integer("n_targets", 0)
    targets = attributes.integers("leaf_targetids")
    check_length(attributes, "leaf_targetids", targets.size, weights.size)
    numbers = modes.values.astype(np.int64)
    if (numbers > Mode.MEMBER).any():
        raise attributes.reject("nodes_modes", f"holds {numbers.max()}, expected 0 to 6")
    children = [_new_children(attributes, side, lists, weights.size) for side in ("true", "false")]
    roots = _new_roots(attributes, lists, children)
    if roots is None:
        return None
    thresholds = checked_numbers(attributes, "nodes_splits", splits, numbers != Mode.MEMBER)
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
            features=checked_features(attributes, lists["featureids"]),
            thresholds=thresholds,
            tracks_true=tracks_true(attributes, n),
            on_true=children[0],
            on_false=children[1],
            member_offsets=offsets,
            members=compared,
            leaf_ids=np.arange(weights.size),
            weight_leaves=np.arange(weights.size),
            targets=checked_targets(attributes, "leaf_targetids", targets, n_outputs),
            weights=weights,
        ),
        n_outputs=n_outputs,
        transform=_choice(attributes, "post_transform", TRANSFORMS, 0),
        aggregate=_choice(attributes, "aggregate_function", AGGREGATES, 1),
        base=np.zeros(0),
    )


def _tensor_numbers(attributes: Attributes, name: str, dtype: int) -> NDArray[np.float64] | None:
    tensor = attributes.tensor(name)
    if tensor is None:
        return np.zeros(0)
    if tensor.dtype != dtype or tensor.values is None:
        return None
    return widened(tensor.values)


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
    offsets = offsets_of(counts)
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
