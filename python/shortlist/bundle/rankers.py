"""The ranker of a bundle: checked against the features, written in compiled and original form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shortlist import safetensors
from shortlist.bundle.loading import graph_inputs, n_graph_outputs
from shortlist.bundle.manifest import Part
from shortlist.errors import ArgumentError, MismatchError, StorageError, UnsupportedError

if TYPE_CHECKING:
    from shortlist.features import FeatureBlocks, FeatureSet
    from shortlist.models import Forest, OnnxModel
    from shortlist.models.inputs import ModelInputs

__all__ = ["PackedRanker", "original_name"]

_COMPILED = "ranker.safetensors"
_ONNX = "ranker.onnx"
_SHOWN = 5
# Extension of the original file, where the format's name does not end in it.
_EXTENSIONS = {
    "lightgbm-text": "txt",
    "xgboost-binary": "bin",
    "xgboost-dump": "dump.json",
    "sklearn": "safetensors",
}


class PackedRanker:
    """A ranker on its way into a bundle.

    Parameters
    ----------
    ranker
        A model file, a trained object (which goes through its library's file format), or a loaded
        forest (then the bundle holds no original file).
    features
        What it must fit; None for a ranker alone.
    raw_score
        Whether scores are to be without the objective's transform.

    Raises
    ------
    ArgumentError, MismatchError, UnsupportedError, and what loading the file raises
    """

    def __init__(
        self,
        ranker: object,
        features: FeatureSet | None,
        *,
        raw_score: bool,
    ) -> None:
        from shortlist.models import Forest, OnnxModel
        from shortlist.models.load import OpenedModel, open_model

        self._opened: OpenedModel | None = None
        self._features = features
        self._raw_score = raw_score
        if isinstance(ranker, OnnxModel):
            raise ArgumentError(
                "ranker: give the path of an ONNX graph, its file is packed as it is"
            )
        if isinstance(ranker, Forest):
            self._model: Forest | OnnxModel = ranker
        else:
            self._opened = open_model(ranker, name="ranker")
            self._model = self._opened.model
        if isinstance(self._model, Forest):
            self.n_outputs = self._model.n_outputs
            if features is not None:
                _check_blocks(features)
                _check_names(self._model.inputs, features.names)
        else:
            self.n_outputs = self._check_graph(self._model)

    @property
    def names(self) -> list[str]:
        """Names of the features it takes."""
        from shortlist.models import Forest

        if isinstance(self._model, Forest):
            return list(self._model.feature_names)
        return [] if self._features is None else list(self._features.names)

    def write(self, folder: Path) -> Part:
        """Write the compiled form, and the original where there is one."""
        from shortlist.models import Forest

        try:
            if not isinstance(self._model, Forest):
                self._write_original(folder / _ONNX)
                return Part("ranker", "onnx", "onnx", (_ONNX,))
            tensors, metadata = self._model.compiled_arrays()
            safetensors.save(folder / _COMPILED, tensors, metadata)
            files = [_COMPILED]
            if self._opened is not None:
                files.append(original_name(self._opened.form))
                self._write_original(folder / files[-1])
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            raise StorageError(f"{error.filename}: {error.strerror}") from error
        return Part("ranker", "forest", "safetensors", tuple(files))

    def score(self, rows: FeatureBlocks | NDArray[np.float64]) -> NDArray[np.float64]:
        """Score transformed rows, or a matrix where there are no features."""
        from shortlist.models import Forest

        if isinstance(self._model, Forest):
            matrix = rows.dense if isinstance(rows, Mapping) else rows
            return self._model.predict(matrix, raw_score=self._raw_score).astype(np.float64)
        if self._features is None or not isinstance(rows, Mapping):
            raise UnsupportedError("an ONNX ranker scores the blocks of a feature set")
        inputs = graph_inputs(self._model, self._features)
        return self._model.predict(dict(zip(inputs, rows.values(), strict=True)))

    def _check_graph(self, model: OnnxModel) -> int:
        if self._features is None:
            raise UnsupportedError("ranker: an ONNX graph needs features=, which name its inputs")
        if self._raw_score:
            raise ArgumentError("raw_score: an ONNX graph has one kind of score")
        return n_graph_outputs(model, self._features)

    def _write_original(self, target: Path) -> None:
        if self._opened is not None:
            target.write_bytes(self._opened.data)


def original_name(form: str) -> str:
    """Return the name that a model's original file has in a bundle, by its format."""
    library, _, extension = form.partition("-")
    extension = _EXTENSIONS.get(form, extension)
    return f"ranker.{library}.{extension}" if extension else f"ranker.{library}"


def _check_blocks(features: FeatureSet) -> None:
    other = [block for block in features.blocks if block != "dense"]
    if other:
        names = ", ".join(repr(name) for name in features.blocks[other[0]][:_SHOWN])
        raise MismatchError(
            f"features: {names} in block {other[0]!r}: a forest reads the block 'dense' only"
        )


def _check_names(inputs: ModelInputs, features: Sequence[str]) -> None:
    """Refuse features that are not the model's in its order; names made by counting say nothing."""
    model, unnamed = inputs.feature_names, inputs.is_unnamed
    if len(model) != len(features) and unnamed:
        raise MismatchError(
            f"the model takes {len(model)} features, the feature set makes {len(features)}"
        )
    # LightGBM stores white space as underscores.
    stored = [re.sub(r"\s", "_", name) for name in features]
    if unnamed or [re.sub(r"\s", "_", name) for name in model] == stored:
        return
    absent = [name for name in model if name not in stored]
    surplus = [name for name in stored if name not in set(model)]
    differences = [
        f"{what}: {', '.join(repr(name) for name in names[:_SHOWN])}"
        + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        for what, names in (("only in the model", absent), ("only in the features", surplus))
        if names
    ]
    if not differences:
        moved = [i for i, (a, b) in enumerate(zip(model, stored, strict=False)) if a != b]
        differences = [
            f"feature {i} is {model[i]!r} in the model, {stored[i]!r} in the features"
            for i in moved[:_SHOWN]
        ]
    raise MismatchError("model and features disagree: " + "; ".join(differences))
