"""Rows for the real models of ../shared: real ones where there are some, else of real columns.

$SHORTLIST_SHARED names another folder than ../shared.
"""

from __future__ import annotations

import csv
import functools
import gzip
import json
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]

_SHARED = Path(os.environ.get("SHORTLIST_SHARED") or Path(__file__).resolve().parents[3] / "shared")
MODELS = _SHARED / "models"

NYC_TAXI = MODELS / "lightgbm-lleaves/nyc_taxi"
ADULT = MODELS / "trained-here/xgb32_adult_cat_nan"
MQ2008 = MODELS / "xgboost-gbdt-rs/mq2008_rank_pairwise"
_ADULT_DATA = _SHARED / "data/adult"


def taxi_rows(n: int, seed: int) -> Rows:
    """Each cell drawn from its column of the case's inputs: there are no trips to read."""
    inputs = np.genfromtxt(NYC_TAXI / "inputs.csv", delimiter=",", skip_header=1)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(inputs), (n, inputs.shape[1]))
    return np.take_along_axis(inputs, drawn, axis=0).astype(np.float32)


def adult_rows(n: int, seed: int) -> Rows:
    """Rows of UCI Adult, in an order of the seed; 3 % of the cells blanked, as the case does."""
    rng = np.random.default_rng(seed)
    x = _shuffled(_adult(), n, rng)
    x[rng.random(x.shape) < 0.03] = np.nan
    return x


def mq2008_rows(n: int, seed: int) -> Rows:
    """Rows of LETOR MQ2008, in an order of the seed."""
    return _shuffled(_mq2008(), n, np.random.default_rng(seed))


def _shuffled(x: Rows, n: int, rng: np.random.Generator) -> Rows:
    """All rows in some order, then all again in another, until there are n."""
    order = [rng.permutation(len(x)) for _ in range(-(-n // len(x)))]
    return x[np.concatenate(order)[:n]]


@functools.cache
def _adult() -> Rows:
    categories = json.loads((ADULT / "case.json").read_text())["categories"]
    codes = {name: {text: i for i, text in enumerate(texts)} for name, texts in categories.items()}
    made = []
    for part in ("adult_train.csv.gz", "adult_test.csv.gz"):
        with gzip.open(_ADULT_DATA / part, "rt", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                del row["income"]
                made.append([_cell(text, codes.get(name)) for name, text in row.items()])
    return np.array(made, np.float32)


def _cell(text: str, codes: dict[str, int] | None) -> float:
    if not text:
        return np.nan
    return float(text) if codes is None else codes[text]


@functools.cache
def _mq2008() -> Rows:
    n_features = json.loads((MQ2008 / "case.json").read_text())["n_features"]
    lines = (MQ2008 / "inputs.libsvm").read_text().splitlines()
    x = np.full((len(lines), n_features), np.nan, np.float32)
    for row, line in zip(x, lines, strict=True):
        for pair in line.split()[1:]:
            index, _, value = pair.partition(":")
            row[int(index)] = float(value)
    return x
