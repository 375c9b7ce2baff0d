"""LightGBM text models (versions v2 to v4) into plain arrays.

Follows LightGBM 4 where versions differ: the objective's transform is applied to the mean of a
random forest.

Source: LightGBM include/LightGBM/tree.h and src/objective/.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import ImportedEnsemble, Transform, ViewKind
from shortlist.models.importers.lightgbm_text import Section, read_sections, shown

__all__ = ["import_lightgbm"]

_VERSIONS = (b"v2", b"v3", b"v4")
_SQUARED = ("regression", "regression_l1", "quantile", "mape")  # those that "sqrt" changes
_TRANSFORMS = {
    "regression": Transform.IDENTITY,
    "regression_l1": Transform.IDENTITY,
    "huber": Transform.IDENTITY,
    "fair": Transform.IDENTITY,
    "quantile": Transform.IDENTITY,
    "mape": Transform.IDENTITY,
    "lambdarank": Transform.IDENTITY,
    "rank_xendcg": Transform.IDENTITY,
    "custom": Transform.IDENTITY,
    "poisson": Transform.EXPONENTIAL,
    "gamma": Transform.EXPONENTIAL,
    "tweedie": Transform.EXPONENTIAL,
    "binary": Transform.SIGMOID,
    "multiclass": Transform.SOFTMAX,
    "multiclassova": Transform.SIGMOID,
    "cross_entropy": Transform.SIGMOID,
    "cross_entropy_lambda": Transform.SOFTPLUS,
}
_ALIASES = {
    "l2": "regression",
    "regression_l2": "regression",
    "mean_squared_error": "regression",
    "mse": "regression",
    "l2_root": "regression",
    "root_mean_squared_error": "regression",
    "rmse": "regression",
    "l1": "regression_l1",
    "mean_absolute_error": "regression_l1",
    "mae": "regression_l1",
    "softmax": "multiclass",
    "multiclass_ova": "multiclassova",
    "ova": "multiclassova",
    "ovr": "multiclassova",
    "xentropy": "cross_entropy",
    "xentlambda": "cross_entropy_lambda",
    "mean_absolute_percentage_error": "mape",
    "xendcg": "rank_xendcg",
    "xe_ndcg": "rank_xendcg",
    "xe_ndcg_mart": "rank_xendcg",
    "xendcg_mart": "rank_xendcg",
    "none": "custom",
    "null": "custom",
    "na": "custom",
}
_CATEGORICAL = 1
_DEFAULT_LEFT = 2
_MISSING_NONE, _MISSING_ZERO, _MISSING_NAN = 0, 1, 2
_ZERO = float(np.float32(1e-35))  # kZeroThreshold


def import_lightgbm(data: bytes) -> ImportedEnsemble:
    """Read a LightGBM text model.

    Parameters
    ----------
    data : the whole file, as ``Booster.save_model`` writes it.

    Raises
    ------
    FormatError
        Truncated, inconsistent, or no LightGBM text; the message names tree and field.
    UnsupportedError
        Linear trees, and objectives or versions that are not known.
    """
    header, trees = read_sections(data)
    _check_version(header)
    if not trees:
        raise FormatError("LightGBM model: it holds no trees")
    names = _feature_names(header)
    n_outputs = _n_outputs(header, len(trees))
    objective, transform, scale = _objective(header, n_outputs)
    parts = [_read_tree(tree, len(names)) for tree in trees]
    split_counts = [len(part.features) for part in parts]
    leaf_counts = [len(part.leaf_values) for part in parts]
    category_counts = np.concatenate([part.category_counts for part in parts])
    return ImportedEnsemble(
        source="lightgbm",
        objective=objective,
        feature_names=names,
        n_outputs=n_outputs,
        transform=transform,
        scale=scale,
        average="average_output" in header.fields,
        split_offsets=_offsets(split_counts),
        leaf_offsets=_offsets(leaf_counts),
        features=np.concatenate([part.features for part in parts]),
        kinds=np.concatenate([part.kinds for part in parts]),
        thresholds=_around_zero(np.concatenate([part.thresholds for part in parts])),
        left=np.concatenate([part.left for part in parts]),
        right=np.concatenate([part.right for part in parts]),
        leaf_values=np.concatenate([part.leaf_values for part in parts]),
        category_offsets=_offsets(category_counts),
        categories=np.concatenate([part.categories for part in parts]).astype(np.float64),
    )


@dataclass
class _Tree:
    """One tree's arrays; categories stand one split after another."""

    leaf_values: NDArray[np.float64]
    features: NDArray[np.int64]
    kinds: NDArray[np.int64]
    thresholds: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    category_counts: NDArray[np.int64]
    categories: NDArray[np.int64]


