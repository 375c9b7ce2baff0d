"""CatBoost's binary models: flatbuffers of its schema model.fbs, after the magic "CBM1"."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.catboost_ctr import CTR_TYPES, CtrBase, CtrFeature, CtrTable
from shortlist.models.importers.catboost_model import (
    CatBoostModel,
    CatFeature,
    FloatFeature,
    Info,
    OneHotFeature,
    Trees,
    as_ensemble,
    read_info,
)
from shortlist.models.importers.ensemble import ImportedEnsemble
from shortlist.models.importers.flatbuffer import Table, root_table

__all__ = ["import_catboost_cbm"]

_MAGIC = b"CBM1"
_VERSION = "FlabuffersModel_v1"  # as CatBoost spells it
_CTR_PART = "static_provider_v1"
_NAN_MODES = ("AsIs", "AsFalse", "AsTrue")
_MAX_DEPTH = 30
_MAX_OUTPUTS = 1 << 20
_BUCKET = np.dtype([("hash", "<u8"), ("index", "<u4")])
_MEAN = np.dtype([("sum", "<f4"), ("count", "<i4")])
_STEP = np.dtype([("left", "<u2"), ("right", "<u2")])
_FLOAT_SPLIT = np.dtype([("index", "<i4"), ("border", "<f4")])
_ONE_HOT_SPLIT = np.dtype([("index", "<i4"), ("value", "<i4")])


def import_catboost_cbm(data: bytes) -> ImportedEnsemble:
    """Read what ``save_model(path, format="cbm")`` wrote.

    Raises
    ------
    FormatError
        Truncated or inconsistent.
    UnsupportedError
        Text or embedding features, or parts that are not known.
    """
    view = memoryview(data)
    if bytes(view[:4]) != _MAGIC:
        raise FormatError("CatBoost cbm: no CBM1 at the beginning")
    core, rest = _sized(view[4:], "the model")
    root = root_table(core, "CatBoost cbm")
    if root.text(0) != _VERSION:
        raise UnsupportedError(f"CatBoost cbm: version {root.text(0)!r}, expected {_VERSION!r}")
    trees = root.table(1)
    if trees is None:
        raise FormatError("CatBoost cbm: no trees")
    _refuse_texts(trees)
    tables: dict[CtrBase, CtrTable] = {}
    for part in root.texts(3):
        if part != _CTR_PART:
            raise UnsupportedError(f"CatBoost cbm: the part {part!r} is not handled")
        tables, rest = _read_tables(rest)
    n_outputs = trees.integer(0)
    if not 1 <= n_outputs <= _MAX_OUTPUTS:
        raise FormatError(f"CatBoost cbm: {n_outputs} outputs")
    model = CatBoostModel(
        floats=[_float_feature(table) for table in trees.tables(5)],
        cats=[
            CatFeature(number=t.integer(0, -1), column=t.integer(1, -1), name=t.text(2))
            for t in trees.tables(4)
        ],
        one_hots=[
            OneHotFeature(cat_feature=t.integer(0, -1), values=t.vector(1, "<i4").astype(np.int32))
            for t in trees.tables(6)
        ],
        ctrs=[_ctr_feature(table) for table in trees.tables(7)],
        tables=tables,
        trees=_read_trees(trees, n_outputs),
        scale=trees.real(14, 1.0),
        bias=_bias(trees, n_outputs),
        info=_info(root),
        n_bytes=len(data),
    )
    return as_ensemble(model, "catboost-cbm")


def _sized(view: memoryview, what: str) -> tuple[memoryview, memoryview]:
    """Split off what follows its own size."""
    size, rest = _size(view, what)
    if size > len(rest):
        raise FormatError(f"CatBoost cbm: {what} of {size} bytes is cut off: {len(rest)} are left")
    return rest[:size], rest[size:]


def _size(view: memoryview, what: str) -> tuple[int, memoryview]:
    size = int.from_bytes(view[:4], "little")
    if len(view) < 4 or (size == 2**32 - 1 and len(view) < 12):
        raise FormatError(f"CatBoost cbm: cut off before the size of {what}")
    if size == 2**32 - 1:
        return int.from_bytes(view[4:12], "little"), view[12:]
    return size, view[4:]


def _refuse_texts(trees: Table) -> None:
    for field, kind in ((12, "text"), (18, "embedding")):
        names = [t.text(2) or str(t.integer(1, -1)) for t in trees.tables(field)]
        if names:
            raise UnsupportedError(f"CatBoost model: {kind} features are not handled: {names}")
    if trees.tables(13):
        raise UnsupportedError("CatBoost model: estimated features are not handled")


def _float_feature(table: Table) -> FloatFeature:
    mode = table.integer(5, 0, kind="b")
    if not 0 <= mode < len(_NAN_MODES):
        raise FormatError(f"CatBoost cbm: NaN treatment {mode} of feature {table.text(4)!r}")
    return FloatFeature(
        number=table.integer(1, -1),
        column=table.integer(2, -1),
        name=table.text(4),
        borders=table.vector(3, "<f4").astype(np.float32),
        nan=_NAN_MODES[mode] if table.integer(0, 0, kind="b") else "AsIs",
    )


def _ctr_base(table: Table | None) -> CtrBase:
    if table is None or (combination := table.table(0)) is None:
        raise FormatError("CatBoost cbm: a CTR without features")
    kind = table.integer(1, 0, kind="b")
    if not 0 <= kind < len(CTR_TYPES):
        raise FormatError(f"CatBoost cbm: CTR type {kind}")
    return CtrBase(
        tuple(combination.vector(0, "<i4").tolist()),
        tuple(tuple(split) for split in combination.vector(1, _FLOAT_SPLIT).tolist()),
        tuple(tuple(split) for split in combination.vector(2, _ONE_HOT_SPLIT).tolist()),
        CTR_TYPES[kind],
        table.integer(2),
    )


def _ctr_feature(table: Table) -> CtrFeature:
    ctr = table.table(0)
    if ctr is None:
        raise FormatError("CatBoost cbm: a CTR feature without its CTR")
    return CtrFeature(
        base=_ctr_base(ctr.table(0)),
        target_border=ctr.integer(1),
        prior=ctr.real32(2, 0.0),
        prior_weight=ctr.real32(3, 1.0),
        shift=ctr.real32(4, 0.0),
        scale=ctr.real32(5, 1.0),
        borders=table.vector(1, "<f4").astype(np.float32),
    )


def _read_tables(view: memoryview) -> tuple[dict[CtrBase, CtrTable], memoryview]:
    count, view = _size(view, "the CTR tables")
    tables = {}
    for _ in range(count):  # ends with the bytes: each takes four at least
        blob, view = _sized(view, "a CTR table")
        base, table = _ctr_table(root_table(blob, "CatBoost cbm: a CTR table"))
        tables[base] = table
    return tables, view


def _ctr_table(table: Table) -> tuple[CtrBase, CtrTable]:
    base = _ctr_base(table.table(0))
    raw = table.vector(1, "u1")
    if raw.size % _BUCKET.itemsize:
        raise FormatError(f"CatBoost cbm: {base}: {raw.size} bytes of buckets, expected 12 each")
    buckets = raw.view(_BUCKET)
    buckets = buckets[buckets["hash"] != 2**64 - 1]
    keys, rows = buckets["hash"], buckets["index"].astype(np.int64)
    if np.unique(keys).size != keys.size:
        raise FormatError(f"CatBoost cbm: {base} has a key twice")
    blob = table.vector(2, "u1")
    means = base.ctr_type in ("BinarizedTargetMeanValue", "FloatTargetMeanValue")
    classes = table.integer(4) if base.ctr_type in ("Borders", "Buckets") else 1
    width = 4 * classes if not means else _MEAN.itemsize
    if classes < 1 or blob.size % width or (rows.size and rows.max() >= blob.size // width):
        raise FormatError(
            f"CatBoost cbm: {base}: {blob.size} bytes of counts do not fit its keys, of {classes} "
            "classes"
        )
    if rows.size * width > blob.size:
        raise FormatError(f"CatBoost cbm: {base} has more keys than counts")
    if means:
        history = blob.view(_MEAN)[rows]
        return base, CtrTable(keys=keys, counts=history["count"][:, None], sums=history["sum"])
    counts = blob.view("<i4").reshape(-1, classes)[rows]
    return base, CtrTable(keys=keys, counts=counts, denominator=table.integer(3))


def _bias(trees: Table, n_outputs: int) -> NDArray[np.float64]:
    bias = trees.vector(16, "<f8").astype(np.float64)
    if bias.size == 0:
        return np.full(n_outputs, trees.real(15, 0.0))
    if bias.size != n_outputs:
        raise FormatError(f"CatBoost cbm: {bias.size} biases of {n_outputs} outputs")
    return bias


def _info(root: Table) -> Info:
    wanted = ("params", "class_params", "multiclass_params")
    info: dict[str, Any] = {}
    for pair in root.tables(2):
        key = pair.text(0)
        if key in wanted and (text := pair.text(1)):
            try:
                info[key] = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise FormatError(f"CatBoost cbm: {key} are no JSON: {error}") from error
    return read_info(info.get("params"), info.get("class_params") or info.get("multiclass_params"))


def _read_trees(trees: Table, n_outputs: int) -> Trees:
    splits = trees.vector(1, "<i4").astype(np.int64)
    sizes = trees.vector(2, "<i4").astype(np.int64)
    starts = trees.vector(3, "<i4").astype(np.int64)
    steps = trees.vector(10, _STEP)
    values = trees.vector(8, "<f8").astype(np.float64)
    if not sizes.size:
        raise UnsupportedError("CatBoost cbm: a model without trees")
    if sizes.min() < 0 or sizes.sum() != splits.size:
        raise FormatError(
            f"CatBoost cbm: trees of {sizes.sum()} splits together, but there are {splits.size}"
        )
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    if starts.size and not np.array_equal(starts, offsets[:-1]):
        raise FormatError("CatBoost cbm: trees do not begin where the one before ends")
    if values.size % n_outputs:
        raise FormatError(f"CatBoost cbm: {values.size} leaf values of {n_outputs} outputs")
    values = values.reshape(-1, n_outputs)
    if steps.size:
        leaf_of_node = trees.vector(11, "<u4").astype(np.int64)
        return _binary_trees(offsets, splits, steps, leaf_of_node, values)
    if sizes.max() > _MAX_DEPTH:
        raise FormatError(f"CatBoost cbm: a tree of depth {sizes.max()}, expected up to 30")
    leaves = np.concatenate(([0], np.cumsum(1 << sizes))).astype(np.int64)
    if leaves[-1] != len(values):
        raise FormatError(f"CatBoost cbm: {len(values)} leaves, expected {leaves[-1]}")
    return Trees(
        oblivious=True,
        split_offsets=offsets,
        leaf_offsets=leaves,
        splits=splits,
        left=np.zeros(splits.size, np.int64),
        right=np.zeros(splits.size, np.int64),
        leaf_values=values,
        leaf_ids=np.arange(leaves[-1]) - np.repeat(leaves[:-1], 1 << sizes),
    )


def _binary_trees(
    offsets: NDArray[np.int64],
    splits: NDArray[np.int64],
    steps: NDArray[np.generic],
    leaf_of_node: NDArray[np.int64],
    values: NDArray[np.float64],
) -> Trees:
    """Nodes with steps to their children: a step of 0 ends at the node's own leaf."""
    n_outputs = values.shape[1]
    n = splits.size
    if steps.size != n or leaf_of_node.size != n or (np.diff(offsets) == 0).any():
        raise FormatError(
            f"CatBoost cbm: {n} splits, {steps.size} steps and {leaf_of_node.size} leaf numbers, "
            "or a tree without nodes"
        )
    tree = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    step = {side: steps[side].astype(np.int64) for side in ("left", "right")}  # type: ignore[call-overload]
    ends = (step["left"] == 0) | (step["right"] == 0)
    inner = (step["left"] != 0) | (step["right"] != 0)
    target = leaf_of_node[ends]
    if (
        target.size > len(values)
        or (target % n_outputs).any()
        or (target.size and target.max() >= values.size)
    ):
        raise FormatError(
            f"CatBoost cbm: leaf numbers that do not fit {len(values)} leaves of {n_outputs} values"
        )
    split_offsets = np.concatenate(([0], np.cumsum(inner)))[offsets]
    leaf_offsets = np.concatenate(([0], np.cumsum(ends)))[offsets]
    split_number = np.cumsum(inner) - 1 - split_offsets[tree]
    leaf_number = np.cumsum(ends) - 1 - leaf_offsets[tree]
    children = {}
    for side, steps_of in step.items():
        child = np.arange(n) + steps_of
        beyond = child >= offsets[tree + 1]
        if beyond.any():
            node = int(np.flatnonzero(beyond)[0])
            raise FormatError(f"CatBoost cbm: tree {tree[node]}: node {node} steps out of its tree")
        is_leaf = (steps_of == 0) | ~inner[child]
        children[side] = np.where(is_leaf, ~leaf_number[child], split_number[child])[inner]
    roots = offsets[:-1]
    if (~inner[roots] & (np.diff(split_offsets) > 0)).any():
        raise FormatError("CatBoost cbm: a tree whose root is a leaf has splits")
    leaf_values = values[target // n_outputs]
    first = np.full(offsets.size - 1, values.size, np.int64)
    np.minimum.at(first, tree[ends], target)
    return Trees(
        oblivious=False,
        split_offsets=split_offsets.astype(np.int64),
        leaf_offsets=leaf_offsets.astype(np.int64),
        splits=splits[inner],
        left=children["left"],
        right=children["right"],
        leaf_values=leaf_values,
        leaf_ids=(target - first[tree[ends]]) // n_outputs,
    )
