"""Trained models from files, told apart by what is in them, never by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
from shortlist.models.importers.catboost_cbm import import_catboost_cbm
from shortlist.models.importers.catboost_json import import_catboost_json
from shortlist.models.importers.ensemble import ImportedEnsemble
from shortlist.models.importers.lightgbm import import_lightgbm
from shortlist.models.importers.lightgbm_json import import_lightgbm_json
from shortlist.models.importers.onnx_trees import import_onnx_trees
from shortlist.models.importers.sklearn import import_sklearn
from shortlist.models.importers.xgboost_binary import import_xgboost_binary
from shortlist.models.importers.xgboost_dump import import_xgboost_dump
from shortlist.models.importers.xgboost_json import import_xgboost_json
from shortlist.models.importers.xgboost_ubj import import_xgboost_ubj
from shortlist.models.live import LiveModel, live_model
from shortlist.models.onnx_model import OnnxModel

__all__ = ["OpenedModel", "load_model", "model_format", "open_model"]

_HEAD_BYTES = 1 << 16
_ONNX_GRAPH, _ONNX_OPSETS = 7, 8  # fields of ModelProto
_IMPORTERS: dict[str, Callable[[bytes], ImportedEnsemble]] = {
    "catboost-cbm": import_catboost_cbm,
    "catboost-json": import_catboost_json,
    "lightgbm-json": import_lightgbm_json,
    "lightgbm-text": import_lightgbm,
    "xgboost-binary": import_xgboost_binary,
    "xgboost-dump": import_xgboost_dump,
    "xgboost-json": import_xgboost_json,
    "xgboost-ubj": import_xgboost_ubj,
    "sklearn": import_sklearn,
}
_REFUSED = {
    "pickle": "a Python pickle is never read, as it could run code",
    "gzip": "compressed by gzip is not handled; unpack it first",
    "zip": "a zip archive is not handled",
}


@dataclass(frozen=True)
class OpenedModel:
    """A model, and the file it came from."""

    model: Forest | OnnxModel
    data: bytes
    form: str  # as model_format names it


def load_model(
    source: str | PathLike[str] | object, *, feature_names: Sequence[str] | None = None
) -> Forest | OnnxModel:
    """Read a model from its file, or from a trained object.

    Parameters
    ----------
    source : path of a LightGBM model (the text of ``Booster.save_model``, or the JSON of
        ``dump_model``), an XGBoost model (JSON, UBJSON or the old binary format of
        ``Booster.save_model``, or a JSON dump of ``Booster.dump_model``), a CatBoost model (cbm or
        JSON), a file of :func:`export_sklearn`, or an ONNX graph. The format is told from the
        content. A graph whose scores come from one tree operator becomes a Forest, another an
        OnnxModel. Or an object of the training library: a Booster or scikit-learn wrapper of
        LightGBM or XGBoost, a CatBoost model, or a scikit-learn estimator that
        :func:`export_sklearn` takes; it goes through its library's file format, and keeps its
        labels and its best iteration.
    feature_names : all features in order, for an XGBoost dump, which names only those that occur.

    Raises
    ------
    ArgumentError
        feature_names for another format, or names that are not distinct strings; an object that is
        not fitted, or of no library that is known.
    NotFoundError, StorageError
        There is no such file, or it cannot be read.
    FormatError
        Truncated or inconsistent, or no model format that is known.
    UnsupportedError
        A known format, or a construct in it, that this version does not handle.
    """
    return open_model(source, feature_names=feature_names).model


def open_model(
    source: object, *, feature_names: Sequence[str] | None = None, name: str = "model"
) -> OpenedModel:
    """Read a model as :func:`load_model` does, and keep its file; `name` is the argument's."""
    if isinstance(source, str | PathLike):
        live = LiveModel(str(source), _file_bytes(source))
    else:
        found = live_model(source)
        if found is None:
            raise ArgumentError(
                f"{name}: got {type(source).__name__}, expected a path, or a model of LightGBM, "
                f"XGBoost, CatBoost or scikit-learn"
            )
        live = found
    form = model_format(live.data)
    if feature_names is not None:
        _check_names(feature_names, form)
    try:
        return OpenedModel(_made(live, form, feature_names), live.data, form)
    except (FormatError, UnsupportedError) as error:
        raise type(error)(f"{live.name}: {error}") from error


def _file_bytes(path: str | PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such model file") from None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error


def _made(live: LiveModel, form: str, feature_names: Sequence[str] | None) -> Forest | OnnxModel:
    if form == "onnx":
        return _load_onnx(live.data)
    if form in _REFUSED:
        raise UnsupportedError(_REFUSED[form])
    if form == "xgboost-dump":
        ensemble = import_xgboost_dump(live.data, feature_names)
    elif form in _IMPORTERS:
        ensemble = _IMPORTERS[form](live.data)
    else:
        raise FormatError(
            f"no model format that is known (LightGBM, XGBoost, CatBoost, scikit-learn, ONNX); it "
            f"begins with {live.data[:16]!r}"
        )
    if live.classes is not None:
        ensemble = replace(ensemble, classes=live.classes)
    if live.default_rounds is not None:
        ensemble = replace(ensemble, default_rounds=live.default_rounds)
    return Forest.from_imported(ensemble)


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
    return "xgboost-binary" if _has_xgboost_names(data) else _format_of_head(data)


def _format_of_head(data: bytes) -> str:
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
    return _binary_format(data)


def _binary_format(data: bytes) -> str:
    """Tell formats that begin with no bytes of their own."""
    head = data[:_HEAD_BYTES]
    if head[8:9] == b"{" and b'"sklearn-trees"' in head:
        return "sklearn"
    if _is_onnx(data):
        return "onnx"
    if any(name in head[:512] for name in (b"gbtree", b"gblinear", b"dart")):
        return "xgboost-binary"
    return "unknown"


def _has_xgboost_names(data: bytes) -> bool:
    """Whether XGBoost's objective and booster stand where its binary format without magic has them.

    A base score comes first, whose bytes may be those of any other magic.
    """
    at = 136
    names = []
    for _ in range(2):
        length = int.from_bytes(data[at : at + 8], "little")
        at += 8 + length
        names.append(data[at - length : at])
    return bool(names[0]) and names[1] in (b"gbtree", b"gblinear", b"dart")


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
