"""What XGBoost and this library make of a model and rows: one function each."""

import json

import numpy as np
import xgboost
from reference import raw_scores, reached_leaves

from shortlist import _core
from shortlist.models import Forest
from shortlist.models.importers.xgboost_binary import import_xgboost_binary
from shortlist.models.importers.xgboost_dump import import_xgboost_dump
from shortlist.models.importers.xgboost_json import import_xgboost_json
from shortlist.models.importers.xgboost_ubj import import_xgboost_ubj


def imported(data):
    """The ensemble of a file of any format."""
    if data.lstrip().startswith(b"["):
        return import_xgboost_dump(data)
    if data.startswith(b"{L") or (data[:1] == b"{" and data[1:2].isalpha()):
        return import_xgboost_ubj(data)
    if data.lstrip().startswith(b"{"):
        return import_xgboost_json(data)
    return import_xgboost_binary(data)


def scores(data, X, raw, rounds=None):
    """Scores of a file's model, shape (n, n_outputs): of the forest, which the reference equals."""
    ensemble = imported(data)
    forest = Forest.from_imported(ensemble)
    found = forest.predict(X, raw_score=raw, iteration_range=rounds).reshape(len(X), -1)
    with np.errstate(all="ignore"):  # sums of a linear model overflow where XGBoost's do
        sums = raw_scores(ensemble, X, rounds)
    if not raw:
        sums = _core.transformed(int(ensemble.transform), ensemble.scale, sums.astype(np.float64))
    np.testing.assert_array_equal(found, sums)
    return found


def leaves(ensemble, X):
    """Leaf that each row reaches in each tree, as the library numbers them."""
    found = Forest.from_imported(ensemble).leaf_indices(X)
    np.testing.assert_array_equal(found, ensemble.leaf_ids[reached_leaves(ensemble, X)])
    return found


def expected(booster, X, raw, rounds=None):
    """Scores of XGBoost, shape (n, n_outputs).

    DMatrix refuses infinity; inplace_predict does not, but rounds the sums of dart in another way
    than predict does, and knows neither categories nor linear models.
    """
    ranges = (0, 0) if rounds is None else tuple(rounds)
    name = json.loads(booster.save_config())["learner"]["gradient_booster"]["name"]
    with np.errstate(over="ignore"):
        infinite = np.isinf(X.astype(np.float32)).any()
    if infinite and name == "gbtree" and "c" not in (booster.feature_types or []):
        found = booster.inplace_predict(
            X,
            predict_type="margin" if raw else "value",
            iteration_range=ranges,
            validate_features=False,
        )
        return found.reshape(len(X), -1)
    found = booster.predict(
        matrix(booster, X), output_margin=raw, iteration_range=ranges, validate_features=False
    )
    return found.reshape(len(X), -1)


def matrix(booster, X):
    """Rows as the DMatrix that the model takes."""
    types = booster.feature_types
    return xgboost.DMatrix(X, feature_types=types, enable_categorical=True, nthread=1)
