"""CatBoost: predict in Python, and its C++ export compiled by g++ and called by ctypes."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.harness.cache import version_of
from bench.trees.compiled import compiled, compiler_version, seconds_of
from bench.trees.models import MODELS, TreeModel
from bench.trees.subject import TreeSubject, converting, require

_COMPILE = ("g++", "-O3", "-march=native", "-std=c++17", "-shared", "-fPIC")

# The export scores one row, given as a vector; the loop over rows and the vector are ours.
_LOOP = """
#include "model.cpp"
extern "C" void score(const float* rows, size_t n_rows, size_t n_features, double* scores) {
  std::vector<float> row(n_features);
  for (size_t i = 0; i < n_rows; ++i) {
    row.assign(rows + i * n_features, rows + (i + 1) * n_features);
    scores[i] = ApplyCatboostModel(row);
  }
}
"""


class Predict(TreeSubject):
    """CatBoost.predict of an array."""

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("catboost", "numpy")

    @staticmethod
    def prepare(cache: Path, *, model: str) -> None:
        require("catboost")
        MODELS[model].path(cache)

    def open(self, cache: Path, model: TreeModel) -> None:
        from catboost import CatBoost

        self._forest = CatBoost().load_model(str(model.path(cache)))

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        scores: NDArray[np.float64] = self._forest.predict(rows, thread_count=1)
        return scores


class Exported(TreeSubject):
    """The C++ export; a call is one foreign call with two addresses."""

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("catboost", "numpy")

    @staticmethod
    def prepare(cache: Path, *, model: str) -> None:
        require("catboost")
        with converting("CatBoost's C++ export"):
            _library(cache, MODELS[model])

    def open(self, cache: Path, model: TreeModel) -> None:
        self._folder = _library(cache, model)
        self._score = ctypes.CDLL(str(self._folder / "model.so")).score
        self._score.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]
        self._score.restype = None

    def compile_seconds(self) -> float:
        return seconds_of(self._folder)

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        scores = np.empty(len(rows))
        self._score(rows.ctypes.data, *rows.shape, scores.ctypes.data)
        return scores


def _library(cache: Path, model: TreeModel) -> Path:
    path = model.path(cache)
    spec = (
        version_of("catboost"),
        model.key(cache),
        _COMPILE,
        compiler_version(_COMPILE[0]),
        _LOOP,
    )

    def build(folder: Path) -> None:
        from catboost import CatBoost

        CatBoost().load_model(str(path)).save_model(str(folder / "model.cpp"), format="cpp")
        (folder / "loop.cpp").write_text(_LOOP)
        subprocess.run([*_COMPILE, "loop.cpp", "-o", "model.so"], check=True, cwd=folder)

    return compiled(cache, f"catboost-cpp-{model.name}", spec, build)
