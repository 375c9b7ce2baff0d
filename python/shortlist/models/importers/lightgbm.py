"""LightGBM text models (versions v2 to v4) into plain arrays.

Source: LightGBM include/LightGBM/tree.h, src/io/tree.cpp and src/boosting/gbdt_model_text.cpp.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import CategoryName, ImportedEnsemble
from shortlist.models.importers.json_reader import JsonReader
from shortlist.models.importers.lightgbm_categories import match_categories, read_categories
from shortlist.models.importers.lightgbm_objective import read_objective, shown
from shortlist.models.importers.lightgbm_text import Section, TextModel, read_sections
from shortlist.models.importers.lightgbm_trees import (
    ModelHeader,
    Tree,
    TreeTerms,
    join_trees,
    view_kinds,
)

__all__ = ["import_lightgbm"]

_VERSIONS = (b"v2", b"v3", b"v4")
_CATEGORICAL = 1
_DEFAULT_LEFT = 2
_PANDAS = b"\npandas_categorical:"
_DECLARED = re.compile(rb"^\[categorical_feature: ([0-9]{1,9}(?:,[0-9]{1,9})*)\]$", re.MULTILINE)
_CODES = re.compile(r"-?[0-9]{1,18}(?::-?[0-9]{1,18})*")
_CODE_RANGE = re.compile(r"\[[0-9]{1,18}:([0-9]{1,18})\]")


def import_lightgbm(data: bytes) -> ImportedEnsemble:
    """Read a LightGBM text model.

    Parameters
    ----------
    data : the whole file, as ``Booster.save_model`` writes it.

    Returns
    -------
    The trees; leaves are numbered as ``pred_leaf=True`` does. The file does not say which columns
    its ``pandas_categorical`` belongs to: names of categories are given where just one assignment
    fits what the file says of its features, else none.

    Raises
    ------
    FormatError
        Truncated, inconsistent, or no LightGBM text; the message names tree and field.
    UnsupportedError
        Objectives or versions that are not known; an infinite number as a category.
    """
    model = read_sections(data)
    header = model.header
    _check_version(header)
    if not model.trees:
        raise FormatError("LightGBM model: it holds no trees")
    names = _feature_names(header)
    n_outputs = _n_outputs(header, len(model.trees))
    objective = header.fields.get("objective", b"custom").decode("utf-8", "backslashreplace")
    return join_trees(
        ModelHeader(
            feature_names=names,
            n_outputs=n_outputs,
            objective=read_objective(objective, n_outputs, "LightGBM model: header"),
            average="average_output" in header.fields,
        ),
        _read_trees(model, len(names)),
        _category_names(model, len(names)),
    )


def _read_trees(model: TextModel, n_features: int) -> list[Tree]:
    """Read all trees; the text of each is let go of, as all of them are as much as the file."""
    trees = []
    model.trees.reverse()
    while model.trees:
        trees.append(_read_tree(model.trees.pop(), n_features))
    return trees


def _read_tree(section: Section, n_features: int) -> Tree:
    n_leaves = section.integer("num_leaves", least=1)
    n_categorical = section.integer("num_cat", least=0)
    tree = Tree(section.numbers("leaf_value", n_leaves, finite=True))
    if section.integer("is_linear", least=0, default=0) != 0:
        tree.terms = _read_terms(section, n_leaves, n_features)
    if n_leaves == 1:
        return tree
    n = n_leaves - 1
    decisions = section.integers("decision_type", n, low=0, high=12, default=0)
    categorical = (decisions & _CATEGORICAL) != 0
    tree.features = section.integers("split_feature", n, low=0, high=n_features)
    tree.kinds = view_kinds(categorical, (decisions & _DEFAULT_LEFT) != 0, decisions >> 2)
    tree.thresholds = section.numbers("threshold", n, finite=False)
    tree.left = section.integers("left_child", n, low=-n_leaves, high=n)
    tree.right = section.integers("right_child", n, low=-n_leaves, high=n)
    tree.category_counts = np.zeros(n, dtype=np.int64)
    if n_categorical > 0:
        _read_categories(section, tree, np.flatnonzero(categorical), n_categorical)
    elif categorical.any():
        raise section.reject("num_cat", "is 0, yet decision_type has categorical splits")
    return tree


def _read_terms(section: Section, n_leaves: int, n_features: int) -> TreeTerms:
    constants = section.numbers("leaf_const", n_leaves, finite=True)
    counts = section.integers("num_features", n_leaves, low=0, high=n_features + 1)
    n = int(counts.sum())
    return TreeTerms(
        constants=constants,
        counts=counts,
        features=section.integers("leaf_features", n, low=0, high=n_features),
        coefficients=section.numbers("leaf_coeff", n, finite=True),
    )


def _read_categories(
    section: Section, tree: Tree, splits: NDArray[np.intp], n_categorical: int
) -> None:
    """Expand the bitsets of the categorical splits; a split's threshold says which is its own."""
    n_bounds = len(section.required("cat_boundaries").split())
    if n_bounds != n_categorical + 1:
        raise section.reject("cat_boundaries", f"has {n_bounds} values, expected num_cat + 1")
    bounds = section.integers("cat_boundaries", n_bounds, low=0, high=2**31)
    if bounds[0] != 0 or (np.diff(bounds) < 0).any():
        raise section.reject("cat_boundaries", "do not ascend from 0")
    n_words = len(section.required("cat_threshold").split())
    if n_words != bounds[-1]:
        raise section.reject("cat_threshold", f"has {n_words} values, expected {bounds[-1]}")
    words = section.integers("cat_threshold", n_words, low=0, high=2**32).astype("<u4")
    which = tree.thresholds[splits]
    if not ((which >= 0) & (which < n_categorical) & (which == np.floor(which))).all():
        raise section.reject(
            "threshold", f"of a categorical split is none of 0..num_cat-1: {which}"
        )

    found: list[NDArray[np.int64]] = []
    for split, bitset in zip(splits, which.astype(np.int64), strict=True):
        own = words[bounds[bitset] : bounds[bitset + 1]]
        chosen = np.flatnonzero(np.unpackbits(own.view(np.uint8), bitorder="little"))
        tree.category_counts[split] = chosen.size
        found.append(chosen.astype(np.int64))
    if found:
        tree.categories = np.concatenate(found)
    tree.thresholds[splits] = 0.0


