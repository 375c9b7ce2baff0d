"""The nodes of XGBoost's trees, as every format of XGBoost lists them, into splits and leaves.

A node is a leaf where its left child is -1, and deleted where its split index is 2^31 - 1 and its
default is left. Predictions take the node behind the left child for the right one.

Source: XGBoost include/xgboost/tree_model.h and src/predictor/predict_fn.h.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import AnyIntArray, ViewKind, as_less_or_equal

__all__ = ["CategorySets", "Nodes", "SplitsAndLeaves", "Trees"]

IntArray = NDArray[np.int64]

_NO_CHILD = -1
_DELETED_SPLIT = 2**31 - 1
_CATEGORIES = 2**24
_NODES_AT_ONCE = 2**16


@dataclass(frozen=True, kw_only=True)
class CategorySets:
    """The categories that go right at some nodes; set i belongs to ``nodes[i]``."""

    nodes: IntArray
    begins: IntArray
    sizes: IntArray
    values: IntArray


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """One tree; arrays of one length, in which position is the node's id."""

    left: IntArray
    right: IntArray
    features: IntArray
    conditions: NDArray[np.float32]  # threshold of a split, value of a leaf
    default_left: NDArray[np.bool_]
    split_types: IntArray | None = None  # 1: categorical; None: none is
    sets: CategorySets | None = None
    # Vectors of the leaves, shape (n, n_outputs), and the row of each node that is a leaf.
    vectors: NDArray[np.float32] | None = None
    vector_rows: IntArray | None = None
    n_deleted: int | None = None  # as the file has it
    ids: IntArray | None = None  # of the nodes, where they are not their positions


@dataclass(frozen=True, kw_only=True)
class SplitsAndLeaves:
    """What ImportedEnsemble holds of the trees, under its names."""

    split_offsets: IntArray
    leaf_offsets: IntArray
    features: AnyIntArray
    kinds: AnyIntArray
    thresholds: NDArray[np.float64]
    left: AnyIntArray
    right: AnyIntArray
    missing_left: NDArray[np.bool_]
    leaf_values: NDArray[np.float32]
    category_offsets: IntArray
    categories: IntArray
    leaf_ids: AnyIntArray


# Arrays of SplitsAndLeaves for some of the trees, with counts where it has offsets.
_Part: TypeAlias = dict[str, NDArray[Any]]


