"""lleaves: a LightGBM model compiled by LLVM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.harness.cache import version_of
from bench.harness.contestant import AbsentError
from bench.trees.compiled import compiled, seconds_of
from bench.trees.models import MODELS, TreeModel
from bench.trees.subject import TreeSubject, converting, require

# Addresses in 32 bits: a tenth faster than the default, and these forests are small enough.
_SETTINGS = {"fcodemodel": "small"}


class Compiled(TreeSubject):
    """lleaves.Model.predict; it takes float64 rows, made beforehand."""

    dtype = np.float64

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("lleaves", "llvmlite", "numpy")

    @staticmethod
    def prepare(cache: Path, *, model: str) -> None:
        require("lleaves", "llvmlite")
        with converting("lleaves"):
            _machine_code(cache, MODELS[model])

    def open(self, cache: Path, model: TreeModel) -> None:
        import lleaves

        self._folder = _machine_code(cache, model)
        self._forest = lleaves.Model(model.path(cache))
        self._forest.compile(cache=self._folder / "model.o", **_SETTINGS)

    def compile_seconds(self) -> float:
        return seconds_of(self._folder)

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        scores: NDArray[np.float64] = self._forest.predict(rows, n_jobs=1)
        return scores


def _machine_code(cache: Path, model: TreeModel) -> Path:
    if model.library != "lightgbm":
        raise AbsentError("lleaves reads LightGBM models alone")
    path = model.path(cache)
    spec = (model.key(cache), version_of("lleaves"), version_of("llvmlite"), _SETTINGS)

    def build(folder: Path) -> None:
        import lleaves

        lleaves.Model(path).compile(cache=folder / "model.o", **_SETTINGS)

    return compiled(cache, f"lleaves-{model.name}", spec, build)
