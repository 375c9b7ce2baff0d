"""What contestants have in common: batches of fresh rows out of a pool, and scores when asked."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.harness.contestant import AbsentError
from bench.trees.models import MODELS, TreeModel

_POOL_ROWS = 40_000
_POOL_SEED = 21


class TreeSubject(ABC):
    """One way to score one model; the batch is set by `ask`, so that all are timed in a process.

    Questions: `batch` sets the rows of a call; `scores` gives the scores of so many last rows of
    the pool, in calls of that batch; `seconds` the processor time of compiling, where it compiles.
    """

    dtype: type[np.float32] | type[np.float64] = np.float32

    def __init__(self, cache: Path, *, model: str) -> None:
        self._model = MODELS[model]
        self._pool: NDArray[np.floating] = self._model.rows(_POOL_ROWS, _POOL_SEED).astype(
            self.dtype, order="C"
        )
        self._batch = 1
        self._n_starts = _POOL_ROWS
        self.open(cache, self._model)

    @abstractmethod
    def open(self, cache: Path, model: TreeModel) -> None:
        """Load the model."""

    @abstractmethod
    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        """Score rows: shape (batch, features), C order."""

    def set_batch(self, batch: int) -> None:
        """Calls score so many rows from now on."""
        self._batch = batch
        self._n_starts = _POOL_ROWS // batch

    def call(self, i: int) -> object:
        """Score batch number i of the pool."""
        start = i % self._n_starts * self._batch
        return self.predict(self._pool[start : start + self._batch])

    def ask(self, question: Mapping[str, object]) -> object:
        """Answer what the class says."""
        if "batch" in question:
            self.set_batch(int(str(question["batch"])))
            return self._batch
        if "scores" in question:
            return self._scores(int(str(question["scores"])))
        if "seconds" in question:
            return self.compile_seconds()
        raise ValueError(f"nothing to answer: {dict(question)}")

    def compile_seconds(self) -> float | None:
        """Processor seconds that compiling the model took, whenever it was; None without."""
        return None

    def _scores(self, n: int) -> list[float]:
        first = _POOL_ROWS - n
        starts = range(first, _POOL_ROWS, self._batch)
        batches = [np.ravel(self.predict(self._pool[s : s + self._batch])).copy() for s in starts]
        scores: list[float] = np.concatenate(batches).astype(np.float64).tolist()
        return scores


def require(*packages: str) -> None:
    """AbsentError unless all these distributions are installed."""
    for package in packages:
        try:
            metadata.version(package)
        except metadata.PackageNotFoundError:
            raise AbsentError(f"{package} is not installed") from None


@contextmanager
def converting(what: str) -> Iterator[None]:
    """Whatever a converter or a compiler raises means that the contestant is absent, and why."""
    try:
        yield
    except AbsentError:
        raise
    except Exception as error:  # converters raise all kinds, some bare Exception
        traceback.print_exc()
        lines = [line for line in str(error).splitlines() if line.strip()] or [""]
        raise AbsentError(f"{what}: {type(error).__name__}: {lines[-1].strip()[:160]}") from error
