"""Writing fitted scikit-learn trees to a file, in the environment that trained them.

Arrays and texts alone are written; nothing is pickled. sklearn_format documents the file.

Source: scikit-learn 1.3 to 1.9, sklearn/tree/_tree.pyx, ensemble/_gb.py, ensemble/_forest.py and
ensemble/_hist_gradient_boosting/.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortlist import safetensors
from shortlist.errors import ArgumentError, UnsupportedError
from shortlist.models.sklearn_categories import categories_of, labels_of
from shortlist.models.sklearn_format import (
    BOOSTED,
    CLASSIFIERS,
    FORESTS,
    HISTOGRAM,
    KIND,
    LOSSES,
    VERSION,
)

__all__ = ["export_sklearn", "sklearn_estimator"]

_FRACTIONS_SINCE = (1, 4)  # leaves of classifiers held counts before
_TREES = ("DecisionTree", "ExtraTreeC", "ExtraTreeR")
_INITIAL = ("DummyClassifier", "DummyRegressor")
_RANDOM = ("stratified", "uniform")  # strategies of DummyClassifier
_HINTS = {
    "Pipeline": "export its last step, and give it rows that the other steps have transformed",
    "GridSearchCV": "export its best_estimator_",
    "RandomizedSearchCV": "export its best_estimator_",
    "HalvingGridSearchCV": "export its best_estimator_",
    "HalvingRandomSearchCV": "export its best_estimator_",
    "TransformedTargetRegressor": "export its regressor_, and transform what that predicts",
    "MultiOutputClassifier": "export each of its estimators_",
    "MultiOutputRegressor": "export each of its estimators_",
}


def export_sklearn(model: object, path: str | os.PathLike[str]) -> None:
    """Write a fitted scikit-learn model to a file that :func:`shortlist.load_model` reads.

    Parameters
    ----------
    model
        GradientBoosting, HistGradientBoosting, RandomForest, ExtraTrees, DecisionTree or ExtraTree,
        Classifier or Regressor, of scikit-learn 1.3 or later, or of a class derived from one.
    path
        Replaced if it exists; it appears at once or not at all.

    Raises
    ------
    ArgumentError
        `model` is not fitted, or none of scikit-learn's.
    UnsupportedError
        An estimator, an `init` estimator, a loss or a kind of category that cannot be exported; the
        message names it.
    StorageError
        The file could not be written.
    """
    name = sklearn_estimator(model)
    if name is None:
        raise _refusal(model)
    import sklearn

    fitted: Any = model
    if not hasattr(fitted, "n_features_in_"):
        raise ArgumentError(f"model: this {type(model).__name__} is not fitted")
    version = str(sklearn.__version__)
    tensors, loss, categories = _parts(fitted, name, version)
    names = getattr(fitted, "feature_names_in_", None)
    description = {
        "n_features": int(fitted.n_features_in_),
        "feature_names": None if names is None else [str(text) for text in names],
        "classes": labels_of(fitted.classes_) if name in CLASSIFIERS else None,
        "categories": categories,
    }
    text = json.dumps(description, ensure_ascii=False, allow_nan=False).encode("utf-8")
    tensors["description"] = np.frombuffer(text, dtype=np.uint8)
    metadata = {
        "kind": KIND,
        "version": VERSION,
        "estimator": name,
        "scikit_learn": version,
        "loss": loss,
    }
    safetensors.save(path, tensors, metadata)


def sklearn_estimator(model: object) -> str | None:
    """Name of the scikit-learn class that a model is of or derives from, None if of none we take.

    scikit-learn is not imported.
    """
    known = (*BOOSTED, *HISTOGRAM, *FORESTS)
    return next((name for name in _sklearn_classes(model) if name in known), None)


def _sklearn_classes(model: object) -> list[str]:
    return [
        base.__name__
        for base in type(model).__mro__
        if base.__module__.partition(".")[0] == "sklearn"
    ]


def _refusal(model: object) -> Exception:
    classes = _sklearn_classes(model)
    name = type(model).__name__
    if not classes:
        return ArgumentError(f"model: got {name}, expected a scikit-learn estimator")
    hint = next((_HINTS[base] for base in classes if base in _HINTS), None)
    taken = "exported are " + ", ".join((*BOOSTED, *HISTOGRAM, *FORESTS))
    return UnsupportedError(f"model: a {name} cannot be exported; {hint or taken}")


Tensors = dict[str, NDArray[Any]]
Categories = dict[str, list[str | float | None]]


def _parts(model: Any, name: str, version: str) -> tuple[Tensors, str, Categories]:
    loss = ""
    if name in LOSSES:
        loss = str(model.loss)
        if loss not in LOSSES[name]:
            raise UnsupportedError(f"model: loss={model.loss!r} of {name} is not handled")
    if name in HISTOGRAM:
        return *_histogram(model, loss), _encoded_categories(model)
    if name in BOOSTED:
        return _boosted(model), loss, {}
    return _forest(model, name, version), loss, {}


def _boosted(model: Any) -> Tensors:
    _check_initial(model)
    rows = np.zeros((2, model.n_features_in_), dtype=np.float32)
    base = np.asarray(model._raw_predict_init(rows), dtype=np.float64)[0]
    nodes = [tree.tree_.__getstate__() for tree in model.estimators_.ravel()]
    values = [state["values"][state["nodes"]["left_child"] < 0, 0, 0] for state in nodes]
    tensors = _nodes([state["nodes"] for state in nodes])
    tensors["missing_left"][:] = 0  # the walk does not look at it: NaN <= t is false
    return {
        **tensors,
        "values": np.concatenate(values),
        "learning_rate": np.array([model.learning_rate], dtype=np.float64),
        "base": base,
    }


def _check_initial(model: Any) -> None:
    initial = model.init_
    if isinstance(initial, str) and initial == "zero":
        return
    kind = next((base for base in _sklearn_classes(initial) if base in _INITIAL), None)
    if kind is None:
        raise UnsupportedError(
            f"model: init={type(initial).__name__} is an estimator of its own, which is not "
            f"handled; handled are 'zero', DummyClassifier and DummyRegressor"
        )
    if getattr(initial, "strategy", None) in _RANDOM:
        raise UnsupportedError(f"model: init={kind} with strategy {initial.strategy!r} is random")


def _forest(model: Any, name: str, version: str) -> Tensors:
    if name in CLASSIFIERS and model.n_outputs_ > 1:
        raise UnsupportedError(
            f"model: a {name} with {model.n_outputs_} outputs is not handled; train one an output"
        )
    members = [model] if name.startswith(_TREES) else list(model.estimators_)
    states = [member.tree_.__getstate__() for member in members]
    values = np.concatenate([state["values"][state["nodes"]["left_child"] < 0] for state in states])
    if name in CLASSIFIERS:
        values = values[:, 0, : int(model.n_classes_)]
        if tuple(int(part) for part in version.split(".")[:2]) < _FRACTIONS_SINCE:
            total = values.sum(axis=1)[:, np.newaxis]
            total[total == 0.0] = 1.0
            values = values / total
    else:
        values = values[:, :, 0]
    n_outputs = values.shape[1]
    return {
        **_nodes([state["nodes"] for state in states]),
        "values": np.ascontiguousarray(values[:, 0] if n_outputs == 1 else values),
        "learning_rate": np.ones(1),
        "base": np.zeros(n_outputs),
    }


def _nodes(trees: Sequence[NDArray[Any]]) -> Tensors:
    """Nodes of the Cython trees."""
    nodes = np.concatenate(trees)
    return {
        "tree_nodes": _offsets([tree.size for tree in trees]),
        "left": nodes["left_child"].astype(np.int32),
        "right": nodes["right_child"].astype(np.int32),
        "features": nodes["feature"].astype(np.int32),
        "thresholds": nodes["threshold"].astype(np.float64),
        "missing_left": (nodes["missing_go_to_left"] != 0).astype(np.uint8),
    }


def _histogram(model: Any, loss: str) -> tuple[Tensors, str]:
    predictors = [predictor for stage in model._predictors for predictor in stage]
    nodes = np.concatenate([predictor.nodes for predictor in predictors])
    counts = [predictor.nodes.size for predictor in predictors]
    leaf = nodes["is_leaf"] != 0
    bitsets = [np.reshape(p.raw_left_cat_bitsets, (-1, 8)) for p in predictors]
    first = np.repeat(_offsets([len(rows) for rows in bitsets])[:-1], counts)
    categorical = ~leaf & (nodes["is_categorical"] != 0)
    known_features = np.zeros(0, dtype=np.int32)
    known_bitsets = np.zeros((0, 8), dtype=np.uint32)
    if getattr(model, "_preprocessor", None) is None and model.is_categorical_ is not None:
        known_features = np.flatnonzero(model.is_categorical_).astype(np.int32)
        known_bitsets = model._bin_mapper.make_known_categories_bitsets()[0]
    baseline = np.asarray(model._baseline_prediction)
    if baseline.dtype != np.float64:
        raise UnsupportedError(f"model: its baseline is {baseline.dtype}, handled is float64")
    return {
        "tree_nodes": _offsets(counts),
        "left": np.where(leaf, -1, nodes["left"].astype(np.int64)).astype(np.int32),
        "right": np.where(leaf, -1, nodes["right"].astype(np.int64)).astype(np.int32),
        "features": _original_features(model)[np.where(leaf, 0, nodes["feature_idx"])],
        "thresholds": np.where(leaf | categorical, 0.0, nodes["num_threshold"]),
        "missing_left": (nodes["missing_go_to_left"] != 0).astype(np.uint8),
        "values": np.ascontiguousarray(nodes["value"][leaf]),
        "learning_rate": np.ones(1),
        "base": baseline.ravel(),
        "sets": np.where(categorical, first + nodes["bitset_idx"], -1).astype(np.int32),
        "left_bitsets": np.concatenate(bitsets).astype(np.uint32),
        "known_features": known_features,
        "known_bitsets": known_bitsets.astype(np.uint32),
    }, loss


def _original_features(model: Any) -> NDArray[np.int32]:
    """Feature of each column that the trees see: encoded ones come first."""
    if getattr(model, "_preprocessor", None) is None:
        return np.arange(model.n_features_in_, dtype=np.int32)
    encoded = np.asarray(model.is_categorical_, dtype=bool)
    return np.concatenate((np.flatnonzero(encoded), np.flatnonzero(~encoded))).astype(np.int32)


def _encoded_categories(model: Any) -> Categories:
    preprocessor = getattr(model, "_preprocessor", None)
    if preprocessor is None:
        return {}
    encoder = preprocessor.named_transformers_["encoder"]
    features = np.flatnonzero(model.is_categorical_)
    return {
        str(feature): categories_of(found, int(feature))
        for feature, found in zip(features, encoder.categories_, strict=True)
    }


def _offsets(counts: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
