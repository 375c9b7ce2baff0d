"""ONNX Runtime over what the usual converters make of a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.harness.cache import cached, version_of
from bench.harness.contestant import AbsentError
from bench.trees.models import MODELS, TreeModel
from bench.trees.subject import TreeSubject, converting, require

_CONVERTERS = {
    "lightgbm": ("lightgbm", "onnxmltools", "skl2onnx"),
    "xgboost": ("xgboost", "onnxmltools", "skl2onnx"),
    "catboost": ("catboost",),
}


class Session(TreeSubject):
    """InferenceSession.run with one thread, the scores alone asked for."""

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("onnxruntime", "onnxmltools", "numpy")

    @staticmethod
    def prepare(cache: Path, *, model: str) -> None:
        require("onnxruntime", *_CONVERTERS[MODELS[model].library])
        with converting("conversion to ONNX"):
            _graph(cache, MODELS[model])

    def open(self, cache: Path, model: TreeModel) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # CatBoost states another shape of output than it gives
        graph = _graph(cache, model)
        with converting("ONNX Runtime"):
            self._session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._outputs = [self._session.get_outputs()[-1].name]
        self._is_binary = len(self._session.get_outputs()) > 1

    def predict(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        (scores,) = self._session.run(self._outputs, {self._input: rows})
        return scores[:, 1] if self._is_binary else scores


def _graph(cache: Path, model: TreeModel) -> Path:
    path = model.path(cache)
    versions = [version_of(package) for package in _CONVERTERS[model.library]]
    convert = {"lightgbm": _lightgbm, "xgboost": _xgboost, "catboost": _catboost}[model.library]
    return cached(
        cache,
        f"onnx-{model.name}",
        ".onnx",
        (model.key(cache), versions),
        lambda target: convert(path, target),
    )


def _float_rows(n_features: int) -> list[tuple[str, object]]:
    from onnxmltools.convert.common.data_types import FloatTensorType

    return [("rows", FloatTensorType([None, n_features]))]


def _lightgbm(path: Path, target: Path) -> None:
    import lightgbm as lgb
    from onnxmltools import convert_lightgbm

    booster = lgb.Booster(model_file=path)
    rows = _float_rows(booster.num_feature())
    graph = convert_lightgbm(booster, initial_types=rows, zipmap=False)
    target.write_bytes(graph.SerializeToString())


def _xgboost(path: Path, target: Path) -> None:
    import xgboost as xgb
    from onnxmltools import convert_xgboost

    booster = xgb.Booster(model_file=path)
    if "c" in (booster.feature_types or []):
        raise AbsentError("onnxmltools converts no categorical splits of XGBoost")
    booster.feature_names = None  # it only takes names such as f0
    graph = convert_xgboost(booster, initial_types=_float_rows(booster.num_features()))
    target.write_bytes(graph.SerializeToString())


def _catboost(path: Path, target: Path) -> None:
    from catboost import CatBoost

    CatBoost().load_model(str(path)).save_model(str(target), format="onnx")
