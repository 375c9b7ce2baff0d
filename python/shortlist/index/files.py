"""An index as one file: safetensors, memory-mapped, with a checksum and a version.

Metadata: ``format`` is "shortlist-index", ``version`` "1", ``kind``, ``metric``, ``reason``,
``recall``, and ``sha256`` of names, dtypes, shapes and bytes of all tensors.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from shortlist import _core, safetensors
from shortlist.errors import ArgumentError, FormatError, MismatchError, UnsupportedError
from shortlist.frames import encoded_texts
from shortlist.index.building import Built
from shortlist.index.neighbors import Ids, Metric
from shortlist.index.recall_curve import RecallCurve
from shortlist.safetensors import Array

__all__ = ["Stored", "Verify", "load", "save"]

Verify = Literal["full", "fast"]

_FORMAT = "shortlist-index"
_VERSION = "1"
_CURVE = ("curve_settings", "curve_values", "curve_exact")


@dataclass(frozen=True, slots=True)
class Stored:
    """What an index is made of."""

    vectors: NDArray[np.float32]
    ids: Ids
    metric: Metric
    built: Built
    recall: float


def save(path: str | os.PathLike[str], stored: Stored) -> None:
    """Write the file, which appears at once or not at all."""
    curve = stored.built.curve
    tensors: dict[str, Array] = {
        "vectors": stored.vectors,
        **_id_tensors(stored.ids),
        **stored.built.core.tensors(),
        **({} if curve is None else curve.to_arrays()),
    }
    metadata = {
        "format": _FORMAT,
        "version": _VERSION,
        "kind": stored.built.kind,
        "metric": stored.metric,
        "reason": stored.built.reason,
        "recall": repr(stored.recall),
        "sha256": _checksum(tensors),
    }
    safetensors.save(path, tensors, metadata)


def load(path: str | os.PathLike[str], verify: Verify) -> Stored:
    """Map the file. What passes even the fast check keeps searches within their memory.

    Raises
    ------
    FormatError, MismatchError, UnsupportedError, NotFoundError, StorageError
        The message names the file.
    """
    if verify not in get_args(Verify):
        raise ArgumentError(f"verify: got {verify!r}, expected 'full' or 'fast'")
    where = os.fspath(path)
    tensors, metadata = safetensors.load(path)
    if metadata.get("format") != _FORMAT:
        raise FormatError(f"{where}: not an index: format is {metadata.get('format')!r}")
    if metadata.get("version") != _VERSION:
        raise UnsupportedError(
            f"{where}: version {metadata.get('version')!r}, this version reads {_VERSION!r}"
        )
    if verify == "full" and _checksum(tensors) != metadata.get("sha256"):
        raise MismatchError(f"{where}: the content does not have the checksum in its header")
    return _stored(tensors, metadata, where)


def _stored(tensors: dict[str, Array], metadata: dict[str, str], where: str) -> Stored:
    kind, metric = metadata.get("kind", ""), metadata.get("metric", "")
    if kind not in ("flat", "ivf") or metric not in get_args(Metric):
        raise FormatError(f"{where}: kind is {kind!r} and metric {metric!r}, which are not known")
    vectors = tensors.pop("vectors", None)
    if vectors is None or vectors.dtype != np.float32 or vectors.ndim != 2 or not vectors.shape[1]:
        raise FormatError(f"{where}: tensor 'vectors' is missing, or no float32 of shape (n, dim)")
    ids = _read_ids(tensors, len(vectors), where)
    curve = _read_curve({name: tensors.pop(name, None) for name in _CURVE}, where)
    core = _core.VectorIndex.from_tensors(vectors, metric, tensors, where)
    try:
        recall = float(metadata.get("recall", ""))
    except ValueError:
        recall = 0.0
    if not 0 < recall <= 1:
        raise FormatError(f"{where}: recall is {metadata.get('recall')!r}, expected above 0, to 1")
    reason = metadata.get("reason", "")
    built = Built(core, cast(Literal["flat", "ivf"], kind), reason, curve)
    return Stored(vectors, ids, cast(Metric, metric), built, recall)


def _read_curve(arrays: dict[str, Array | None], where: str) -> RecallCurve | None:
    settings, values, exact = (arrays[name] for name in _CURVE)
    if settings is None or values is None or exact is None:
        return None
    curve = RecallCurve.from_arrays(settings, values, exact)
    if curve is None:
        raise FormatError(f"{where}: the tensors of the recall curve do not fit together")
    return curve


def _id_tensors(ids: Ids) -> dict[str, Array]:
    if ids.dtype.kind == "i":
        return {"ids": ids}
    data, offsets = encoded_texts(ids.tolist())
    return {"id_offsets": offsets, "id_bytes": np.frombuffer(data, dtype=np.uint8)}


def _read_ids(tensors: dict[str, Array], n: int, where: str) -> Ids:
    ids = tensors.pop("ids", None)
    offsets, data = tensors.pop("id_offsets", None), tensors.pop("id_bytes", None)
    if ids is not None:
        if ids.dtype != np.int64 or ids.shape != (n,):
            raise FormatError(f"{where}: tensor 'ids' is no int64 of shape ({n},)")
        if len(np.unique(ids)) != n:
            raise FormatError(f"{where}: tensor 'ids' has an id twice")
        return cast(NDArray[np.int64], ids)
    if (
        offsets is None
        or data is None
        or offsets.dtype != np.int64
        or offsets.shape != (n + 1,)
        or data.dtype != np.uint8
        or data.ndim != 1
        or offsets[0] != 0
        or offsets[-1] != len(data)
        or (np.diff(offsets) < 0).any()
    ):
        raise FormatError(f"{where}: has neither ids nor texts of ids that fit together")
    blob, bounds = data.tobytes(), offsets.tolist()
    try:
        texts = [blob[a:b].decode("utf-8") for a, b in pairwise(bounds)]
    except UnicodeDecodeError:
        raise FormatError(f"{where}: tensor 'id_bytes' has a text that is not UTF-8") from None
    if len(set(texts)) != n or any(text.endswith("\0") for text in texts):
        raise FormatError(f"{where}: an id occurs twice, or ends in a NUL character")
    return np.array(texts, dtype=np.str_)


def _checksum(tensors: dict[str, Array]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
