"""What CatBoost's two model formats have in common, and that as an ensemble."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.catboost_ctr import (
    CtrBase,
    CtrFeature,
    CtrTable,
    derive_columns,
)
from shortlist.models.importers.ctr_tables import CtrElement
from shortlist.models.importers.ensemble import (
    CategoryName,
    ImportedEnsemble,
    Transform,
    ViewKind,
)

__all__ = [
    "CatBoostModel",
    "CatFeature",
    "FloatFeature",
    "Info",
    "OneHotFeature",
    "Trees",
    "as_ensemble",
    "read_info",
]

MAX_FEATURES = 1_000_000  # columns of a row, where the file does not describe each of them
_TRANSFORMS = {
    "Logloss": Transform.SIGMOID,
    "CrossEntropy": Transform.SIGMOID,
    "Focal": Transform.SIGMOID,
    "MultiClass": Transform.CATBOOST_SOFTMAX,
    "MultiClassOneVsAll": Transform.SIGMOID,
    "MultiLogloss": Transform.SIGMOID,
    "MultiCrossEntropy": Transform.SIGMOID,
    "Poisson": Transform.CATBOOST_EXPONENTIAL,
    "Tweedie": Transform.CATBOOST_EXPONENTIAL,
    "RMSEWithUncertainty": Transform.CATBOOST_MEAN_AND_VARIANCE,
}


@dataclass(frozen=True, kw_only=True)
class FloatFeature:
    """A numeric column; ``nan`` is "AsIs", "AsFalse" or "AsTrue"."""

    number: int  # among the float features
    column: int
    name: str
    borders: NDArray[np.float32]
    nan: str


@dataclass(frozen=True, kw_only=True)
class CatFeature:
    """A categorical column."""

    number: int  # among the categorical features
    column: int
    name: str


@dataclass(frozen=True, kw_only=True)
class OneHotFeature:
    """Hashes, as signed numbers, that splits compare a categorical feature with."""

    cat_feature: int
    values: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Trees:
    """Trees as in ImportedEnsemble; ``splits`` are numbers of binary features."""

    oblivious: bool
    split_offsets: NDArray[np.int64]
    leaf_offsets: NDArray[np.int64]
    splits: NDArray[np.int64]
    left: NDArray[np.int64]  # of no meaning where oblivious
    right: NDArray[np.int64]
    leaf_values: NDArray[np.float64]  # (n_leaves, n_outputs)
    leaf_ids: NDArray[np.int64]


@dataclass(frozen=True)
class Info:
    """What the model says of its objective."""

    objective: str
    classes: tuple[CategoryName, ...] | None


@dataclass(frozen=True, kw_only=True)
class CatBoostModel:
    """Everything a model file holds that scores depend on."""

    floats: Sequence[FloatFeature]
    cats: Sequence[CatFeature]
    one_hots: Sequence[OneHotFeature]
    ctrs: Sequence[CtrFeature]
    tables: Mapping[CtrBase, CtrTable]
    trees: Trees
    scale: float
    bias: NDArray[np.float64]  # (n_outputs,)
    info: Info
    n_bytes: int  # of the file


@dataclass(frozen=True)
class _Splits:
    """Binary features: what a split of that number asks."""

    features: NDArray[np.int64]
    kinds: NDArray[np.int64]
    thresholds: NDArray[np.float64]  # or the hash


def as_ensemble(model: CatBoostModel, source: str) -> ImportedEnsemble:
    """Return the model as an ensemble; raises FormatError or UnsupportedError."""
    names = _feature_names(model)
    columns = _columns(model)
    elements = {ctr.base: _elements(ctr.base, columns) for ctr in model.ctrs}
    ctrs, derived = derive_columns(model.ctrs, model.tables, elements, model.n_bytes)
    asked = _binary_features(model, columns, len(names) + derived)
    trees = model.trees
    if trees.splits.size and not 0 <= trees.splits.min() <= trees.splits.max() < asked.kinds.size:
        raise FormatError(
            f"CatBoost model: splits {trees.splits.min()} to {trees.splits.max()} of "
            f"{asked.kinds.size} binary features"
        )
    n_outputs = trees.leaf_values.shape[1]
    if not np.isfinite(trees.leaf_values).all():
        raise FormatError("CatBoost model: a leaf value is not finite")
    if not (math.isfinite(model.scale) and np.isfinite(model.bias).all()):
        raise FormatError("CatBoost model: scale or bias is not finite")
    kinds = asked.kinds[trees.splits]
    equals = kinds == ViewKind.HASHED
    numbers = asked.thresholds[trees.splits]
    # A category that equals the value goes right in CatBoost, and left into a set of one here.
    values, leaf_ids = trees.leaf_values, trees.leaf_ids
    if trees.oblivious:
        order = _turned(trees, equals)
        values, leaf_ids = values[order], leaf_ids[order]
    return ImportedEnsemble(
        source=source,
        objective=model.info.objective,
        feature_names=names,
        n_outputs=n_outputs,
        transform=_transform(model.info.objective, n_outputs),
        split_offsets=trees.split_offsets,
        leaf_offsets=trees.leaf_offsets,
        features=asked.features[trees.splits],
        kinds=kinds,
        thresholds=np.where(equals, 0.0, numbers),
        left=np.where(equals, trees.right, trees.left),
        right=np.where(equals, trees.left, trees.right),
        leaf_values=values[:, 0] if n_outputs == 1 else values,
        category_offsets=np.concatenate(([0], np.cumsum(equals))).astype(np.int64),
        categories=numbers[equals],
        oblivious=trees.oblivious,
        round_offsets=np.arange(len(trees.split_offsets), dtype=np.int64),
        leaf_ids=leaf_ids,
        ctrs=ctrs,
        float32_input=True,
        sum_scale=model.scale,
        bias=model.bias if model.bias.any() else None,
        bias_of_first_round=True,
        hashed_features=tuple(sorted(feature.column for feature in model.cats)),
        classes=model.info.classes,
    )


def read_info(params: Any, class_params: Any) -> Info:
    """Objective and classes of the model's own parameters, of which either may be absent (None)."""
    loss = params.get("loss_function") if isinstance(params, dict) else None
    objective = loss.get("type") if isinstance(loss, dict) else None
    names = None
    if isinstance(class_params, dict):
        names = class_params.get("class_names") or class_params.get("class_to_label")
    if names is not None and not (
        isinstance(names, list) and all(isinstance(name, str | int | float) for name in names)
    ):
        raise FormatError("CatBoost model: class_names are no list of texts and numbers")
    return Info(
        objective if isinstance(objective, str) else "unknown",
        tuple(names) if names else None,
    )


