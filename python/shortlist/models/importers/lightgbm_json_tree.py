"""One tree of LightGBM's JSON dump: nested nodes into arrays, level by level, without recursion.

Source: LightGBM src/io/tree.cpp (NodeToJSON, LinearModelToJSON).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError
from shortlist.models.importers.ensemble import ViewKind
from shortlist.models.importers.lightgbm_objective import shown
from shortlist.models.importers.lightgbm_trees import (
    MISSING_NAN,
    MISSING_NONE,
    MISSING_ZERO,
    Tree,
    TreeTerms,
    view_kinds,
)

__all__ = ["NAME", "read_tree"]

NAME = "LightGBM JSON"
_MISSING = {"None": MISSING_NONE, "Zero": MISSING_ZERO, "NaN": MISSING_NAN}
_DECISIONS = {"<=": 0, "==": 1}
_CATEGORIES = re.compile(r"[0-9]{1,10}(?:\|\|[0-9]{1,10})*|")
_Node: TypeAlias = dict[str, object]


class _Nodes:
    """Splits or leaves of one tree; each method reads one key of all of them."""

    def __init__(self, nodes: Sequence[_Node], where: str) -> None:
        self._nodes = nodes
        self.where = where

    def __len__(self) -> int:
        return len(self._nodes)

    def column(self, key: str) -> list[object]:
        """Return the values of a key that every node must have."""
        try:
            return [node[key] for node in self._nodes]
        except KeyError:
            raise self.reject(key, "is missing") from None

    def has(self, key: str) -> bool:
        """Return whether any node has the key."""
        return any(key in node for node in self._nodes)

    def integers(self, key: str, high: int) -> NDArray[np.int64]:
        """Return integers in [0, high)."""
        return self.as_integers(key, self.column(key), high)

    def as_integers(self, key: str, values: list[object], high: int) -> NDArray[np.int64]:
        """Check and return values of a key as integers in [0, high)."""
        for value in values if set(map(type, values)) - {int} else ():
            if type(value) is not int:
                raise self.reject(key, f"holds {shown(value)}, expected an integer")
        integers = [value for value in values if isinstance(value, int)]
        if integers and not (min(integers) >= 0 and max(integers) < high):
            wrong = next(value for value in integers if not 0 <= value < high)
            raise self.reject(key, f"holds {shown(wrong)}, expected 0 to {high - 1}")
        return np.array(integers, dtype=np.int64)

    def as_numbers(self, key: str, values: list[object], *, finite: bool) -> NDArray[np.float64]:
        """Check and return values of a key as numbers; NaN is refused, infinity if ``finite``."""
        for value in values if set(map(type, values)) - {int, float} else ():
            if type(value) not in (int, float):
                raise self.reject(key, f"holds {shown(value)}, expected a number")
        try:
            numbers = np.array(values, dtype=np.float64)
        except OverflowError:
            raise self.reject(key, "holds an integer that is no double") from None
        bad = ~np.isfinite(numbers) if finite else np.isnan(numbers)
        if bad.any():
            expected = "a finite number" if finite else "a number"
            raise self.reject(key, f"holds {numbers[bad][0]}, expected {expected}")
        return numbers

    def reject(self, key: str, why: str) -> FormatError:
        """Return the error to raise for this key."""
        return FormatError(f"{self.where}: {key} {why}")


def read_tree(info: _Node, t: int) -> Tree:
    """Read an item of ``tree_info``; splits are numbered by level, leaves by ``leaf_index``.

    Parameters
    ----------
    info : the item.
    t : its position, for messages.

    Raises
    ------
    FormatError
        A node without what it needs, or with what is out of range; features are only checked to be
        integers from 0 on.
    """
    where = f"{NAME}: tree {t}"
    if "tree_structure" not in info:
        raise FormatError(f"{where}: tree_structure is missing")
    nodes = _by_level(info["tree_structure"], where)
    is_split = np.fromiter(("left_child" in node for node in nodes), dtype=bool, count=len(nodes))
    splits = _Nodes([node for node in nodes if "left_child" in node], where)
    leaves = _Nodes([node for node in nodes if "left_child" not in node], where)
    n_leaves = info.get("num_leaves", len(leaves))
    if n_leaves != len(leaves):
        raise FormatError(f"{where}: num_leaves is {shown(n_leaves)}, found {len(leaves)}")

    numbers = np.zeros(1, dtype=np.int64)
    if len(splits):
        numbers = leaves.integers("leaf_index", len(leaves))
        if np.bincount(numbers, minlength=len(leaves)).max() > 1:
            raise leaves.reject("leaf_index", "holds a number twice")
    order = np.argsort(numbers)
    values = leaves.as_numbers("leaf_value", leaves.column("leaf_value"), finite=True)
    tree = Tree(values[order])
    if leaves.has("leaf_const"):
        tree.terms = _read_terms(leaves, order)
    if len(splits):
        _read_splits(splits, tree)
        codes = np.empty(len(nodes), dtype=np.int64)
        codes[is_split] = np.arange(len(splits))
        codes[~is_split] = ~numbers
        tree.left, tree.right = codes[1::2], codes[2::2]  # children of split k are 2k+1, 2k+2
    n_categorical = int((tree.kinds == ViewKind.CATEGORY).sum())
    if info.get("num_cat", n_categorical) != n_categorical:
        raise FormatError(
            f"{where}: num_cat is {shown(info['num_cat'])}, found {n_categorical} splits"
        )
    return tree


def _by_level(root: object, where: str) -> list[_Node]:
    """All nodes, level by level; so the children of the k-th split are 2k + 1 and 2k + 2."""
    nodes: list[object] = [root]
    for node in nodes:  # grows on the way
        if not isinstance(node, dict):
            raise FormatError(f"{where}: a node is {shown(node)}, expected an object")
        if "left_child" in node:
            if "right_child" not in node:
                raise FormatError(f"{where}: right_child is missing beside a left_child")
            nodes.append(node["left_child"])
            nodes.append(node["right_child"])
    return [node for node in nodes if isinstance(node, dict)]


def _read_splits(splits: _Nodes, tree: Tree) -> None:
    tree.features = splits.integers("split_feature", 2**31)
    categorical = np.array(
        [
            _coded(splits, "decision_type", word, _DECISIONS)
            for word in splits.column("decision_type")
        ],
        dtype=bool,
    )
    default_left = splits.column("default_left")
    if set(map(type, default_left)) != {bool}:
        wrong = next(value for value in default_left if not isinstance(value, bool))
        raise splits.reject("default_left", f"holds {shown(wrong)}, expected true or false")
    missing = [
        _coded(splits, "missing_type", word, _MISSING) for word in splits.column("missing_type")
    ]
    tree.kinds = view_kinds(
        categorical, np.array(default_left, dtype=bool), np.array(missing, dtype=np.int64)
    )
    thresholds = splits.column("threshold")
    tree.category_counts = np.zeros(len(splits), dtype=np.int64)
    found: list[NDArray[np.int64]] = []
    for split in np.flatnonzero(categorical):
        keys = _read_categories(splits, thresholds[split])
        tree.category_counts[split] = keys.size
        found.append(keys)
        thresholds[split] = 0.0
    if found:
        tree.categories = np.concatenate(found)
    tree.thresholds = splits.as_numbers("threshold", thresholds, finite=False)


def _coded(splits: _Nodes, key: str, word: object, codes: Mapping[str, int]) -> int:
    code = codes.get(word) if isinstance(word, str) else None
    if code is None:
        raise splits.reject(key, f"holds {shown(word)}, expected one of {', '.join(codes)}")
    return code


def _read_categories(splits: _Nodes, text: object) -> NDArray[np.int64]:
    """Read the set of a categorical split, such as "1||5||7"."""
    if not isinstance(text, str) or not _CATEGORIES.fullmatch(text):
        raise splits.reject("threshold", f"holds {shown(text)}, expected categories as 1||5||7")
    keys = np.unique(np.array(text.split("||") if text else [], dtype=np.int64))
    if keys.size and keys[-1] >= 2**31:
        raise splits.reject("threshold", f"holds the category {keys[-1]}, expected below 2^31")
    return keys


def _read_terms(leaves: _Nodes, order: NDArray[np.intp]) -> TreeTerms:
    constants = leaves.as_numbers("leaf_const", leaves.column("leaf_const"), finite=True)
    features = _lists(leaves, "leaf_features", order)
    coefficients = _lists(leaves, "leaf_coeff", order)
    counts = [len(of_leaf) for of_leaf in features]
    if counts != [len(of_leaf) for of_leaf in coefficients]:
        raise leaves.reject("leaf_coeff", "is not as long as leaf_features")
    return TreeTerms(
        constants=constants[order],
        counts=np.array(counts, dtype=np.int64),
        features=leaves.as_integers("leaf_features", list(chain.from_iterable(features)), 2**31),
        coefficients=leaves.as_numbers(
            "leaf_coeff", list(chain.from_iterable(coefficients)), finite=True
        ),
    )


def _lists(leaves: _Nodes, key: str, order: NDArray[np.intp]) -> list[list[object]]:
    lists: list[list[object]] = []
    for value in leaves.column(key):
        if not isinstance(value, list):
            raise leaves.reject(key, f"holds {shown(value)}, expected a list")
        lists.append(value)
    return [lists[leaf] for leaf in order]
