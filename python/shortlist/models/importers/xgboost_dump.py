"""XGBoost's JSON dump, ``Booster.get_dump(dump_format="json")``, joined to a list of trees.

A dump holds trees alone: neither objective nor base score, nor the weights of dart, nor which
output a tree adds to. So predictions are the sums of leaves from 0, of one output.

Source: XGBoost src/tree/tree_model.cc, JsonGenerator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NoReturn

import msgspec
import numpy as np

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import ImportedEnsemble
from shortlist.models.importers.xgboost_model import (
    MAX_NAMELESS_FEATURES,
    NEWEST,
    XGBoostModel,
    feature_names_of,
    to_ensemble,
)
from shortlist.models.importers.xgboost_nodes import CategorySets, Nodes, Trees
from shortlist.models.importers.xgboost_numbers import quote_specials, special_number

__all__ = ["import_xgboost_dump"]

_SOURCE = "XGBoost JSON dump"
_NAMELESS = re.compile(r"f(0|[1-9][0-9]{0,8})")
_LARGEST = 2**31 - 1


class _Node(msgspec.Struct):
    """A split or a leaf; statistics are passed over."""

    nodeid: int
    leaf: float | str | list[float] | None = None
    split: str | int | None = None
    split_condition: float | str | list[int] | None = None
    yes: int | None = None
    no: int | None = None
    missing: int | None = None
    children: list[_Node] = []


_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_NODE = msgspec.json.Decoder(_Node)


def import_xgboost_dump(
    data: bytes, feature_names: Sequence[str] | None = None
) -> ImportedEnsemble:
    """Read the trees of an XGBoost JSON dump; predictions are their sums from 0.

    Parameters
    ----------
    data : a JSON list of trees, as ``Booster.dump_model(path, dump_format="json")`` writes it.
    feature_names : all features of the model, in order. Without them, f12 is the feature of index
        12; other names get indices in the order in which they first appear.

    Raises
    ------
    FormatError
        Truncated or inconsistent, or no such dump; the message names tree and node.
    UnsupportedError
        Dumps of gblinear, whose numbers are rounded; leaves that are vectors; splits by indicators.
    """
    data = quote_specials(data)
    # Twice through the trees: their names first, so that no two stand in memory at once.
    features = _Features(feature_names)
    for root in _roots(data):
        features.add_names_of(root)
    names = features.numbered()
    trees = Trees(_SOURCE, len(names))
    for root in _roots(data):
        trees.add(_TreeReader(len(trees), features).nodes(root))
    return to_ensemble(
        XGBoostModel(
            source=_SOURCE,
            version=NEWEST,
            objective="unknown",
            feature_names=names,
            n_outputs=1,
            base_scores=np.zeros(1, dtype=np.float32),
            trees=trees,
        )
    )


def _roots(data: bytes) -> Iterator[_Node]:
    n_read = 0
    try:
        for raw in _LIST.decode(data):
            yield _NODE.decode(raw)
            n_read += 1
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if data.lstrip(b"[ \t\r\n{").startswith(b'"bias"'):
            raise UnsupportedError(
                f"{_SOURCE}: a dump of gblinear rounds its numbers; save by Booster.save_model"
            ) from None
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise FormatError(f"{_SOURCE}: tree {n_read}: {why}") from None


class _Features:
    """Indices of the features by what a dump calls them."""

    def __init__(self, feature_names: Sequence[str] | None) -> None:
        self._given = None if feature_names is None else tuple(feature_names)
        self._indices: dict[str | int, int] = {}  # in order of appearance

    def add_names_of(self, root: _Node) -> None:
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node.split is not None:
                self._indices.setdefault(node.split, len(self._indices))
            waiting.extend(reversed(node.children))

    def numbered(self) -> tuple[str, ...]:
        """Settle the indices and return the names of all features."""
        found = list(self._indices)
        if self._given is not None:
            by_name: dict[str | int, int] = {name: i for i, name in enumerate(self._given)}
            if all(name in by_name for name in found):
                self._indices = by_name
                return feature_names_of(self._given, len(self._given), _SOURCE)
        indices = [_index_of(name) for name in found]
        if None not in indices:
            self._indices = {
                name: i for name, i in zip(found, indices, strict=True) if i is not None
            }
            n_features = 1 + max(self._indices.values(), default=0)
            if self._given is None:
                return feature_names_of((), n_features, _SOURCE)
            if n_features <= len(self._given):
                return self._given
        if self._given is not None:
            strange = next(name for name in found if name not in self._given)
            raise FormatError(
                f"{_SOURCE}: feature {str(strange)[:60]!r} is none of the {len(self._given)} "
                "feature_names"
            )
        return tuple(str(name) for name in found)

    def index(self, name: str | int) -> int:
        return self._indices[name]


def _index_of(name: str | int) -> int | None:
    if isinstance(name, int):
        index = name
    else:
        found = _NAMELESS.fullmatch(name)
        if found is None:
            return None
        index = int(found[1])
    return index if 0 <= index < MAX_NAMELESS_FEATURES else None


class _TreeReader:
    """One tree's nodes level by level, so that the two children of a node stand side by side."""

    def __init__(self, tree: int, features: _Features) -> None:
        self._tree = tree
        self._features = features

    def nodes(self, root: _Node) -> Nodes:
        order = [root]
        left: list[int] = []
        features: list[int] = []
        conditions: list[float] = []
        default_left: list[bool] = []
        sets: dict[int, list[int]] = {}
        for at, node in enumerate(order):  # grows while it is read
            if node.split is None:
                left.append(-1)
                features.append(0)
                conditions.append(self._leaf(node))
                default_left.append(False)
                continue
            goes_left, goes_right = self._children(node)
            left.append(len(order))
            features.append(self._features.index(node.split))
            conditions.append(self._threshold(node))
            default_left.append(node.missing == goes_left.nodeid)
            if isinstance(node.split_condition, list):
                sets[at] = node.split_condition
            order += (goes_left, goes_right)
        first = np.array(left, dtype=np.int64)
        ids = [node.nodeid for node in order]
        if min(ids) < 0 or max(ids) > _LARGEST:
            self._reject(root, "a nodeid is below 0 or above 2^31 - 1")
        types = np.zeros(first.size, dtype=np.int64)
        types[list(sets)] = 1
        with np.errstate(over="ignore"):
            narrow = np.array(conditions).astype(np.float32)
        return Nodes(
            left=first,
            right=np.where(first < 0, -1, first + 1),
            features=np.array(features, dtype=np.int64),
            conditions=narrow,
            default_left=np.array(default_left, dtype=bool),
            split_types=types,
            sets=self._sets(root, sets),
            ids=np.array(ids, dtype=np.int64),
        )

    def _children(self, node: _Node) -> tuple[_Node, _Node]:
        """Return the children that rows go to on the left and on the right.

        A category in the set goes right, and that is what "yes" means there.
        """
        if node.split_condition is None:
            raise UnsupportedError(
                f"{_SOURCE}: tree {self._tree}: node {node.nodeid}: a split without "
                "split_condition (an indicator of a feature map) is not handled"
            )
        if len(node.children) != 2:
            self._reject(node, f"{len(node.children)} children, expected 2")
        children = {child.nodeid: child for child in node.children}
        if {node.yes, node.no} != set(children) or len(children) != 2:
            self._reject(node, f"yes {node.yes} and no {node.no} are not its two children")
        if node.missing not in children:
            self._reject(node, f"missing {node.missing} is none of its children")
        yes, no = (children[i] for i in (node.yes, node.no) if i is not None)
        return (no, yes) if isinstance(node.split_condition, list) else (yes, no)

    def _leaf(self, node: _Node) -> float:
        if isinstance(node.leaf, list):
            raise UnsupportedError(
                f"{_SOURCE}: tree {self._tree}: node {node.nodeid}: a leaf of several values is "
                "not handled; save by Booster.save_model"
            )
        if node.leaf is None:
            self._reject(node, "neither a split nor a leaf")
        if node.children:
            self._reject(node, "a leaf with children")
        return self._number(node, node.leaf)

    def _threshold(self, node: _Node) -> float:
        condition = node.split_condition
        if isinstance(condition, list) or condition is None:
            return 0.0
        return self._number(node, condition)

    def _number(self, node: _Node, value: float | str) -> float:
        if isinstance(value, str):
            try:
                return special_number(value)
            except ValueError as error:
                self._reject(node, str(error))
        return value

    def _sets(self, root: _Node, sets: dict[int, list[int]]) -> CategorySets:
        sizes = np.array([len(chosen) for chosen in sets.values()], dtype=np.int64)
        try:
            values = np.array([c for chosen in sets.values() for c in chosen], dtype=np.int64)
        except OverflowError:
            self._reject(root, "a category is beyond 64 bits")
        return CategorySets(
            nodes=np.array(list(sets), dtype=np.int64),
            begins=np.cumsum(sizes) - sizes,
            sizes=sizes,
            values=values,
        )

    def _reject(self, node: _Node, why: str) -> NoReturn:
        raise FormatError(f"{_SOURCE}: tree {self._tree}: node {node.nodeid}: {why}")