def _transform(objective: str, n_outputs: int) -> Transform:
    transform = _TRANSFORMS.get(objective, Transform.IDENTITY)
    if transform == Transform.CATBOOST_MEAN_AND_VARIANCE and n_outputs != 2:
        raise FormatError(f"CatBoost model: {objective} with {n_outputs} outputs, expected 2")
    return transform


def _feature_names(model: CatBoostModel) -> tuple[str, ...]:
    features: list[FloatFeature | CatFeature] = [*model.floats, *model.cats]
    n = max((feature.column for feature in features), default=-1) + 1
    if n > max(MAX_FEATURES, len(features)):
        raise UnsupportedError(
            f"CatBoost model: a feature in column {n - 1}; {MAX_FEATURES} columns are handled"
        )
    names = [""] * n
    taken = np.zeros(n, dtype=bool)
    for feature in features:
        if feature.column < 0 or taken[feature.column]:
            raise FormatError(
                f"CatBoost model: feature {feature.name!r} in column {feature.column}, which is "
                "negative or another's"
            )
        taken[feature.column] = True
        names[feature.column] = feature.name
    return tuple(name or str(column) for column, name in enumerate(names))


@dataclass(frozen=True)
class _Columns:
    floats: Mapping[int, FloatFeature]
    cats: Mapping[int, CatFeature]

    def float_feature(self, number: int) -> FloatFeature:
        if number not in self.floats:
            raise FormatError(f"CatBoost model: no float feature {number}")
        return self.floats[number]

    def cat_column(self, number: int) -> int:
        if number not in self.cats:
            raise FormatError(f"CatBoost model: no categorical feature {number}")
        return self.cats[number].column


