"""Shipped CatBoost models, cbm and JSON, against the predictions that came with them."""

import csv

import catboost
import numpy as np
import pytest
from cases import cases, needs_models
from catboost_scores import cells, imported, scores

pytestmark = needs_models


def case_rows(case):
    """Rows as numbers, categories as their hashes; and as CatBoost takes them."""
    cats = case.about["cat_features"]
    with (case.folder / "inputs.csv").open(newline="") as file:
        texts = list(csv.reader(file))[1:]
    rows = np.empty((len(texts), case.about["n_features"]))
    for f in range(rows.shape[1]):
        column = [row[f] for row in texts]
        rows[:, f] = cells(column) if f in cats else [float(x or "nan") for x in column]
    native = [
        [x if f in cats else np.float32(x or "nan") for f, x in enumerate(row)] for row in texts
    ]
    return rows, catboost.Pool(native, cat_features=cats)


@pytest.mark.parametrize("form", ["cbm", "json"])
@pytest.mark.parametrize("case", cases("catboost"))
def test_shipped_models_score_as_catboost(case, form):
    data = (case.folder / f"model.{form}").read_bytes()
    rows, pool = case_rows(case)
    model = catboost.CatBoost().load_model(blob=(case.folder / "model.cbm").read_bytes())

    raw = scores(data, rows)

    expected = model.predict(pool, prediction_type="RawFormulaVal", thread_count=1)
    np.testing.assert_array_equal(raw, expected.reshape(len(rows), -1))
    np.testing.assert_array_equal(raw, case.expected("margin"))
    shipped = case.expected("pred")
    if shipped is not None:
        found = scores(data, rows, raw=False)
        np.testing.assert_allclose(found, shipped[:, -found.shape[1] :], rtol=1e-15)


@pytest.mark.parametrize("form", ["cbm", "json"])
@pytest.mark.parametrize("case", cases("catboost"))
def test_shipped_models_describe_their_columns(case, form):
    ensemble = imported((case.folder / f"model.{form}").read_bytes())
    model = catboost.CatBoost().load_model(blob=(case.folder / "model.cbm").read_bytes())

    assert ensemble.objective == case.about["loss"]
    assert list(ensemble.hashed_features) == case.about["cat_features"]
    assert list(ensemble.feature_names) == model.feature_names_
    assert ensemble.n_trees == case.about["n_trees"]
    if ensemble.classes is not None:
        np.testing.assert_array_equal(ensemble.classes, model.classes_)
