"""Forest.predict against LightGBM and lleaves: the whole request's ranker, fresh rows each call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.micro.subject import MicroSubject
from bench.whole_request.best_glue import open_lleaves
from bench.workload import ranker

_POOL_ROWS = 40_000
_SAMPLE_ROWS = 1_000
_SEED = 11


class _Rows(MicroSubject):
    """Contiguous batches out of a pool; `ask` gives the scores of the last rows."""

    def __init__(self, cache: Path, dtype: type, batch: int) -> None:
        self._pool: NDArray[np.floating] = ranker.rows(_POOL_ROWS, _SEED).astype(dtype)
        self._batch = batch
        self._n_starts = _POOL_ROWS // batch

    def call(self, i: int) -> object:
        start = i % self._n_starts * self._batch
        return self.predict(self._pool[start : start + self._batch])

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        raise NotImplementedError

    def ask(self, question: Mapping[str, object]) -> object:
        """A sample: scores of the pool's last rows."""
        return self.predict(self._pool[-_SAMPLE_ROWS:]).tolist()


class ShortlistForest(_Rows):
    def __init__(self, cache: Path, *, batch: int) -> None:
        import shortlist

        super().__init__(cache, np.float32, batch)
        self._forest = shortlist.load_model(ranker.model_path(cache))

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("shortlist", "numpy")

    @staticmethod
    def prepare(cache: Path) -> None:
        ranker.model_path(cache)

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        return self._forest.predict(rows, n_threads=1)


class LightGbm(_Rows):
    def __init__(self, cache: Path, *, batch: int) -> None:
        import lightgbm as lgb

        super().__init__(cache, np.float32, batch)
        self._booster = lgb.Booster(model_file=ranker.model_path(cache))

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("lightgbm", "numpy")

    @staticmethod
    def prepare(cache: Path) -> None:
        ranker.model_path(cache)

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = self._booster.predict(rows, num_threads=1)
        return scores


class Lleaves(_Rows):
    def __init__(self, cache: Path, *, batch: int) -> None:
        super().__init__(cache, np.float64, batch)
        self._forest = open_lleaves(cache)

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("lleaves", "llvmlite", "numpy")

    @staticmethod
    def prepare(cache: Path) -> None:
        open_lleaves(cache)

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = self._forest.predict(rows, n_jobs=1)
        return scores