def _read_tree(section: Section, n_features: int) -> _Tree:
    if section.integer("is_linear", least=0, default=0) != 0:
        raise UnsupportedError(
            f"LightGBM model: {section.name}: linear trees (linear_tree=true) are not handled"
        )
    n_leaves = section.integer("num_leaves", least=1)
    n_categorical = section.integer("num_cat", least=0)
    leaf_values = section.numbers("leaf_value", n_leaves, finite=True)
    none = np.zeros(0, dtype=np.int64)
    if n_leaves == 1:
        return _Tree(leaf_values, none, none, np.zeros(0), none, none, none, none)
    n_splits = n_leaves - 1
    decisions = section.integers("decision_type", n_splits, low=0, high=12, default=0)
    tree = _Tree(
        leaf_values,
        features=section.integers("split_feature", n_splits, low=0, high=n_features),
        kinds=_view_kinds(decisions),
        thresholds=section.numbers("threshold", n_splits, finite=False),
        left=section.integers("left_child", n_splits, low=-n_leaves, high=n_splits),
        right=section.integers("right_child", n_splits, low=-n_leaves, high=n_splits),
        category_counts=np.zeros(n_splits, dtype=np.int64),
        categories=none,
    )
    categorical = np.flatnonzero(decisions & _CATEGORICAL)
    if n_categorical > 0:
        _read_categories(section, tree, categorical, n_categorical)
    elif categorical.size:
        raise section.reject("num_cat", "is 0, yet decision_type has categorical splits")
    return tree


def _view_kinds(decisions: NDArray[np.int64]) -> NDArray[np.int64]:
    missing = decisions >> 2
    default_left = (decisions & _DEFAULT_LEFT) != 0
    zero = np.where(default_left, ViewKind.ZERO_LEFT, ViewKind.ZERO_RIGHT)
    nan = np.where(default_left, ViewKind.NAN_LEFT, ViewKind.NAN_RIGHT)
    kinds = np.select(
        [missing == _MISSING_NONE, missing == _MISSING_ZERO, missing == _MISSING_NAN],
        [np.full_like(zero, ViewKind.NONE), zero, nan],
    )
    return np.where((decisions & _CATEGORICAL) != 0, ViewKind.CATEGORY, kinds).astype(np.int64)


def _around_zero(thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move thresholds of the band around zero to its ends.

    LightGBM takes |x| <= 1e-35 for 0 before it compares; so it need not be done to x.
    """
    below = (thresholds >= -_ZERO) & (thresholds < 0.0)
    above = (thresholds >= 0.0) & (thresholds <= _ZERO)
    moved = np.where(below, np.nextafter(-_ZERO, -np.inf), thresholds)
    return np.where(above, _ZERO, moved)


def _read_categories(
    section: Section, tree: _Tree, splits: NDArray[np.intp], n_categorical: int
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
    words = section.integers("cat_threshold", n_words, low=0, high=2**32)
    which = tree.thresholds[splits]
    if not ((which >= 0) & (which < n_categorical) & (which == np.floor(which))).all():
        raise section.reject(
            "threshold", f"of a categorical split is none of 0..num_cat-1: {which}"
        )

    bits = np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little")
    found: list[NDArray[np.int64]] = []
    for split, bitset in zip(splits, which.astype(np.int64), strict=True):
        chosen = np.flatnonzero(bits[32 * bounds[bitset] : 32 * bounds[bitset + 1]])
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


def _objective(header: Section, n_outputs: int) -> tuple[str, Transform, float]:
    text = header.fields.get("objective", b"custom").decode("utf-8", "backslashreplace")
    words = text.split()
    name = _ALIASES.get(words[0], words[0]) if words else ""
    if name not in _TRANSFORMS:
        raise UnsupportedError(f"LightGBM model: header: objective {shown(text)} is not known")
    transform = _TRANSFORMS[name]
    scale = 1.0
    for word in words[1:]:
        key, _, value = word.partition(":")
        if key == "sqrt" and name in _SQUARED:
            transform = Transform.SIGNED_SQUARE
        elif key == "sigmoid" and name in ("binary", "multiclassova"):
            scale = _positive(header, value)
        elif key == "num_class" and value != str(n_outputs):
            raise header.reject("objective", f"has {shown(word)}, expected num_class:{n_outputs}")
    if n_outputs > 1 and name not in ("multiclass", "multiclassova", "custom"):
        raise header.reject("objective", f"is {shown(text)}, yet there are {n_outputs} outputs")
    return text, transform, scale


def _positive(header: Section, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        raise header.reject("objective", f"has sigmoid {shown(text)}, expected a positive number")
    return value


def _offsets(counts: list[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
