"""LightGBM's JSON dump (``Booster.dump_model``, versions v2 to v4) into plain arrays.

Numbers stand there in full, so the trees are those of the text. What dumps do not say: version v2
has neither ``average_output`` nor ``objective`` before LightGBM 2.2 (trees are summed then, and
predictions are raw scores), LightGBM 3.2 left out linear functions, and thresholds of 1e300 and
beyond all read 1e300 (from v3 on that means infinity, which is what splits on NaN have).

Source: LightGBM src/boosting/gbdt_model_text.cpp (DumpModel) and src/io/tree.cpp (NodeToJSON).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import CategoryName, ImportedEnsemble
from shortlist.models.importers.json_reader import JsonReader
from shortlist.models.importers.lightgbm_categories import (
    CategoryLists,
    match_categories,
    read_categories,
)
from shortlist.models.importers.lightgbm_json_tree import NAME, read_tree
from shortlist.models.importers.lightgbm_objective import read_objective, shown
from shortlist.models.importers.lightgbm_trees import ModelHeader, Tree, join_trees

__all__ = ["import_lightgbm_json"]

_VERSIONS = ("v2", "v3", "v4")
_LARGEST = 1e300  # what LightGBM writes for all thresholds from here on
_SKIPPED = ("label_index", "monotone_constraints", "feature_importances")

_CodeRanges: TypeAlias = dict[str, tuple[bool, int | None]]  # categorical; highest code, if whole


class _Dump:
    """The members of a dump, in whatever order they stand."""

    def __init__(self, data: bytes) -> None:
        self.fields: dict[str, object] = {}
        self.infos: _CodeRanges = {}
        self.trees: list[Tree] | None = None
        reader = JsonReader(data, NAME)
        for key in reader.members():
            if key == "tree_info":
                self.trees = _read_trees(reader)
            elif key == "feature_infos":
                self.infos = _read_infos(reader)
            elif key in _SKIPPED:
                reader.value()
            else:
                self.fields[key] = reader.value()
        reader.end()

    def integer(self, key: str, least: int, default: int | None = None) -> int:
        value = self.fields.get(key, default)
        if type(value) is not int or not least <= value < 2**31:
            raise self.reject(key, f"expected an integer of at least {least}")
        return value

    def reject(self, key: str, expected: str) -> FormatError:
        found = f"is {shown(self.fields[key])}" if key in self.fields else "is missing"
        return FormatError(f"{NAME}: {key} {found}, {expected}")


def import_lightgbm_json(data: bytes) -> ImportedEnsemble:
    """Read what ``Booster.dump_model()`` returns, written as JSON.

    Parameters
    ----------
    data : the whole file.

    Returns
    -------
    The trees, as ``import_lightgbm`` gives them for the text of the same model.

    Raises
    ------
    FormatError
        Truncated, inconsistent, or no such dump; the message names tree and field.
    UnsupportedError
        Objectives or versions that are not known.
    """
    dump = _Dump(data)
    version = dump.fields.get("version")
    if version not in _VERSIONS:
        raise UnsupportedError(f"{NAME}: version is {shown(version)}, handled are v2, v3 and v4")
    if dump.fields.get("name", "tree") != "tree":
        raise dump.reject("name", 'expected "tree"')
    if not dump.trees:
        raise FormatError(f"{NAME}: it holds no trees")
    names = _feature_names(dump)
    lists = read_categories(dump.fields.get("pandas_categorical"), NAME)
    for t, tree in enumerate(dump.trees):
        _check_features(tree, t, len(names))
        if version != "v2":
            beyond = np.abs(tree.thresholds) == _LARGEST
            tree.thresholds[beyond] = np.copysign(np.inf, tree.thresholds[beyond])
    return join_trees(_header(dump, names, len(dump.trees)), dump.trees, _named(dump, names, lists))


def _header(dump: _Dump, names: tuple[str, ...], n_trees: int) -> ModelHeader:
    n_outputs = dump.integer("num_tree_per_iteration", 1, dump.integer("num_class", 1))
    if n_trees % n_outputs != 0:
        raise dump.reject("num_tree_per_iteration", f"of which {n_trees} trees are no multiple")
    objective = dump.fields.get("objective", "custom")
    if not isinstance(objective, str):
        raise dump.reject("objective", "expected a string")
    average = dump.fields.get("average_output", False)
    if not isinstance(average, bool):
        raise dump.reject("average_output", "expected true or false")
    return ModelHeader(
        feature_names=names,
        n_outputs=n_outputs,
        objective=read_objective(objective, n_outputs, NAME),
        average=average,
    )


def _feature_names(dump: _Dump) -> tuple[str, ...]:
    n_features = dump.integer("max_feature_idx", 0) + 1
    names = dump.fields.get("feature_names")
    if not isinstance(names, list) or set(map(type, names)) - {str}:
        raise dump.reject("feature_names", "expected a list of strings")
    if len(names) != n_features:
        raise FormatError(
            f"{NAME}: feature_names lists {len(names)} features, expected max_feature_idx + 1 = "
            f"{n_features}"
        )
    return tuple(names)


def _read_trees(reader: JsonReader) -> list[Tree]:
    trees: list[Tree] = []
    first = 0
    for t in reader.items():
        info = reader.value()
        if not isinstance(info, dict):
            raise FormatError(f"{NAME}: tree {t} is {shown(info)}, expected an object")
        index = info.get("tree_index", first + t)
        if t == 0 and type(index) is int:  # dumps may begin at a later round
            first = index
        if index != first + t:
            raise FormatError(f"{NAME}: tree {t}: tree_index is {shown(index)}, not {first + t}")
        trees.append(read_tree(info, t))
    return trees


def _check_features(tree: Tree, t: int, n_features: int) -> None:
    found = [("split_feature", tree.features)]
    if tree.terms is not None:
        found.append(("leaf_features", tree.terms.features))
    for key, features in found:
        if features.size and features.max() >= n_features:
            raise FormatError(
                f"{NAME}: tree {t}: {key} holds {features.max()}, expected 0 to {n_features - 1}"
            )


def _read_infos(reader: JsonReader) -> _CodeRanges:
    """Keep of each feature whether it is categorical, and the highest value where all are whole."""
    infos: _CodeRanges = {}
    for name in reader.members():
        info = reader.value()
        if not isinstance(info, dict):
            raise FormatError(f"{NAME}: feature_infos of {shown(name)}: expected an object")
        low, high = info.get("min_value"), info.get("max_value")
        categorical = bool(info.get("values"))
        whole = type(high) is int and type(low) is int and (low >= 0 or categorical)
        infos[name] = (categorical, high if whole and isinstance(high, int) else None)
    return infos


def _named(
    dump: _Dump, names: tuple[str, ...], lists: CategoryLists
) -> dict[int, tuple[CategoryName, ...]]:
    if not lists:
        return {}
    categorical: set[int] = set()
    highest: dict[int, int] = {}
    for feature, name in enumerate(names):
        is_categorical, code = dump.infos.get(name, (False, -1))  # absent: nothing to tell apart
        if is_categorical:
            categorical.add(feature)
        if code is not None:
            highest[feature] = code
    return match_categories(lists, categorical, highest)
