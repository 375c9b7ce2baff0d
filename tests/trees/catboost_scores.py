"""CatBoost models scored as imported, and rows in the form that imported models take."""

import numpy as np
import reference

from shortlist._core import catboost_hash_texts
from shortlist.models import Forest
from shortlist.models.importers.catboost_cbm import import_catboost_cbm
from shortlist.models.importers.catboost_json import import_catboost_json
from shortlist.models.load import model_format

IMPORTERS = {"catboost-cbm": import_catboost_cbm, "catboost-json": import_catboost_json}


def imported(data):
    return IMPORTERS[model_format(data)](data)


def scores(data, X, raw=True, rounds=None):
    """Scores of a model file's bytes, shape (n, n_outputs); raw ones are the reference's too."""
    ensemble = imported(data)
    X = np.asarray(X)
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float64)
    found = Forest.from_imported(ensemble).predict(X, raw_score=raw, iteration_range=rounds)
    found = found.reshape(len(X), ensemble.n_outputs)
    if raw:
        np.testing.assert_array_equal(found, reference.raw_scores(ensemble, X, rounds))
    return found


def cells(texts):
    """A column of categories as numbers: 2^53 and twice the hash of each text."""
    return 2.0**53 + 2.0 * catboost_hash_texts(list(texts)).astype(np.float64)


def saved(model, tmp_path, form, pool=None):
    """The bytes of a model in a format."""
    path = tmp_path / f"model.{form}"
    model.save_model(str(path), format=form, pool=pool)
    return path.read_bytes()
