"""LightGBM: Booster.predict, and the single-row entry of its C interface, called by ctypes."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.trees.models import MODELS, TreeModel
from bench.trees.subject import TreeSubject, require


class _LightGbm(TreeSubject):
    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("lightgbm", "numpy")

    @staticmethod
    def prepare(cache: Path, *, model: str) -> None:
        require("lightgbm")
        MODELS[model].path(cache)

    def open(self, cache: Path, model: TreeModel) -> None:
        import lightgbm as lgb

        self._booster = lgb.Booster(model_file=model.path(cache))


class Predict(_LightGbm):
    """Booster.predict."""

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        scores: NDArray[np.float64] = self._booster.predict(rows, num_threads=1)
        return scores


class SingleRowFast(_LightGbm):
    """LGBM_BoosterPredictForMatSingleRowFast: everything but the row is set up beforehand."""

    _FLOAT32 = 0
    _NORMAL = 0

    def open(self, cache: Path, model: TreeModel) -> None:
        from lightgbm.basic import _LIB, _safe_call

        super().open(cache, model)
        n_features = self._booster.num_feature()
        self._config = ctypes.c_void_p()
        _safe_call(
            _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
                self._booster._handle,
                ctypes.c_int(self._NORMAL),
                ctypes.c_int(0),
                ctypes.c_int(-1),
                ctypes.c_int(self._FLOAT32),
                ctypes.c_int32(n_features),
                ctypes.c_char_p(b"num_threads=1"),
                ctypes.byref(self._config),
            )
        )
        self._check = _safe_call
        self._score = _LIB.LGBM_BoosterPredictForMatSingleRowFast
        self._score.argtypes = [ctypes.c_void_p] * 4
        self._n_out = ctypes.c_int64()
        self._out = np.zeros(self._booster.num_model_per_iteration())
        self._n_out_address = ctypes.addressof(self._n_out)
        self._out_address = self._out.ctypes.data
        self._first_row = self._pool.ctypes.data
        self._row_bytes = self._pool.strides[0]

    def call(self, i: int) -> object:
        """Score row i where it lies, without an array made for it."""
        row = self._first_row + i % self._n_starts * self._row_bytes
        self._check(self._score(self._config, row, self._n_out_address, self._out_address))
        return self._out

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        if len(rows) != 1:
            raise ValueError(f"{len(rows)} rows: this entry scores one")
        address = rows.ctypes.data
        self._check(self._score(self._config, address, self._n_out_address, self._out_address))
        return self._out
