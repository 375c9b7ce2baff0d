"""CatBoost's JSON models: ``save_model(path, format="json")``."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.catboost_ctr import CTR_TYPES, CtrBase, CtrFeature, CtrTable
from shortlist.models.importers.catboost_model import (
    CatBoostModel,
    CatFeature,
    FloatFeature,
    OneHotFeature,
    Trees,
    as_ensemble,
    read_info,
)
from shortlist.models.importers.ensemble import ImportedEnsemble

__all__ = ["import_catboost_json"]

_MAX_DEPTH = 30
_COUNTERS = ("Counter", "FeatureFreq")
_MANY_TARGETS = (
    "MultiRMSE",
    "MultiRMSEWithMissingValues",
    "MultiLogloss",
    "MultiCrossEntropy",
)
_DIGITS = re.compile(r"[0-9]{1,20}")


class _Float(msgspec.Struct, frozen=True):
    feature_index: int
    flat_feature_index: int
    borders: list[float] | None = None  # None: CatBoost writes an empty list so
    feature_id: str = ""
    feature_name: str = ""
    has_nans: bool = False
    nan_value_treatment: str = "AsIs"


class _Cat(msgspec.Struct, frozen=True):
    feature_index: int
    flat_feature_index: int
    feature_id: str = ""
    feature_name: str = ""
    values: list[int] | None = None


class _Element(msgspec.Struct, frozen=True):
    combination_element: str
    cat_feature_index: int = -1
    float_feature_index: int = -1
    border: float = 0.0
    value: int = 0


class _Ctr(msgspec.Struct, frozen=True):
    elements: list[_Element]
    ctr_type: str
    prior_numerator: float
    prior_denomerator: float  # as CatBoost spells it
    shift: float
    scale: float
    target_border_idx: int
    borders: list[float] | None = None


class _Identifier(msgspec.Struct, frozen=True):
    identifier: list[_Element]
    type: str


class _Table(msgspec.Struct, frozen=True):
    hash_stride: int
    hash_map: list[str | float] | None = None
    counter_denominator: int = 0


class _Features(msgspec.Struct, frozen=True):
    float_features: list[_Float] | None = None
    categorical_features: list[_Cat] | None = None
    ctrs: list[_Ctr] | None = None
    text_features: Any = None
    embedding_features: Any = None


class _Split(msgspec.Struct, frozen=True):
    split_index: int
    split_type: str = ""


class _Oblivious(msgspec.Struct, frozen=True):
    leaf_values: list[float] | None = None
    splits: list[_Split] | None = None


class _Node(msgspec.Struct, frozen=True):
    value: float | list[float] | None = None
    split: _Split | None = None
    left: _Node | None = None
    right: _Node | None = None


class _Info(msgspec.Struct, frozen=True):
    params: Any = None
    class_params: Any = None
    multiclass_params: Any = None


class _Model(msgspec.Struct, frozen=True):
    features_info: _Features
    model_info: _Info = _Info()
    oblivious_trees: list[_Oblivious] | None = None
    trees: list[_Node] | None = None
    ctr_data: dict[str, _Table] | None = None
    scale_and_bias: tuple[float, float | list[float]] = (1.0, 0.0)


def import_catboost_json(data: bytes) -> ImportedEnsemble:
    """Read what ``save_model(path, format="json")`` wrote.

    Raises
    ------
    FormatError
        Truncated or inconsistent.
    UnsupportedError
        Text or embedding features.
    """
    try:
        root = msgspec.json.decode(data, type=_Model)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"CatBoost JSON: {error}") from error
    except RecursionError as error:
        raise FormatError("CatBoost JSON: nested too deep") from error
    features = root.features_info
    for kind in ("text", "embedding"):
        if getattr(features, f"{kind}_features"):
            raise UnsupportedError(f"CatBoost model: {kind} features are not handled")
    _refuse_ambiguous_tables(root)
    trees = _oblivious_trees(root.oblivious_trees) if root.oblivious_trees else _node_trees(root)
    n_outputs = trees.leaf_values.shape[1]
    bias = np.atleast_1d(np.array(root.scale_and_bias[1], np.float64))
    if bias.size != n_outputs and bias.any():
        raise FormatError(f"CatBoost JSON: {bias.size} biases of {n_outputs} outputs")
    cats = features.categorical_features or []
    info = root.model_info
    model = CatBoostModel(
        floats=[_float_feature(feature) for feature in features.float_features or []],
        cats=[
            CatFeature(number=c.feature_index, column=c.flat_feature_index, name=_name(c))
            for c in cats
        ],
        one_hots=[
            OneHotFeature(cat_feature=c.feature_index, values=_int32(c.values, "values"))
            for c in cats
            if c.values
        ],
        ctrs=[_ctr_feature(ctr) for ctr in features.ctrs or []],
        tables=dict(_table(key, table) for key, table in (root.ctr_data or {}).items()),
        trees=trees,
        scale=root.scale_and_bias[0],
        bias=np.zeros(n_outputs) if bias.size != n_outputs else bias,
        info=read_info(info.params, info.class_params or info.multiclass_params),
        n_bytes=len(data),
    )
    return as_ensemble(model, "catboost-json")


def _refuse_ambiguous_tables(root: _Model) -> None:
    """CatBoost writes one table of a type and projection, even where it has one for each target."""
    read = [ctr for ctr in root.features_info.ctrs or [] if ctr.ctr_type not in _COUNTERS]
    params = root.model_info.params
    params = params if isinstance(params, dict) else {}
    objective = read_info(params, None).objective
    many = objective in _MANY_TARGETS
    options = params.get("cat_feature_params")
    options = options if isinstance(options, dict) else {}
    per_feature = options.get("per_feature_ctrs")
    lists = [options.get("simple_ctrs"), options.get("combinations_ctrs")]
    lists += per_feature.values() if isinstance(per_feature, dict) else []
    for ctrs in lists:
        targets: dict[object, set[str]] = {}
        for ctr in ctrs if isinstance(ctrs, list) else []:
            if isinstance(ctr, dict):
                made = str(ctr.get("target_binarization"))
                targets.setdefault(str(ctr.get("ctr_type")), set()).add(made)
        many |= any(len(ways) > 1 for kind, ways in targets.items() if kind not in _COUNTERS)
    if read and many:
        raise UnsupportedError(
            "CatBoost JSON: CTRs of several targets or target binarizations, whose tables this "
            "format does not tell apart; save the model as cbm"
        )


def _name(feature: _Float | _Cat) -> str:
    return feature.feature_id or feature.feature_name


def _float32(numbers: list[float] | None) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.array(numbers or [], np.float64).astype(np.float32)


def _int32(numbers: list[int], what: str) -> NDArray[np.int32]:
    try:
        return np.array(numbers, np.int32)
    except OverflowError as error:
        raise FormatError(f"CatBoost JSON: {what} beyond 32 bits: {error}") from error


def _float_feature(feature: _Float) -> FloatFeature:
    if feature.nan_value_treatment not in ("AsIs", "AsFalse", "AsTrue"):
        raise FormatError(
            f"CatBoost JSON: NaN treatment {feature.nan_value_treatment!r} of {_name(feature)!r}"
        )
    return FloatFeature(
        number=feature.feature_index,
        column=feature.flat_feature_index,
        name=_name(feature),
        borders=_float32(feature.borders),
        nan=feature.nan_value_treatment if feature.has_nans else "AsIs",
    )


def _ctr_base(elements: list[_Element], ctr_type: str) -> CtrBase:
    if ctr_type not in CTR_TYPES:
        raise FormatError(f"CatBoost JSON: CTR type {ctr_type!r}")
    cats, floats, one_hots = [], [], []
    for element in elements:
        if element.combination_element == "cat_feature_value":
            cats.append(element.cat_feature_index)
        elif element.combination_element == "float_feature":
            border = float(_float32([element.border])[0])
            floats.append((element.float_feature_index, border))
        elif element.combination_element == "cat_feature_exact_value":
            one_hots.append((element.cat_feature_index, element.value))
        else:
            raise FormatError(f"CatBoost JSON: CTR element {element.combination_element!r}")
    return CtrBase(tuple(cats), tuple(floats), tuple(one_hots), ctr_type)


def _ctr_feature(ctr: _Ctr) -> CtrFeature:
    prior, weight, shift, scale = _float32(
        [ctr.prior_numerator, ctr.prior_denomerator, ctr.shift, ctr.scale]
    )
    return CtrFeature(
        base=_ctr_base(ctr.elements, ctr.ctr_type),
        target_border=ctr.target_border_idx,
        prior=prior,
        prior_weight=weight,
        shift=shift,
        scale=scale,
        borders=_float32(ctr.borders),
    )


def _table(key: str, table: _Table) -> tuple[CtrBase, CtrTable]:
    """Read rows of a key, as a text, and its counts."""
    try:
        identifier = msgspec.json.decode(key, type=_Identifier)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(f"CatBoost JSON: ctr_data of {key[:80]!r}: {error}") from error
    base = _ctr_base(identifier.identifier, identifier.type)
    cells = table.hash_map or []
    means = base.ctr_type.endswith("MeanValue")
    counter = base.ctr_type in ("Counter", "FeatureFreq")
    stride = table.hash_stride
    if (stride != 3 if means else stride != 2 if counter else stride < 2) or len(cells) % stride:
        raise FormatError(f"CatBoost JSON: {base}: {len(cells)} cells with stride {stride}")
    if not -(2**31) <= table.counter_denominator < 2**31:
        raise FormatError(f"CatBoost JSON: {base}: denominator {table.counter_denominator}")
    texts = cells[::stride]
    if not all(isinstance(text, str) and _DIGITS.fullmatch(text) for text in texts):
        raise FormatError(f"CatBoost JSON: {base}: a key that is no number in a text")
    try:
        keys = np.array([int(text) for text in texts], np.uint64)
        columns = [np.array(cells[c::stride], np.float64) for c in range(1, stride)]
    except (ValueError, OverflowError) as error:
        raise FormatError(f"CatBoost JSON: {base}: {error}") from error
    numbers = np.stack(columns, axis=1)
    kept = keys != 2**64 - 1  # what CatBoost writes for empty slots
    keys, numbers = keys[kept], numbers[kept]
    if np.unique(keys).size != keys.size:
        raise FormatError(f"CatBoost JSON: {base} has a key twice")
    counts = numbers[:, 1:] if means else numbers
    if (np.trunc(counts) != counts).any() or (np.abs(counts) >= 2.0**31).any():
        raise FormatError(f"CatBoost JSON: {base}: counts that are no 32-bit whole numbers")
    with np.errstate(over="ignore"):
        sums = numbers[:, 0].astype(np.float32) if means else None
    return base, CtrTable(
        keys=keys,
        counts=counts.astype(np.int32),
        sums=sums,
        denominator=table.counter_denominator,
    )


def _oblivious_trees(trees: list[_Oblivious]) -> Trees:
    n_outputs = 0
    splits: list[int] = []
    values: list[float] = []
    depths = []
    for t, tree in enumerate(trees):
        depth = len(tree.splits or [])
        leaves = tree.leaf_values or []
        if depth > _MAX_DEPTH or not leaves or len(leaves) % (1 << depth):
            raise FormatError(
                f"CatBoost JSON: tree {t}: {len(leaves)} leaf values with {depth} splits"
            )
        n_outputs = n_outputs or len(leaves) >> depth
        if len(leaves) != n_outputs << depth:
            raise FormatError(
                f"CatBoost JSON: tree {t}: {len(leaves)} leaf values, expected {n_outputs << depth}"
            )
        depths.append(depth)
        splits += [split.split_index for split in tree.splits or []]
        values += leaves
    sizes = np.array(depths, np.int64)
    leaf_offsets = np.concatenate(([0], np.cumsum(1 << sizes))).astype(np.int64)
    unused = np.zeros(len(splits), np.int64)
    return Trees(
        oblivious=True,
        split_offsets=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        leaf_offsets=leaf_offsets,
        splits=_int32(splits, "split_index").astype(np.int64),
        left=unused,
        right=unused,
        leaf_values=np.array(values, np.float64).reshape(-1, n_outputs),
        leaf_ids=np.arange(leaf_offsets[-1]) - np.repeat(leaf_offsets[:-1], 1 << sizes),
    )


def _node_trees(root: _Model) -> Trees:
    if not root.trees:
        raise UnsupportedError("CatBoost JSON: a model without trees")
    splits: list[int] = []
    left: list[int] = []
    right: list[int] = []
    values: list[list[float]] = []
    split_offsets, leaf_offsets = [0], [0]
    for t, tree in enumerate(root.trees):
        pending: list[tuple[_Node, list[int] | None, int]] = [(tree, None, 0)]
        while pending:
            node, side, parent = pending.pop()
            if node.value is not None:
                number = ~(len(values) - leaf_offsets[-1])
                values.append(node.value if isinstance(node.value, list) else [node.value])
            elif node.split is None or node.left is None or node.right is None:
                raise FormatError(f"CatBoost JSON: tree {t}: a node without value or children")
            else:
                number = len(splits) - split_offsets[-1]
                splits.append(node.split.split_index)
                left.append(0)
                right.append(0)
                pending.append((node.right, right, len(splits) - 1))
                pending.append((node.left, left, len(splits) - 1))
            if side is not None:
                side[parent] = number
        split_offsets.append(len(splits))
        leaf_offsets.append(len(values))
    n_outputs = len(values[0])
    if not n_outputs or any(len(value) != n_outputs for value in values):
        raise FormatError("CatBoost JSON: leaves have different numbers of values, or none")
    offsets = np.array(leaf_offsets, np.int64)
    return Trees(
        oblivious=False,
        split_offsets=np.array(split_offsets, np.int64),
        leaf_offsets=offsets,
        splits=_int32(splits, "split_index").astype(np.int64),
        left=np.array(left, np.int64),
        right=np.array(right, np.int64),
        leaf_values=np.array(values, np.float64),
        leaf_ids=np.arange(len(values)) - np.repeat(offsets[:-1], np.diff(offsets)),
    )
