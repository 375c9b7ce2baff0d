"""shortlist: Forest.predict, and a bound call whose rows and scores stand already."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.trees.models import MODELS, TreeModel
from bench.trees.subject import TreeSubject


class Predict(TreeSubject):
    """Forest.predict, which reads the rows in place."""

    def __init__(self, cache: Path, *, model: str, n_threads: int = 1) -> None:
        self._n_threads = n_threads
        super().__init__(cache, model=model)

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("shortlist", "numpy")

    @staticmethod
    def prepare(cache: Path, *, model: str) -> None:
        MODELS[model].path(cache)

    def open(self, cache: Path, model: TreeModel) -> None:
        import shortlist

        self._forest = shortlist.load_model(model.path(cache))

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        return self._forest.predict(rows, n_threads=self._n_threads)


class Bound(Predict):
    """Forest.bind, which reads the rows in place and writes its own scores."""

    def set_batch(self, batch: int) -> None:
        super().set_batch(batch)
        self._bound = self._forest.bind(batch)

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        return self._bound(rows)
