"""Trained models from files, told apart by what is in them, never by their names."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from shortlist.errors import FormatError, NotFoundError, StorageError, UnsupportedError
from shortlist.models.forest import Forest
from shortlist.models.importers.catboost_cbm import import_catboost_cbm
from shortlist.models.importers.catboost_json import import_catboost_json
from shortlist.models.importers.ensemble import ImportedEnsemble
from shortlist.models.importers.lightgbm import import_lightgbm
from shortlist.models.onnx_model import OnnxModel

__all__ = ["load_model", "model_format"]

_HEAD_BYTES = 1 << 16
_ONNX_GRAPH, _ONNX_OPSETS = 7, 8  # fields of ModelProto
_IMPORTERS: dict[str, Callable[[bytes], ImportedEnsemble]] = {
    "lightgbm-text": import_lightgbm,
    "catboost-cbm": import_catboost_cbm,
    "catboost-json": import_catboost_json,
}
_REFUSED = {
    "lightgbm-json": "a LightGBM dump_model() JSON is not handled; save text by Booster.save_model",
    "xgboost-json": "an XGBoost JSON model is not handled",
    "xgboost-ubj": "an XGBoost UBJSON model is not handled",
    "xgboost-binary": "an XGBoost model in the old binary format is not handled",
    "pickle": "a Python pickle is never read, as it could run code",
    "gzip": "compressed by gzip is not handled; unpack it first",
    "zip": "a zip archive is not handled",
}


def load_model(path: str | PathLike[str]) -> Forest | OnnxModel:
    """Read a model file.

    Parameters
    ----------
    path : a LightGBM text model (``Booster.save_model``) or an ONNX graph. The format is told from
        the content.

    Raises
    ------
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
    try:
        if form in _IMPORTERS:
            return Forest.from_imported(_IMPORTERS[form](data))
        if form == "onnx":
            return OnnxModel(data)
    except (FormatError, UnsupportedError) as error:
        raise type(error)(f"{path}: {error}") from error
    if form in _REFUSED:
        raise UnsupportedError(f"{path}: {_REFUSED[form]}")
    raise FormatError(
        f"{path}: no model format that is known (LightGBM text, ONNX); it begins with {data[:16]!r}"
    )


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
    if head.lstrip().startswith(b"{"):
        return _object_format(data)
    if _is_onnx(data):
        return "onnx"
    if any(name in head[:512] for name in (b"gbtree", b"gblinear", b"dart")):
        return "xgboost-binary"
    return "unknown"


def _object_format(data: bytes) -> str:
    text = data.lstrip()[1:].lstrip()[:1] == b'"'
    if b"learner" in data and b"gradient_booster" in data:
        return "xgboost-json" if text else "xgboost-ubj"
    if text and (b'"oblivious_trees"' in data or b'"features_info"' in data):
        return "catboost-json"
    if text and b'"tree_info"' in data:
        return "lightgbm-json"
    return "unknown"


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
