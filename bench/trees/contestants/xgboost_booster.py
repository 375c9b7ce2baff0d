"""XGBoost: Booster.inplace_predict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.trees.models import MODELS, TreeModel
from bench.trees.subject import TreeSubject, require


class InplacePredict(TreeSubject):
    """Rows are read where they lie."""

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("xgboost", "numpy")

    @staticmethod
    def prepare(cache: Path, *, model: str) -> None:
        require("xgboost")
        MODELS[model].path(cache)

    def open(self, cache: Path, model: TreeModel) -> None:
        import xgboost as xgb

        self._booster = xgb.Booster({"nthread": 1}, model_file=model.path(cache))

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        scores: NDArray[np.float32] = self._booster.inplace_predict(rows, validate_features=False)
        return scores
