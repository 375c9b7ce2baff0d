"""FeatureSet.transform against numpy columns and dict look-ups, over 10,000 rows of 50 features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.micro.subject import MicroSubject
from bench.whole_request.engine import feature_set
from bench.workload import catalogue as c

_N_ROWS = 10_000
_N_FRAMES = 8
_SEED = 12

Frame = dict[str, "NDArray[np.float64] | list[str | None]"]


def _frame(seed: int) -> Frame:
    rng = np.random.default_rng(seed)
    frame: Frame = {}
    numbers = {"user": c.USER_NUMBERS, "context": c.CONTEXT_NUMBERS, "item": c.ITEM_NUMBERS}
    for source, names in numbers.items():
        values = c.numbers(rng, _N_ROWS, len(names)).astype(np.float64)
        frame |= {f"{source}.{name}": values[:, i].copy() for i, name in enumerate(names)}
    for source, texts in (("user", c.USER_TEXTS), ("item", c.ITEM_TEXTS)):
        codes = c.codes(rng, _N_ROWS, texts)
        for i, (name, vocabulary) in enumerate(texts.items()):
            texts_of = (None, *vocabulary)
            frame[f"{source}.{name}"] = [texts_of[code] for code in codes[:, i]]
    return frame


class _Frames(MicroSubject):
    """Frames of columns: float64 arrays and lists of texts."""

    def __init__(self) -> None:
        self._frames = [_frame(_SEED + i) for i in range(_N_FRAMES)]

    @staticmethod
    def prepare(cache: Path) -> None:
        """Frames are made in memory; nothing to prepare."""

    def call(self, i: int) -> object:
        return self.transform(self._frames[i % _N_FRAMES])

    def transform(self, frame: Frame) -> NDArray[np.float32]:
        raise NotImplementedError

    def ask(self, question: Mapping[str, object]) -> object:
        """A sample: the first rows of a frame, -1 for NaN."""
        return np.nan_to_num(self.transform(self._frames[0])[:200], nan=-1.0).tolist()


class ShortlistFeatures(_Frames):
    def __init__(self, cache: Path) -> None:
        super().__init__()
        self._features = feature_set()

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("shortlist", "numpy")

    def transform(self, frame: Frame) -> NDArray[np.float32]:
        return self._features.transform(frame).dense


class NumpyFeatures(_Frames):
    def __init__(self, cache: Path) -> None:
        super().__init__()
        texts = [("user", c.USER_TEXTS), ("item", c.ITEM_TEXTS)]
        self._code_of = {
            f"{source}.{name}": {text: i for i, text in enumerate(vocabulary, 1)}
            for source, named in texts
            for name, vocabulary in named.items()
        }
        self._names = [
            *(f"user.{name}" for name in c.USER_FIELDS),
            *(f"context.{name}" for name in c.CONTEXT_NUMBERS),
            *(f"item.{name}" for name in c.ITEM_FIELDS),
        ]

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("numpy",)

    def transform(self, frame: Frame) -> NDArray[np.float32]:
        x = np.empty((_N_ROWS, len(self._names)), np.float32)
        for column, name in enumerate(self._names):
            code_of = self._code_of.get(name)
            if code_of is None:
                x[:, column] = frame[name]
            else:
                x[:, column] = [code_of.get(text, 0) for text in frame[name]]
        return x
