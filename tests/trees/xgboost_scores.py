"""What XGBoost and this library make of a model and rows: one function each."""

import numpy as np
import xgboost
from reference import raw_scores

from shortlist import _core
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
    """Scores of a file's model, shape (n, n_outputs)."""
    ensemble = imported(data)
    sums = raw_scores(ensemble, X, rounds)
    if raw:
        return sums
    return _core.transformed(int(ensemble.transform), ensemble.scale, sums.astype(np.float64))


def expected(booster, X, raw, rounds=None):
    """Scores of XGBoost, shape (n, n_outputs): infinity is refused by DMatrix alone."""
    ranges = (0, 0) if rounds is None else rounds
    plain = booster.feature_types is None and "dart" not in booster.save_config()[:4000]
    if plain and not np.isfinite(np.nan_to_num(X, nan=0.0)).all():
        found = booster.inplace_predict(
            X,
            predict_type="margin" if raw else "value",
            iteration_range=ranges,
            validate_features=False,
        )
    else:
        types = booster.feature_types
        matrix = xgboost.DMatrix(
            X, feature_types=types, enable_categorical=True, missing=np.nan, nthread=1
        )
        found = booster.predict(
            matrix, output_margin=raw, iteration_range=ranges, validate_features=False
        )
    return found.reshape(len(X), -1)
