"""Opening a version: its folder found and checked, the native engine made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.bundle import manifest as manifests
from shortlist.bundle.files import check_files
from shortlist.bundle.folder import Folder
from shortlist.bundle.versions import resolve
from shortlist.errors import FormatError, MismatchError, NotFoundError, UnsupportedError

if TYPE_CHECKING:
    from shortlist.features import FeatureSet
    from shortlist.models import OnnxModel

__all__ = [
    "NativeEngine",
    "checked_version",
    "external_ranker",
    "graph_inputs",
    "n_graph_outputs",
    "open_native",
]


def checked_version(path: str | os.PathLike[str], *, full: bool) -> Path:
    """Find a version and check its files.

    Parameters
    ----------
    path
        A folder of versions, of which the latest is taken, or one version.
    full
        Check the SHA-256 of every file too; otherwise the manifest, and that the files are there
        with their sizes.

    Raises
    ------
    NotFoundError, FormatError, MismatchError, UnsupportedError, StorageError
        The message names the file and what is wrong with it.
    """
    version = resolve(path)
    with Folder(version) as folder:
        check_files(folder, manifests.read(folder), full=full)
    return version


def external_ranker(version: Path) -> _core.CallbackRanker | None:
    """Ranker that runs outside the native core, None where the core runs it itself.

    Raises
    ------
    UnsupportedError, MismatchError
        Of the ranker's kind, or where it does not fit the features.
    """
    with Folder(version) as folder:
        manifest = manifests.read(folder)
    part = manifest.part("ranker")
    if part is None:
        raise NotFoundError(f"{manifests.FILE_NAME}: the bundle has no ranker")
    if part.kind == "forest":
        return None
    if part.kind != "onnx":
        raise UnsupportedError(
            f"{manifests.FILE_NAME}: part 'ranker' is of kind {part.kind!r}, this version reads "
            f"'forest' and 'onnx'"
        )
    features = manifest.part("features")
    if features is None:
        raise MismatchError(f"{part.files[0]}: an ONNX ranker needs the bundle to have features")
    from shortlist.features import FeatureSet
    from shortlist.models import OnnxModel

    definition = FeatureSet.from_json((version / features.files[0]).read_bytes())
    try:
        model = OnnxModel((version / part.files[0]).read_bytes())
    except (FormatError, UnsupportedError) as error:
        raise type(error)(f"{part.files[0]}: {error}") from error
    return _core.CallbackRanker(
        _BlockScorer(model, definition), definition.names, n_graph_outputs(model, definition)
    )


def n_graph_outputs(model: OnnxModel, features: FeatureSet) -> int:
    """Scores a graph gives for a row, found by trying one of zeros; raises as `graph_inputs`."""
    row = np.zeros((1, len(features.names)), dtype=np.uint32)
    return int(_BlockScorer(model, features)(row).size)


def graph_inputs(model: OnnxModel, features: FeatureSet) -> list[str]:
    """Graph input of each feature block: the one of its name, or the only one there is.

    Raises
    ------
    MismatchError
        Inputs and blocks differ.
    """
    blocks = list(features.blocks)
    if len(model.input_names) == 1 and len(blocks) == 1:
        return list(model.input_names)
    if set(model.input_names) != set(blocks):
        raise MismatchError(
            f"the graph's inputs are {', '.join(model.input_names)}, the feature blocks are "
            f"{', '.join(blocks)}"
        )
    return blocks


class _BlockScorer:
    """Scores rows of 4-byte cells with a graph: float32 in block "dense", int32 in any other."""

    def __init__(self, model: OnnxModel, features: FeatureSet) -> None:
        self._model = model
        position = {name: column for column, name in enumerate(features.names)}
        self._blocks = [
            (
                given,
                [position[name] for name in names],
                np.float32 if block == "dense" else np.int32,
            )
            for given, (block, names) in zip(
                graph_inputs(model, features), features.blocks.items(), strict=True
            )
        ]

    def __call__(self, cells: NDArray[np.uint32]) -> NDArray[np.float64]:
        return self._model.predict(
            {
                given: np.ascontiguousarray(cells[:, columns]).view(dtype)
                for given, columns, dtype in self._blocks
            }
        )


@dataclass(frozen=True)
class _Ranked:
    ids: NDArray[np.int64] | list[str]
    scores: NDArray[np.float64]


class NativeEngine:
    """The native engine of one version, for samples; unknown attributes are let pass."""

    def __init__(self, version: Path) -> None:
        self._core = _core.Engine(str(version), ranker=external_ranker(version))

    def rank(self, request: Mapping[str, object], /) -> _Ranked:
        """Answer one request."""
        ids, scores, *_ = self._core.rank(msgspec.json.encode(request))
        return _Ranked(ids, scores)

    def score(self, rows: Sequence[Mapping[str, object]], /) -> NDArray[np.float64]:
        """Score rows of feature values."""
        return self._core.score(msgspec.json.encode({"rows": rows}))


def open_native(version: Path) -> NativeEngine:
    """Open one version's folder."""
    return NativeEngine(version)
