"""Makes tests/fixtures/xgboost/: models that old versions of XGBoost wrote, and their scores.

Run it once under each version (0.90, 1.0.2, 1.7.6, 2.1.4, 3.0.5) with that version and NumPy 1
installed: ``python tools/make_xgboost_fixtures.py tests/fixtures/xgboost``. A case is one model
file and one .npz with rows, margins, predictions and leaves.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

VERSION = tuple(int(part) for part in xgboost.__version__.split(".")[:2])
N_ROWS, N_SHOWN = 300, 40


def make_rows(rng: Any) -> Any:
    """Five columns with NaN; the last one holds categories."""
    rows = rng.normal(size=(N_ROWS, 5)).astype(np.float32)
    rows[rng.rand(N_ROWS, 5) < 0.1] = np.nan
    rows[:, 4] = rng.randint(0, 12, N_ROWS)
    return rows


def cases(rows: Any) -> Any:
    """Yield name, parameters, labels and types of features."""
    filled = np.nan_to_num(rows)
    y = filled[:, 0] + filled[:, 1] * filled[:, 2] + np.sin(filled[:, 4])
    plain = "reg:linear" if VERSION < (1, 0) else "reg:squarederror"
    yield "logistic", {"objective": "binary:logistic", "base_score": 0.3, "gamma": 0.5}, y > 0, None
    yield "logitraw", {"objective": "binary:logitraw", "base_score": 0.3}, y > 0, None
    yield "hinge", {"objective": "binary:hinge"}, y > 0, None
    dart = {"booster": "dart", "rate_drop": 0.5, "one_drop": 1, "base_score": 0.7}
    yield "dart", {"objective": "count:poisson", **dart}, np.abs(y), None
    softmax = {"objective": "multi:softprob", "num_class": 3, "base_score": 0.7}
    yield "softprob", softmax, np.digitize(y, [-0.5, 0.7]), None
    linear = {"objective": plain, "booster": "gblinear", "base_score": 0.7}
    yield "linear", linear, y, None
    if VERSION >= (1, 6):
        types = ["q"] * 4 + ["c"]
        sets = {"objective": plain, "tree_method": "hist", "max_cat_to_onehot": 1}
        yield "categories", sets, y, types
        yield "targets", {"objective": plain, "tree_method": "hist"}, np.column_stack([y, -y]), None
    if VERSION >= (2, 0):
        vectors = {"tree_method": "hist", "multi_strategy": "multi_output_tree"}
        yield "vectors", {"objective": plain, **vectors}, np.column_stack([y, -y]), None


def write(stem: Path, params: dict[str, Any], rows: Any, y: Any, types: Any) -> None:
    """Train one model, save it and its scores."""
    extra = {} if types is None else {"feature_types": types, "enable_categorical": True}
    data = xgboost.DMatrix(rows, y, nthread=1, **extra)
    shown = xgboost.DMatrix(rows[:N_SHOWN], nthread=1, **extra)
    params = {"max_depth": 3, "eta": 0.5, "nthread": 1, **params}
    booster = xgboost.train(params, data, 4)
    booster.set_attr(best_iteration="2")
    # Before 1.0 dart drops trees in predictions too, unless their number is given.
    limit = {"ntree_limit": 4} if VERSION < (1, 0) and stem.name == "dart" else {}
    leaves = None if stem.name == "linear" else booster.predict(shown, pred_leaf=True)
    np.savez_compressed(
        stem.with_suffix(".npz"),
        rows=rows[:N_SHOWN],
        margin=booster.predict(shown, output_margin=True, **limit),
        prediction=booster.predict(shown, **limit),
        leaves=np.zeros(0) if leaves is None else leaves,
    )
    if VERSION >= (1, 0):
        booster.save_model(str(stem.with_suffix(".json")))
    if VERSION < (2, 0) and types is None:
        booster.save_model(str(stem.with_suffix(".bin")))


def main() -> None:
    """Write every case of the version that is installed."""
    folder = Path(sys.argv[1]) / xgboost.__version__
    folder.mkdir(parents=True, exist_ok=True)
    rows = make_rows(np.random.RandomState(0))
    for name, params, y, types in cases(rows):
        write(folder / name, params, rows, y, types)


if __name__ == "__main__":
    main()
