"""XGBoost models in the old binary format of versions 0.6 to 2.x, which 3.1 and later do not read.

Little-endian, as machines of today wrote it. The base score of versions before 1.0 is a margin
already; XGBoost 1.0 to 3.0 take it to a prediction and back on loading, which need not be the same.

Source: XGBoost 1.7 src/learner.cc, src/gbm/gbtree_model.h, src/gbm/gblinear_model.h,
include/xgboost/tree_model.h; 0.60 and 0.90 likewise.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import ImportedEnsemble
from shortlist.models.importers.xgboost_model import XGBoostModel, feature_names_of, to_ensemble
from shortlist.models.importers.xgboost_nodes import Nodes, Trees
from shortlist.models.importers.xgboost_numbers import integer_of

__all__ = ["import_xgboost_binary"]

_SOURCE = "XGBoost binary model"
_MAGIC = b"binf"
_LEARNER_PARAM = struct.Struct("<fIi2i2II100x4x")  # of 136 bytes
_BOOSTER_PARAM = struct.Struct("<ii152x")
_TREE_PARAM = struct.Struct("<iii4xIi124x")
_LINEAR_PARAM = struct.Struct("<Ii128x")
_NODE = np.dtype(
    [("parent", "<i4"), ("left", "<i4"), ("right", "<i4"), ("split", "<u4"), ("value", "<f4")]
)
_STATISTICS_BYTES = 16  # of a node
_DEFAULT_LEFT = 1 << 31
_LONGEST_NAME = 256
_LARGEST = 2**31 - 1


def import_xgboost_binary(data: bytes) -> ImportedEnsemble:
    """Read an XGBoost model in the old binary format, with or without its magic ``binf``.

    Parameters
    ----------
    data : the whole file.

    Raises
    ------
    FormatError
        Truncated or inconsistent, or no such model; the message names tree and field.
    UnsupportedError
    """
    return to_ensemble(_read(_Reader(data)))


class _Reader:
    """The bytes of the file in order; whatever is announced must be there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 4 if data.startswith(_MAGIC) else 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int, what: str) -> bytes:
        if size > self.left:
            raise self.reject(f"{what}: {size} bytes expected, {self.left} are left")
        self._at += size
        return self._data[self._at - size : self._at]

    def unpack(self, layout: struct.Struct, what: str) -> tuple[int, ...]:
        return layout.unpack(self.take(layout.size, what))

    def length(self, what: str) -> int:
        (length,) = struct.unpack("<Q", self.take(8, what))
        return int(length)

    def array(self, dtype: np.dtype[Any], n: int, what: str) -> NDArray[Any]:
        return np.frombuffer(self.take(n * dtype.itemsize, what), dtype=dtype)

    def floats(self, what: str) -> NDArray[np.float32]:
        """Return a counted list of floats."""
        found = self.array(np.dtype("<f4"), self.length(what), what)
        return found.astype(np.float32)

    def text(self, what: str) -> str:
        return self.take(self.length(what), what).decode("utf-8", "backslashreplace")

    def reject(self, why: str) -> FormatError:
        return FormatError(f"{_SOURCE}: byte {self._at}: {why}")


def _read(reader: _Reader) -> XGBoostModel:
    param = reader.unpack(_LEARNER_PARAM, "parameters of the learner")
    score, n_features, n_classes, has_attributes, _, major, minor, n_targets = param
    if n_classes < 0:
        raise reader.reject(f"num_class is {n_classes}, expected at least 0")
    objective = _objective(reader)
    booster = reader.text("booster")
    version = (major, minor)
    common = {
        "source": _SOURCE,
        "version": version,
        "objective": objective,
        "feature_names": feature_names_of((), n_features, _SOURCE),
        "n_outputs": max(n_classes, n_targets, 1),
        "base_scores": np.array([score], dtype=np.float32),
        "base_is_margin": major < 1,
    }
    if booster == "gblinear":
        reader.unpack(_LINEAR_PARAM, "parameters of gblinear")
        return XGBoostModel(**common, linear_weights=reader.floats("weights"))  # type: ignore[arg-type]
    if booster not in ("gbtree", "dart"):
        raise UnsupportedError(f"{_SOURCE}: booster {booster[:60]!r} is not known")
    n_trees, n_parallel = reader.unpack(_BOOSTER_PARAM, "parameters of the booster")
    least = _TREE_PARAM.size + _NODE.itemsize + _STATISTICS_BYTES
    if not 0 <= n_trees <= reader.left // least:
        raise reader.reject(f"num_trees is {n_trees}, yet {reader.left} bytes are left")
    trees = Trees(_SOURCE, n_features)
    for t in range(n_trees):
        trees.add(_nodes(reader, t))
    outputs = reader.array(np.dtype("<i4"), n_trees, "tree_info").astype(np.int64)
    weights = reader.floats("weight_drop") if booster == "dart" and n_trees else None
    return XGBoostModel(
        **common,  # type: ignore[arg-type]
        trees=trees,
        tree_outputs=outputs,
        trees_a_round=max(n_parallel, 1) if major >= 1 else 1,
        tree_weights=weights,
        best_iteration=_best_iteration(reader) if has_attributes else None,
    )


def _objective(reader: _Reader) -> str:
    """Return the objective; the oldest writers put 4 more bytes into the length of its name."""
    what = "objective"
    length = reader.length(what)
    if length >= 2**32 - 1:
        reader.take(4, what)
        length >>= 32
    if length > _LONGEST_NAME:
        raise reader.reject(f"{what}: a name of {length} bytes (no XGBoost model?)")
    return reader.take(length, what).decode("utf-8", "backslashreplace")


def _nodes(reader: _Reader, t: int) -> Nodes:
    what = f"tree {t}"
    n_roots, n_nodes, n_deleted, _, width = reader.unpack(_TREE_PARAM, f"{what}: tree_param")
    if n_roots != 1:
        raise UnsupportedError(f"{_SOURCE}: {what}: num_roots is {n_roots}, handled is 1")
    if n_nodes < 1:
        raise reader.reject(f"{what}: num_nodes is {n_nodes}, expected at least 1")
    nodes = reader.array(_NODE, n_nodes, f"{what}: nodes")
    reader.take(n_nodes * _STATISTICS_BYTES, f"{what}: statistics")
    if width != 0:
        reader.floats(f"{what}: leaf_vector")
    split = nodes["split"]
    return Nodes(
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        features=(split & ~np.uint32(_DEFAULT_LEFT)).astype(np.int64),
        conditions=nodes["value"].astype(np.float32),
        default_left=split >= _DEFAULT_LEFT,
        n_deleted=n_deleted,
    )


def _best_iteration(reader: _Reader) -> int | None:
    """Return what the attributes say; what stands behind them does not matter to predictions."""
    found = None
    for _ in range(reader.length("attributes")):
        key, value = reader.text("attributes"), reader.text("attributes")
        if key == "best_iteration":
            found = integer_of(value, f"{_SOURCE}: attribute best_iteration", 0, _LARGEST)
    return found