def _columns(model: CatBoostModel) -> _Columns:
    return _Columns({f.number: f for f in model.floats}, {c.number: c for c in model.cats})


def _elements(base: CtrBase, columns: _Columns) -> tuple[tuple[CtrElement, int, float, int], ...]:
    """Parts of a projection in the order in which CatBoost joins them."""
    parts = [(CtrElement.CATEGORY, columns.cat_column(c), 0.0, 0) for c in base.cat_features]
    for number, border in base.float_splits:
        feature = columns.float_feature(number)
        kind = CtrElement.GREATER_OR_NAN if feature.nan == "AsTrue" else CtrElement.GREATER
        parts.append((kind, feature.column, border, 0))
    for number, value in base.one_hot_splits:
        parts.append((CtrElement.EQUALS, columns.cat_column(number), 0.0, value % 2**32))
    return tuple(parts)


def _binary_features(
    model: CatBoostModel, columns: _Columns, derived: NDArray[np.int64]
) -> _Splits:
    """Return them in CatBoost's numbering: borders of floats, values, borders of CTRs."""
    features, kinds, thresholds = [], [], []

    def add(feature: int, kind: NDArray[np.int64], numbers: NDArray[np.float64]) -> None:
        features.append(np.full(numbers.size, feature, np.int64))
        kinds.append(kind)
        thresholds.append(numbers)

    for feature in model.floats:
        borders = _ascending(feature.borders, f"feature {feature.name!r}")
        # NaN as +inf is above every border but +inf.
        right = (borders < np.inf) & (feature.nan == "AsTrue")
        add(feature.column, np.where(right, ViewKind.NAN_RIGHT, ViewKind.NAN_LEFT), borders)
    for one_hot in model.one_hots:
        hashes = one_hot.values.astype(np.int64) % 2**32
        if np.unique(hashes).size != hashes.size:
            raise FormatError(
                f"CatBoost model: categorical feature {one_hot.cat_feature} has a value twice"
            )
        kind = np.full(hashes.size, ViewKind.HASHED, np.int64)
        add(columns.cat_column(one_hot.cat_feature), kind, hashes.astype(np.float64))
    for ctr, column in zip(model.ctrs, derived.tolist(), strict=True):
        borders = _ascending(ctr.borders, str(ctr.base))
        add(column, np.full(borders.size, ViewKind.NAN_LEFT, np.int64), borders)
    return _Splits(
        np.concatenate([np.zeros(0, np.int64), *features]),
        np.concatenate([np.zeros(0, np.int64), *kinds]),
        np.concatenate([np.zeros(0), *thresholds]),
    )


def _ascending(borders: NDArray[np.float32], what: str) -> NDArray[np.float64]:
    if np.isnan(borders).any() or (borders[1:] < borders[:-1]).any():
        raise FormatError(f"CatBoost model: the borders of {what} do not ascend")
    return borders.astype(np.float64)


def _turned(trees: Trees, equals: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Order of leaves once the bits of some splits mean the opposite."""
    depths = np.diff(trees.split_offsets)
    of_tree = np.repeat(np.arange(depths.size), depths)
    bits = np.arange(equals.size) - trees.split_offsets[of_tree]
    turned = np.zeros(depths.size, np.int64)
    np.add.at(turned, of_tree[equals], 1 << bits[equals])
    counts = np.diff(trees.leaf_offsets)
    first = np.repeat(trees.leaf_offsets[:-1], counts)
    within = np.arange(trees.leaf_offsets[-1]) - first
    return np.asarray(first + (within ^ np.repeat(turned, counts)), np.int64)
