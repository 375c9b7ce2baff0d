"""Writes the small models that the fuzz targets and the native tests damage.

Usage: python tools/make_fuzz_corpus.py tests/fixtures/fuzz. Trains every kind of tree with the
libraries of the extra [test]; XGBoost's own JSON and older files are in tests/fixtures/xgboost.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import onnx
import sklearn.ensemble as trees
import xgboost
from numpy.typing import NDArray

from shortlist import safetensors
from shortlist.models import Forest, export_sklearn, load_model

_N = 120
_KEPT = ("categories", "dart", "linear", "logistic")
_COMPILED = (
    "lightgbm-text/categories.txt",
    "lightgbm-text/linear.txt",
    "lightgbm-text/classes.txt",
    "xgboost-ubj/categories.ubj",
    "xgboost-ubj/linear.ubj",
    "xgboost-ubj/vectors.ubj",
    "catboost-cbm/ctrs.cbm",
    "catboost-cbm/numbers.cbm",
    "sklearn/histogram.sklearn",
    "onnx/classifier.onnx",
)


def _training_data() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Four columns with NaN in the first, categories in the last; and what they say."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(_N, 4)).round(3)
    rows[rng.random(_N) < 0.2, 0] = np.nan
    rows[:, 3] = rng.integers(0, 9, _N)
    return rows, np.nan_to_num(rows[:, 0]) + rows[:, 1] * rows[:, 2] + np.sin(rows[:, 3] * 2)


def _lightgbm(folder: Callable[[str], Path], rows: Any, y: Any) -> None:
    plain = {"num_leaves": 5, "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "seed": 1}
    sets = {"min_data_per_group": 5, "cat_smooth": 1.0, "max_cat_to_onehot": 1}
    cases: dict[str, dict[str, Any]] = {
        "categories": {"objective": "binary", **sets},
        "classes": {"objective": "multiclass", "num_class": 3},
        "linear": {"objective": "regression", "linear_tree": True},
        "forest": {"objective": "l2", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
    }
    for name, case in cases.items():
        labels = {"categories": y > 0, "classes": np.digitize(y, [-0.6, 0.6])}.get(name, y)
        chosen = [3] if name == "categories" else []
        params = plain | case
        data = lightgbm.Dataset(rows, labels, categorical_feature=chosen, params=params)
        booster = lightgbm.train(params, data, 2)
        text = booster.model_to_string().partition("\nparameters:")[0] + "\n"
        (folder("lightgbm-text") / f"{name}.txt").write_text(text)
        if name != "linear":
            dumped = json.dumps(booster.dump_model(), separators=(",", ":"))
            (folder("lightgbm-json") / f"{name}.json").write_text(dumped)


def _xgboost(folder: Callable[[str], Path], fixtures: Path, rows: Any, y: Any) -> None:
    for name in _KEPT:
        booster = xgboost.Booster(model_file=str(fixtures / "3.0.5" / f"{name}.json"))
        (folder("xgboost-ubj") / f"{name}.ubj").write_bytes(booster.save_raw("ubj"))
        if name == "linear":  # whose dump rounds its numbers, and is refused
            continue
        dumped = "[\n" + ",\n".join(booster.get_dump(dump_format="json")) + "\n]"
        (folder("xgboost-dump") / f"{name}.json").write_text(dumped)
    params = {"tree_method": "hist", "multi_strategy": "multi_output_tree", "max_depth": 2}
    data = xgboost.DMatrix(rows, np.column_stack([y, -y]), nthread=1)
    vectors = xgboost.train(params | {"nthread": 1}, data, 2)
    (folder("xgboost-ubj") / "vectors.ubj").write_bytes(vectors.save_raw("ubj"))


def _catboost(folder: Callable[[str], Path], rows: Any, y: Any) -> None:
    texts = [[*map(float, row[:3]), f"c{int(row[3])}", f"d{int(row[3]) % 2}"] for row in rows]
    plain = {"iterations": 3, "depth": 2, "verbose": 0, "thread_count": 1, "random_seed": 1}
    plain |= {"allow_writing_files": False}
    pool = catboost.Pool(texts, y > 0, cat_features=[3, 4], thread_count=1)
    three = np.digitize(y, [-0.6, 0.6])
    models = {
        "numbers": (catboost.CatBoostRegressor(**plain), catboost.Pool(rows, y, thread_count=1)),
        "classes": (catboost.CatBoostClassifier(**plain), catboost.Pool(rows, three)),
        "ctrs": (catboost.CatBoostClassifier(**plain, max_ctr_complexity=2), pool),
    }
    for name, (model, data) in models.items():
        model.fit(data)
        model.save_model(str(folder("catboost-cbm") / f"{name}.cbm"))
        target = folder("catboost-json") / f"{name}.json"
        model.save_model(str(target), format="json", pool=data)
        if name != "ctrs":
            model.save_model(str(folder("onnx") / f"catboost-{name}.onnx"), format="onnx")


def _sklearn(folder: Callable[[str], Path], rows: Any, y: Any) -> None:
    filled = np.nan_to_num(rows)
    three = np.digitize(y, [-0.6, 0.6])
    small = {"max_depth": 2, "random_state": 1}
    histogram = trees.HistGradientBoostingRegressor(
        max_iter=3, categorical_features=[3], min_samples_leaf=5, **small
    )
    models = {
        "boosted": trees.GradientBoostingClassifier(n_estimators=2, **small).fit(filled, three),
        "histogram": histogram.fit(rows, y),
        "forest": trees.RandomForestClassifier(n_estimators=3, **small).fit(filled, three),
    }
    for name, model in models.items():
        export_sklearn(model, folder("sklearn") / f"{name}.sklearn")


def _onnx(folder: Callable[[str], Path]) -> None:
    """Graphs of one split and two, with each tree operator and steps beside it."""
    nodes: dict[str, Any] = {
        "nodes_treeids": [0, 0, 0, 1, 1, 1, 1, 1],
        "nodes_nodeids": [0, 1, 2, 0, 1, 2, 3, 4],
        "nodes_featureids": [0, 0, 0, 1, 2, 0, 0, 0],
        "nodes_values": [0.5, 0.0, 0.0, -1.0, 2.0, 0.0, 0.0, 0.0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LT", "BRANCH_EQ"] + ["LEAF"] * 3,
        "nodes_truenodeids": [1, 0, 0, 1, 3, 0, 0, 0],
        "nodes_falsenodeids": [2, 0, 0, 2, 4, 0, 0, 0],
        "nodes_missing_value_tracks_true": [1, 0, 0, 0, 1, 0, 0, 0],
    }
    leaves: dict[str, Any] = {
        "treeids": [0, 0, 1, 1, 1],
        "nodeids": [1, 2, 2, 3, 4],
        "ids": [0, 1, 0, 1, 2],
    }
    leaves["weights"] = [0.5, 1.0, -1.0, 2.0, 0.25]
    target = {f"target_{name}": values for name, values in leaves.items()}
    classes = {f"class_{name}": values for name, values in leaves.items()}
    labels: dict[str, Any] = {"classlabels_strings": ["a", "b", "c"], "post_transform": "SOFTMAX"}
    make = onnx.helper
    domain: dict[str, Any] = {"domain": "ai.onnx.ml"}
    scaler = make.make_node("Scaler", ["X"], ["Y"], offset=[0.5], scale=[2.0], **domain)
    regressor = make.make_node(
        "TreeEnsembleRegressor", ["Y"], ["scores"], n_targets=3, **nodes, **target, **domain
    )
    classifier = make.make_node(
        "TreeEnsembleClassifier", ["X"], ["l", "scores"], **nodes, **classes, **labels, **domain
    )
    modes = make.make_tensor("modes", onnx.TensorProto.UINT8, [2], [0, 6])
    splits = make.make_tensor("splits", onnx.TensorProto.FLOAT, [2], [0.5, 1.0])
    weights = make.make_tensor("weights", onnx.TensorProto.FLOAT, [3], [1.0, 2.0, 4.0])
    members = make.make_tensor("members", onnx.TensorProto.FLOAT, [3], [1.0, 7.0, np.nan])
    ensemble = make.make_node(
        "TreeEnsemble",
        ["X"],
        ["scores"],
        n_targets=1,
        tree_roots=[0],
        nodes_featureids=[0, 1],
        nodes_modes=modes,
        nodes_splits=splits,
        nodes_truenodeids=[1, 0],
        nodes_trueleafs=[0, 1],
        nodes_falsenodeids=[2, 1],
        nodes_falseleafs=[1, 1],
        membership_values=members,
        leaf_targetids=[0, 0, 0],
        leaf_weights=weights,
        **domain,
    )
    cases = {"regressor": [scaler, regressor], "classifier": [classifier], "ensemble": [ensemble]}
    for name, made in cases.items():
        kind = onnx.TensorProto.FLOAT
        source = make.make_tensor_value_info("X", kind, [None, 4])
        outputs = [make.make_tensor_value_info("scores", kind, None)]
        if name == "classifier":
            outputs.insert(0, make.make_tensor_value_info("l", onnx.TensorProto.STRING, None))
        graph = make.make_graph(made, "trees", [source], outputs)
        opsets = [make.make_opsetid("", 17), make.make_opsetid("ai.onnx.ml", 5)]
        model = make.make_model(graph, opset_imports=opsets, ir_version=9)
        (folder("onnx") / f"{name}.onnx").write_bytes(model.SerializeToString())


def _compiled(root: Path) -> None:
    """Compile one model of each construct."""
    (root / "compiled").mkdir(exist_ok=True)
    for name in _COMPILED:
        forest = load_model(root / name)
        if not isinstance(forest, Forest):
            raise TypeError(f"{name}: no forest")
        form, stem = Path(name).parent.name, Path(name).stem
        safetensors.save(
            root / "compiled" / f"{form}-{stem}.safetensors", *forest.compiled_arrays()
        )


def main() -> None:
    """Write all of it."""
    root = Path(sys.argv[1])

    def folder(form: str) -> Path:
        (root / form).mkdir(parents=True, exist_ok=True)
        return root / form

    rows, y = _training_data()
    _lightgbm(folder, rows, y)
    _xgboost(folder, root.parent / "xgboost", rows, y)
    _catboost(folder, rows, y)
    _sklearn(folder, rows, y)
    _onnx(folder)
    _compiled(root)


if __name__ == "__main__":
    main()
