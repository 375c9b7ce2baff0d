"""Trained models from files, told apart by what is in them, never by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

from shortlist.errors import (
    ArgumentError,
    FormatError,
    NotFoundError,
    StorageError,
    UnsupportedError,
)
from shortlist.models.forest import Forest
from shortlist.models.importers.ensemble import ImportedEnsemble
from shortlist.models.importers.lightgbm import import_lightgbm
from shortlist.models.importers.lightgbm_json import import_lightgbm_json
from shortlist.models.importers.onnx_trees import import_onnx_trees
from shortlist.models.importers.xgboost_binary import import_xgboost_binary
from shortlist.models.importers.xgboost_dump import import_xgboost_dump
from shortlist.models.importers.xgboost_json import import_xgboost_json
from shortlist.models.importers.xgboost_ubj import import_xgboost_ubj
from shortlist.models.onnx_model import OnnxModel

__all__ = ["load_model", "model_format"]

_HEAD_BYTES = 1 << 16
_ONNX_GRAPH, _ONNX_OPSETS = 7, 8  # fields of ModelProto
_IMPORTERS: dict[str, Callable[[bytes], ImportedEnsemble]] = {
    "lightgbm-text": import_lightgbm,
    "lightgbm-json": import_lightgbm_json,
    "xgboost-binary": import_xgboost_binary,
    "xgboost-dump": import_xgboost_dump,
    "xgboost-json": import_xgboost_json,
    "xgboost-ubj": import_xgboost_ubj,
}
_REFUSED = {
    "catboost-cbm": "a CatBoost cbm model is not handled",
    "catboost-json": "a CatBoost JSON model is not handled",
    "pickle": "a Python pickle is never read, as it could run code",
    "gzip": "compressed by gzip is not handled; unpack it first",
    "zip": "a zip archive is not handled",
}


def load_model(
    path: str | PathLike[str], *, feature_names: Sequence[str] | None = None
) -> Forest | OnnxModel:
    """Read a model file.

    Parameters
    ----------
    path : a LightGBM model (the text of ``Booster.save_model``, or the JSON of ``dump_model``), an
        XGBoost model (JSON, UBJSON or the old binary format of ``Booster.save_model``, or a JSON
        dump of ``Booster.dump_model``) or an ONNX graph. The format is told from the content. A
        graph whose scores come from one tree operator becomes a Forest, another an OnnxModel.
    feature_names : all features in order, for an XGBoost dump, which names only those that occur.

    Raises
    ------
    ArgumentError
        feature_names for another format, or names that are not distinct strings.
    NotFoundError, StorageError
        There is no such file, or it cannot be read.
    FormatError
        Truncated or inconsistent, or no model format that is known.
    UnsupportedError
        A known format, or a construct in it, that this version does not handle.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such model file") from None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    form = model_format(data)
    if feature_names is not None:
        _check_names(feature_names, form)
    try:
        if form == "xgboost-dump":
            return Forest.from_imported(import_xgboost_dump(data, feature_names))
        if form in _IMPORTERS:
            return Forest.from_imported(_IMPORTERS[form](data))
        if form == "onnx":
            return _load_onnx(data)
    except (FormatError, UnsupportedError) as error:
        raise type(error)(f"{path}: {error}") from error
    if form in _REFUSED:
        raise UnsupportedError(f"{path}: {_REFUSED[form]}")
    raise FormatError(
        f"{path}: no model format that is known (LightGBM, XGBoost, ONNX); "
        f"it begins with {data[:16]!r}"
    )


def _load_onnx(data: bytes) -> Forest | OnnxModel:
    ensemble = import_onnx_trees(data)
    if ensemble is None:
        return OnnxModel(data)
    try:
        return Forest.from_imported(ensemble)
    except UnsupportedError:  # such as more thresholds of a feature than the compiled form has
        return OnnxModel(data)


def model_format(data: bytes) -> str:
    """Return what a file holds: "lightgbm-text", "onnx", another name, or "unknown"."""
    head = data[:_HEAD_BYTES]
    if head.startswith((b"tree\n", b"tree\r\n")):
        return "lightgbm-text"
    for magic, name in (
        (b"CBM1", "catboost-cbm"),
        (b"\x1f\x8b", "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"\x80", "pickle"),
        (b"binf", "xgboost-binary"),
    ):
        if head.startswith(magic):
            return name
    if head.lstrip().startswith((b"{", b"[")):
        return _object_format(data)
    if _is_onnx(data):
        return "onnx"
    if any(name in head[:512] for name in (b"gbtree", b"gblinear", b"dart")):
        return "xgboost-binary"
    return "unknown"


def _object_format(data: bytes) -> str:
    if data.lstrip().startswith(b"["):
        dump = b'"nodeid"' in data or b'"bias"' in data[:_HEAD_BYTES]
        return "xgboost-dump" if dump else "unknown"
    text = data.lstrip()[1:].lstrip()[:1] == b'"'
    if b"learner" in data and b"gradient_booster" in data:
        return "xgboost-json" if text else "xgboost-ubj"
    if text and (b'"oblivious_trees"' in data or b'"features_info"' in data):
        return "catboost-json"
    if text and b'"tree_info"' in data:
        return "lightgbm-json"
    return "unknown"


def _check_names(feature_names: Sequence[str], form: str) -> None:
    if form != "xgboost-dump":
        raise ArgumentError(f"feature_names: only for an XGBoost JSON dump, not for {form}")
    names = list(feature_names)
    if isinstance(feature_names, str) or not all(isinstance(name, str) for name in names):
        raise ArgumentError("feature_names: expected a sequence of names")
    if not names or len(set(names)) != len(names):
        raise ArgumentError("feature_names: expected at least one name, and each once")


def _is_onnx(data: bytes) -> bool:
    """Whether the top level reads as a ModelProto with a graph or operator sets."""
    found = False
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        field, wire = tag >> 3, tag & 7
        if wire == 2:
            size, at = _varint(data, at)
            at += size
        elif wire == 0:
            _, at = _varint(data, at)
        else:
            return False
        if field == 0 or at < 0 or at > len(data):
            return False
        found |= wire == 2 and field in (_ONNX_GRAPH, _ONNX_OPSETS)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a varint and the position behind it, which is beyond the end where there is none."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    return 0, len(data) + 1
