"""Trees as ONNX writes them, old and new operators alike, before their rules are rewritten."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError

__all__ = ["Mode", "OnnxForest", "cut_to_reachable", "merge_equalities"]

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class Mode(IntEnum):
    """What a node asks of its feature; the values up to MEMBER are those of ai.onnx.ml 5."""

    LEQ = 0
    LT = 1
    GTE = 2
    GT = 3
    EQ = 4
    NEQ = 5
    MEMBER = 6
    TRUNCATED_MEMBER = 7  # x without its fraction is in the set


@dataclass(frozen=True, kw_only=True)
class OnnxForest:
    """Nodes of all trees in one row, without leaves; a child c < 0 is leaf ~c.

    ``members[member_offsets[i]:member_offsets[i + 1]]`` are what node i compares with: its set, or
    the number of EQ and NEQ; nothing for the modes with a threshold. Leaf l gives ``weights[j]`` to
    output ``targets[j]`` for every j where ``weight_leaves[j] == l``.
    """

    roots: IntArray  # (n_trees,)
    modes: IntArray
    features: IntArray
    thresholds: NDArray[np.float64]
    tracks_true: BoolArray
    on_true: IntArray
    on_false: IntArray
    member_offsets: IntArray
    members: NDArray[np.float64]

    leaf_ids: IntArray
    weight_leaves: IntArray
    targets: IntArray
    weights: NDArray[np.float64]


def merge_equalities(forest: OnnxForest) -> OnnxForest | None:
    """Make one set of a chain of EQ nodes that ask the same feature and lead to the same node.

    Returns
    -------
    The forest, or None where two nodes of such a chain treat NaN differently: whether NaN then
    takes the way of the first is up to how ONNX Runtime merges them.
    """
    is_set = (forest.modes == Mode.EQ) | (forest.modes == Mode.MEMBER)
    follower = np.where(is_set, forest.on_false, -1)
    inner = np.flatnonzero(follower >= 0)
    inner = inner[is_set[follower[inner]]]
    inner = inner[forest.features[inner] == forest.features[follower[inner]]]
    if (forest.tracks_true[inner] != forest.tracks_true[follower[inner]]).any():
        return None
    n_parents = _count_parents(forest, np.ones(forest.modes.size, bool))
    links = inner[forest.on_true[inner] == forest.on_true[follower[inner]]]
    links = links[(n_parents[follower[links]] == 1) & ~np.isin(follower[links], forest.roots)]
    if links.size == 0:
        return forest

    before = np.arange(forest.modes.size)
    behind = before.copy()
    before[follower[links]] = links
    behind[links] = follower[links]
    head, tail = _jump(before), _jump(behind)
    changed = forest.modes.copy()
    changed[head[links]] = Mode.MEMBER
    counts = np.diff(forest.member_offsets)
    owner = np.repeat(head, counts)
    order = np.argsort(owner, kind="stable")
    on_true, on_false = forest.on_true.copy(), forest.on_false[tail]
    on_true[follower[links]] = on_false[follower[links]] = -1  # nothing leads there any more
    return replace(
        forest,
        modes=changed,
        on_true=on_true,
        on_false=on_false,
        member_offsets=_offsets(np.bincount(owner, minlength=counts.size)),
        members=forest.members[order],
    )


def cut_to_reachable(forest: OnnxForest) -> tuple[BoolArray, IntArray] | None:
    """Find the nodes that rows can reach.

    Returns
    -------
    Whether a node is one, and its tree; None where two ways lead to the same node.

    Raises
    ------
    FormatError
        A way leads in a circle.
    """
    n = forest.modes.size
    roots = forest.roots[forest.roots >= 0]
    n_parents = _count_parents(forest, np.ones(n, bool))
    simple = (n_parents <= 1).all() and not n_parents[roots].any()
    if not simple:
        alive = _walk(forest)
        if alive is None:
            return None
    else:
        alive = np.ones(n, bool)
    parent = np.arange(n)
    for children in (forest.on_true, forest.on_false):
        inner = np.flatnonzero(alive & (children >= 0))
        parent[children[inner]] = inner
    top = _jump(parent)
    tree_of_root = np.full(n, -1, np.int64)
    tree_of_root[roots] = np.flatnonzero(forest.roots >= 0)
    trees = tree_of_root[top]
    reachable = alive & (trees >= 0)
    return reachable, trees


def _walk(forest: OnnxForest) -> BoolArray | None:
    """Visit nodes one by one: for the rare graphs where a node has several parents."""
    on_true, on_false = forest.on_true.tolist(), forest.on_false.tolist()
    state = bytearray(len(on_true))  # 1: being visited, 2: done
    shared = False
    for tree, root in enumerate(forest.roots.tolist()):
        stack = [root] if root >= 0 else []
        shared |= root >= 0 and state[root] == 2
        while stack:
            node = stack.pop()
            if node < 0:
                state[~node] = 2
                continue
            if state[node] == 1:
                raise FormatError(f"ONNX graph: tree {tree}: its nodes hold a cycle")
            if state[node] == 2:
                continue
            state[node] = 1
            stack.append(~node)
            for child in (on_true[node], on_false[node]):
                if child >= 0:
                    shared |= state[child] == 2
                    stack.append(child)
        # A child put on the stack twice before its visit is found on its second visit.
    alive = np.frombuffer(bytes(state), np.uint8) == 2
    shared |= bool((_count_parents(forest, alive) > 1).any())
    return None if shared else alive


def _count_parents(forest: OnnxForest, alive: BoolArray) -> IntArray:
    children = np.concatenate((forest.on_true[alive], forest.on_false[alive]))
    return np.bincount(children[children >= 0], minlength=forest.modes.size)


def _jump(towards: IntArray) -> IntArray:
    """Follow ``towards`` from everywhere to where it stands still; circles end somewhere."""
    for _ in range(max(1, int(towards.size).bit_length())):
        further = towards[towards]
        if np.array_equal(further, towards):
            break
        towards = further
    return towards


def _offsets(counts: IntArray) -> IntArray:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