@dataclass
class Trees:
    """Trees as they are read, one after another; errors name the file's format and the tree.

    They are checked and made compact some at a time, so that what the file says of them and a
    check needs does not stand in memory for all trees at once.
    """

    source: str
    n_features: int
    _n_trees: int = 0
    _n_waiting: int = 0  # nodes
    _waiting: list[Nodes] = field(default_factory=list)
    _category_counts: list[IntArray] = field(default_factory=list)
    _categories: list[IntArray] = field(default_factory=list)
    _parts: list[_Part] = field(default_factory=list)

    def __len__(self) -> int:
        return self._n_trees

    def add(self, nodes: Nodes) -> None:
        """Take in the next tree.

        Raises
        ------
        FormatError, UnsupportedError
            Of this tree or one before it.
        """
        n = nodes.left.size
        for name in ("right", "features", "conditions", "default_left", "split_types", "ids"):
            array = getattr(nodes, name)
            if array is not None and array.size != n:
                raise self._reject(f"{array.size} values of {name}, expected {n}, one a node")
        if n == 0:
            raise self._reject("it has no nodes")
        counts, categories = self._sets_of(nodes)
        self._waiting.append(nodes)
        self._category_counts.append(counts)
        self._categories.append(categories)
        self._n_trees += 1
        self._n_waiting += n
        if self._n_waiting >= _NODES_AT_ONCE:
            self._convert_waiting()

    def splits_and_leaves(self) -> SplitsAndLeaves:
        """Return what was made of all trees, and forget it.

        Raises
        ------
        FormatError, UnsupportedError
        """
        if self._waiting:
            self._convert_waiting()
        parts, self._parts = self._parts, []
        widths = {part["leaf_values"].shape[1:] for part in parts}
        if len(widths) > 1:
            self._reject_widths({width[0] if width else 0 for width in widths})
        arrays = {}
        for name in list(parts[0]):
            arrays[name] = np.concatenate([part.pop(name) for part in parts])
        return SplitsAndLeaves(
            split_offsets=_offsets(arrays.pop("split_counts")),
            leaf_offsets=_offsets(arrays.pop("leaf_counts")),
            category_offsets=_offsets(arrays.pop("category_counts")),
            **arrays,
        )

    def _convert_waiting(self) -> None:
        """Check the nodes of the trees that wait and number splits and leaves apart."""
        trees, self._waiting, self._n_waiting = self._waiting, [], 0
        all_counts = np.concatenate(self._category_counts)
        all_categories = np.concatenate(self._categories)
        self._category_counts, self._categories = [], []
        sizes = np.array([tree.left.size for tree in trees], dtype=np.int64)
        starts = _offsets(sizes)[:-1]
        owner = np.repeat(np.arange(sizes.size), sizes)
        ids = np.arange(owner.size) - starts[owner]
        left = np.concatenate([tree.left for tree in trees])
        right = np.concatenate([tree.right for tree in trees])
        features = np.concatenate([tree.features for tree in trees])
        conditions = np.concatenate([tree.conditions for tree in trees])
        default_left = np.concatenate([tree.default_left for tree in trees])
        categorical = np.concatenate([_is_categorical(tree) for tree in trees])
        deleted = (features == _DELETED_SPLIT) & default_left & (ids > 0)
        is_leaf = (left == _NO_CHILD) & ~deleted
        is_split = ~is_leaf & ~deleted
        first = self._n_trees - len(trees)

        def check(bad: NDArray[np.bool_], what: str, *values: NDArray[np.generic]) -> None:
            if bad.any():
                at = int(np.argmax(bad))
                found = "".join(f" {value[at]}" for value in values)
                raise FormatError(
                    f"{self.source}: tree {first + owner[at]}: node {ids[at]}: {what}{found}"
                )

        self._check_deleted(trees, first, np.bincount(owner[deleted], minlength=sizes.size))
        limit = sizes[owner]
        check(is_split & ((left < 1) | (left >= limit)), "its left child is no node:", left)
        check(is_split & ((right < 1) | (right >= limit)), "its right child is no node:", right)
        child_left = np.where(is_split, left + starts[owner], 0)
        child_right = np.where(is_split, right + starts[owner], 0)
        check(is_split & (deleted[child_left] | deleted[child_right]), "a child is deleted:", left)
        check(
            is_split & (right != left + 1),
            "the right child is not the node behind the left one (XGBoost takes that one):",
            left,
            right,
        )
        check(
            is_split & ((features < 0) | (features >= self.n_features)),
            f"its feature is none of {self.n_features}:",
            features,
        )
        check(is_split & ~categorical & np.isnan(conditions), "its threshold is", conditions)
        check(is_split & categorical & (all_counts == 0), "it splits by an empty set")
        split_id, split_counts = _numbered(is_split, owner, sizes.size)
        leaf_id, leaf_counts = _numbered(is_leaf, owner, sizes.size)

        def reference(child: IntArray) -> IntArray:
            child = child[is_split]
            return np.where(is_split[child], split_id[child], ~leaf_id[child])

        by_set = categorical[is_split]
        thresholds, go_left, go_right, missing_left = as_less_or_equal(
            np.where(by_set, np.float32(0), conditions[is_split]).astype(np.float64),
            reference(child_left),
            reference(child_right),
            default_left[is_split],
            float32=True,
        )
        kinds = np.where(missing_left, ViewKind.NAN_LEFT, ViewKind.NAN_RIGHT)
        values = self._leaf_values(trees, first, conditions, is_leaf)
        check(_scattered(is_leaf, ~np.isfinite(values)), "its leaf value is not finite")
        # The sets of nodes that do not split, such as of one pruned to a leaf, are left out.
        self._parts.append(
            {
                "split_counts": split_counts,
                "leaf_counts": leaf_counts,
                "features": features[is_split].astype(np.int32),
                "kinds": np.where(by_set, ViewKind.CATEGORY_24, kinds).astype(np.int8),
                "thresholds": np.where(by_set, 0.0, thresholds),
                # A category in the set goes right in XGBoost, left here.
                "left": np.where(by_set, go_right, go_left).astype(np.int32),
                "right": np.where(by_set, go_left, go_right).astype(np.int32),
                "missing_left": missing_left ^ by_set,
                "leaf_values": values,
                "category_counts": all_counts[is_split],
                "categories": all_categories[np.repeat(is_split, all_counts)],
                "leaf_ids": np.concatenate([_ids(tree) for tree in trees])[is_leaf].astype(
                    np.int32
                ),
            }
        )

    def _leaf_values(
        self,
        trees: list[Nodes],
        first: int,
        conditions: NDArray[np.float32],
        is_leaf: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        widths = {0 if tree.vectors is None else tree.vectors.shape[1] for tree in trees}
        if len(widths) > 1:
            self._reject_widths(widths)
        if widths == {0}:
            return conditions[is_leaf]
        ends = np.cumsum([tree.left.size for tree in trees])
        leaves = np.split(is_leaf, ends[:-1])
        return np.concatenate(
            [self._vectors(tree, first + t, leaves[t]) for t, tree in enumerate(trees)]
        )

    def _reject_widths(self, widths: set[int]) -> NoReturn:
        raise UnsupportedError(
            f"{self.source}: trees whose leaves have different numbers of values: "
            f"{sorted(widths)} (0: one value) are not handled"
        )

    def _vectors(self, tree: Nodes, t: int, is_leaf: NDArray[np.bool_]) -> NDArray[np.float32]:
        if tree.vectors is None or tree.vector_rows is None:
            raise FormatError(f"{self.source}: tree {t}: its leaves have no vectors")
        rows = tree.vector_rows[is_leaf]
        bad = (rows < 0) | (rows >= len(tree.vectors))
        if bad.any():
            raise FormatError(
                f"{self.source}: tree {t}: a leaf takes vector {rows[np.argmax(bad)]} of "
                f"{len(tree.vectors)}"
            )
        chosen: NDArray[np.float32] = tree.vectors[rows]
        return chosen

    def _sets_of(self, nodes: Nodes) -> tuple[IntArray, IntArray]:
        """Count the categories of each node, and return all of them one node after another."""
        counts = np.zeros(nodes.left.size, dtype=np.int64)
        sets = nodes.sets
        if sets is None or not (sets.nodes.size or sets.values.size):
            return counts, np.zeros(0, dtype=np.int64)
        if not sets.nodes.size == sets.begins.size == sets.sizes.size:
            raise self._reject(
                f"{sets.nodes.size} categories_nodes, {sets.begins.size} categories_segments and "
                f"{sets.sizes.size} categories_sizes, expected as many of each"
            )
        if not sets.nodes.size:
            raise self._reject(f"{sets.values.size} categories of no node")
        if (np.diff(sets.nodes) <= 0).any() or sets.nodes[0] < 0 or sets.nodes[-1] >= counts.size:
            raise self._reject(f"categories_nodes are not ascending nodes of {counts.size}")
        if (sets.sizes < 0).any() or (sets.sizes > sets.values.size).any():
            raise self._reject("categories_sizes do not fit the number of categories")
        ends = np.cumsum(sets.sizes)
        if (sets.begins != ends - sets.sizes).any() or ends[-1] != sets.values.size:
            raise self._reject(
                "categories_segments and categories_sizes do not cut all "
                f"{sets.values.size} categories into one set a node"
            )
        bad = (sets.values < 0) | (sets.values >= _CATEGORIES)
        if bad.any():
            raise self._reject(
                f"category {sets.values[np.argmax(bad)]} is none of 0 to {_CATEGORIES - 1}"
            )
        counts[sets.nodes] = sets.sizes
        return counts, sets.values

    def _check_deleted(self, trees: list[Nodes], first: int, found: IntArray) -> None:
        for t, tree in enumerate(trees):
            if tree.n_deleted is not None and tree.n_deleted != found[t]:
                raise FormatError(
                    f"{self.source}: tree {first + t}: num_deleted is {tree.n_deleted}, "
                    f"yet {found[t]} nodes are marked as deleted"
                )

    def _reject(self, why: str) -> FormatError:
        return FormatError(f"{self.source}: tree {self._n_trees}: {why}")


def _is_categorical(tree: Nodes) -> NDArray[np.bool_]:
    if tree.split_types is None:
        return np.zeros(tree.left.size, dtype=bool)
    categorical: NDArray[np.bool_] = tree.split_types == 1
    return categorical


def _ids(tree: Nodes) -> IntArray:
    return np.arange(tree.left.size) if tree.ids is None else tree.ids


def _numbered(
    chosen: NDArray[np.bool_], owner: IntArray, n_trees: int
) -> tuple[IntArray, IntArray]:
    """Return the number of each chosen node within its tree, and how many each tree has."""
    counts = np.bincount(owner[chosen], minlength=n_trees)
    return np.cumsum(chosen) - 1 - _offsets(counts)[owner], counts


def _offsets(counts: IntArray) -> IntArray:
    offsets = np.zeros(counts.size + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def _scattered(chosen: NDArray[np.bool_], bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of all nodes are bad, from which of the chosen ones have a bad value."""
    nodes = np.zeros(chosen.size, dtype=bool)
    nodes[chosen] = bad if bad.ndim == 1 else bad.any(axis=1)
    return nodes