def _check_version(header: Section) -> None:
    version = header.required("version")
    if version not in _VERSIONS:
        raise UnsupportedError(
            f"LightGBM model: header: version is {shown(version)}, handled are v2, v3 and v4"
        )


def _feature_names(header: Section) -> tuple[str, ...]:
    n_features = header.integer("max_feature_idx", least=0) + 1
    try:
        names = tuple(header.required("feature_names").decode("utf-8").split(" "))
    except UnicodeDecodeError:
        raise header.reject("feature_names", "is not UTF-8") from None
    if len(names) != n_features:
        raise header.reject(
            "feature_names",
            f"lists {len(names)} features, expected max_feature_idx + 1 = {n_features}",
        )
    return names


def _n_outputs(header: Section, n_trees: int) -> int:
    n_classes = header.integer("num_class", least=1)
    n_outputs = header.integer("num_tree_per_iteration", least=1, default=n_classes)
    if n_trees % n_outputs != 0:
        raise header.reject(
            "num_tree_per_iteration", f"is {n_outputs}, of which {n_trees} trees are no multiple"
        )
    return n_outputs


def _category_names(model: TextModel, n_features: int) -> dict[int, tuple[CategoryName, ...]]:
    start = model.trailer.rfind(_PANDAS)
    if start < 0:
        return {}
    line = model.trailer[start + len(_PANDAS) :].split(b"\n", 1)[0]
    reader = JsonReader(line, "LightGBM model: pandas_categorical")
    lists = read_categories(reader.value(), "LightGBM model")
    reader.end()
    if not lists:
        return {}
    categorical, highest = _recorded_codes(model.header, n_features)
    declared = _DECLARED.search(model.trailer)
    if declared is not None:
        categorical |= {f for f in map(int, declared[1].split(b",")) if f < n_features}
    return match_categories(lists, categorical, highest)


def _recorded_codes(header: Section, n_features: int) -> tuple[set[int], dict[int, int]]:
    """Categorical features, and the highest code of all that may be columns of categories."""
    infos = header.required("feature_infos").decode("ascii", "backslashreplace").split()
    if len(infos) != n_features:
        raise header.reject("feature_infos", f"lists {len(infos)} features, not {n_features}")
    categorical: set[int] = set()
    highest: dict[int, int] = {}
    for feature, info in enumerate(infos):
        if info == "none":
            highest[feature] = -1
        elif _CODES.fullmatch(info):
            categorical.add(feature)
            highest[feature] = max(map(int, info.split(":")))
        elif found := _CODE_RANGE.fullmatch(info):
            highest[feature] = int(found[1])
    return categorical, highest
