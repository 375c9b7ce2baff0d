"""The targets by name: their corpus, how an input is damaged, what must hold of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol, TypeAlias

import numpy as np

from shortlist.models import Forest
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

from .damaged_bytes import damage_bytes
from .damaged_json import damage_json
from .damaged_protobuf import damage_protobuf
from .damaged_tensors import Tensors, damage_file, damage_tensors
from .damaged_text import damage_text
from .damaged_ubjson import damage_ubjson
from .judge import judge_compiled, judge_file

__all__ = ["NAMES", "Target", "target"]

_FIXTURES = Path(__file__).resolve().parents[2] / "tests" / "fixtures"
_Damage: TypeAlias = Callable[[bytes, bytes, Random], bytes]
_Importer: TypeAlias = Callable[[bytes], ImportedEnsemble | None]


class Target(Protocol):
    """Inputs are bytes; execution i of a seed always makes the same input and the same rows."""

    def make(self, rng: Random) -> bytes:
        """Return a damaged model of the corpus."""

    def judge(self, data: bytes, rng: Random) -> bool:
        """Return whether the input was accepted; raise what it must not."""


@dataclass(frozen=True)
class _Files:
    """Model files of one format."""

    corpus: list[bytes]
    damage: _Damage
    importer: _Importer

    def make(self, rng: Random) -> bytes:
        return self.damage(rng.choice(self.corpus), rng.choice(self.corpus), rng)

    def judge(self, data: bytes, rng: Random) -> bool:
        return judge_file(data, self.importer, rng)


@dataclass(frozen=True)
class _Compiled:
    """Compiled forests of every model that the other targets damage; an input is an .npz file."""

    corpus: list[Tensors]

    def make(self, rng: Random) -> bytes:
        file = io.BytesIO()
        made = damage_tensors(rng.choice(self.corpus), rng.choice(self.corpus), rng)
        np.savez(file, allow_pickle=False, **made)
        return file.getvalue()

    def judge(self, data: bytes, rng: Random) -> bool:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            tensors = {name: np.asarray(file[name]) for name in file.files}
        return judge_compiled(tensors, {"kind": "forest"}, rng)


# Files of the corpus, the damage, the importer.
_FORMATS: dict[str, tuple[str, _Damage, _Importer]] = {
    "catboost-cbm": ("fuzz/catboost-cbm/*", damage_bytes, import_catboost_cbm),
    "catboost-json": ("fuzz/catboost-json/*", damage_json, import_catboost_json),
    "lightgbm-json": ("fuzz/lightgbm-json/*", damage_json, import_lightgbm_json),
    "lightgbm-text": ("fuzz/lightgbm-text/*", damage_text, import_lightgbm),
    "onnx": ("fuzz/onnx/*", damage_protobuf, import_onnx_trees),
    "sklearn": ("fuzz/sklearn/*", damage_file, import_sklearn),
    "xgboost-binary": ("xgboost/*/*.bin", damage_bytes, import_xgboost_binary),
    "xgboost-dump": ("fuzz/xgboost-dump/*", damage_json, import_xgboost_dump),
    "xgboost-json": ("xgboost/*/*.json", damage_json, import_xgboost_json),
    "xgboost-ubj": ("fuzz/xgboost-ubj/*", damage_ubjson, import_xgboost_ubj),
}
NAMES = (*_FORMATS, "compiled")


def target(name: str) -> Target:
    """Return the target of that name, its corpus read."""
    if name != "compiled":
        _, damage, importer = _FORMATS[name]
        return _Files(_corpus(name), damage, importer)
    forests = []
    for form, (_, _, importer) in _FORMATS.items():
        for data in _corpus(form):
            ensemble = importer(data)
            if ensemble is not None:
                forests.append(Forest.from_imported(ensemble).compiled_arrays()[0])
    return _Compiled(forests)


def _corpus(form: str) -> list[bytes]:
    paths = sorted(_FIXTURES.glob(_FORMATS[form][0]))
    if not paths:
        raise FileNotFoundError(f"no file {_FORMATS[form][0]} in {_FIXTURES}")
    return [path.read_bytes() for path in paths]
