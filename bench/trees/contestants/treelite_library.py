"""treelite: the C that tl2cgen writes for a model, compiled by gcc."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.harness.cache import version_of
from bench.harness.contestant import AbsentError
from bench.trees.compiled import compiled, compiler_version, seconds_of
from bench.trees.models import MODELS, TreeModel
from bench.trees.subject import TreeSubject, converting, require

_OPTIONS = ("-O3", "-march=native")
# So many files of C, or else the compiler takes all memory; as tl2cgen's documentation advises.
_TREES_A_FILE = 8


class Library(TreeSubject):
    """tl2cgen.Predictor; making its matrix of a batch belongs to the call."""

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("treelite", "tl2cgen", "numpy")

    @staticmethod
    def prepare(cache: Path, *, model: str) -> None:
        require("treelite", "tl2cgen")
        with converting("tl2cgen"):
            _library(cache, MODELS[model])

    def open(self, cache: Path, model: TreeModel) -> None:
        import tl2cgen

        self._folder = _library(cache, model)
        self._matrix = tl2cgen.DMatrix
        self._predictor = tl2cgen.Predictor(self._folder / "model.so", nthread=1)

    def compile_seconds(self) -> float:
        return seconds_of(self._folder)

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        scores: NDArray[np.floating] = self._predictor.predict(self._matrix(rows))
        return scores


def _library(cache: Path, model: TreeModel) -> Path:
    if model.library == "catboost":
        raise AbsentError("treelite reads no CatBoost models")
    path = model.path(cache)
    versions = [version_of(package) for package in ("treelite", "tl2cgen")]
    spec = (model.key(cache), versions, _OPTIONS, _TREES_A_FILE, compiler_version("gcc"))

    def build(folder: Path) -> None:
        import tl2cgen
        from treelite import frontend

        read = {
            "lightgbm": frontend.load_lightgbm_model,
            "xgboost": frontend.load_xgboost_model,
        }[model.library]
        forest = read(path)
        tl2cgen.export_lib(
            forest,
            toolchain="gcc",
            libpath=folder / "model.so",
            params={"parallel_comp": -(-forest.num_tree // _TREES_A_FILE)},
            options=list(_OPTIONS),
        )

    return compiled(cache, f"tl2cgen-{model.name}", spec, build)
