"""Models and files of rows for the tests of `shortlist score`."""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

N_ROWS = 1000
NAMES = ("amount", "age", "is_new")


def matrix(n_rows: int = N_ROWS) -> np.ndarray:
    random = np.random.default_rng(3)
    rows = random.normal(size=(n_rows, len(NAMES)))
    rows[:, 1] = random.integers(18, 80, n_rows)
    rows[:, 2] = random.integers(0, 2, n_rows)
    rows[random.random(n_rows) < 0.1, 0] = np.nan
    return rows


def save_model(path: Path, *, n_classes: int = 1) -> Path:
    rows = matrix()
    score = np.nan_to_num(rows[:, 0]) + rows[:, 1] / 40
    label = score > 1 if n_classes == 1 else np.digitize(score, [0.5, 1.5])
    settings = {"verbosity": -1, "num_leaves": 7, "num_threads": 1}
    settings |= {"objective": "binary"} if n_classes == 1 else {"objective": "multiclass"}
    if n_classes > 1:
        settings["num_class"] = n_classes
    data = lightgbm.Dataset(rows, label, feature_name=list(NAMES))
    lightgbm.train(settings, data, 8).save_model(path)
    return path


def table(n_rows: int = N_ROWS) -> pa.Table:
    """The rows in another order of columns, with an id, and a column that no model takes."""
    rows = matrix(n_rows)
    numbers = pa.array(np.arange(n_rows))
    return pa.table(
        {
            "is_new": rows[:, 2].astype(bool),
            "id": pc.utf8_lpad(numbers.cast(pa.string()), 5, "0"),
            "when": numbers.cast(pa.timestamp("s")),
            "age": rows[:, 1].astype(np.int64),
            "amount": pa.array(rows[:, 0], from_pandas=True),
        }
    )


def save_rows(path: Path, n_rows: int = N_ROWS) -> Path:
    if path.suffix == ".npy":
        np.save(path, matrix(n_rows))
    elif path.suffix == ".csv":
        arrow_csv.write_csv(table(n_rows), path)
    else:
        pq.write_table(table(n_rows), path, row_group_size=300)
    return path


def read_scores(path: Path, n_outputs: int = 1) -> np.ndarray:
    if path.suffix == ".npy":
        return np.load(path)
    read = arrow_csv.read_csv(path) if path.suffix == ".csv" else pq.read_table(path)
    names = ["score"] if n_outputs == 1 else [f"score_{i}" for i in range(n_outputs)]
    columns = [read[name].to_numpy() for name in names]
    return columns[0] if n_outputs == 1 else np.stack(columns, axis=1)
