"""Predictions of boosted scikit-learn models: what links add to exact raw scores is bounded."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier as Classifier
from sklearn.ensemble import HistGradientBoostingClassifier as HistClassifier
from sklearn.ensemble import HistGradientBoostingRegressor as HistRegressor

from shortlist.models import load_model

MAX_ULP = 4  # docs/models.md says so


def rows_and_target(n=600):
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(n, 3))
    return rows, rows[:, 0] + rows[:, 1] * rows[:, 2]


@pytest.mark.parametrize("learning_rate", [0.1, 1.0])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize(
    "model",
    [Classifier(n_estimators=10), HistClassifier(max_iter=10)],
    ids=lambda model: type(model).__name__,
)
def test_probabilities_are_within_4_ulp(model, n_classes, learning_rate):
    rows, target = rows_and_target()
    labels = np.digitize(target, np.quantile(target, np.arange(1, n_classes) / n_classes))
    model.set_params(learning_rate=learning_rate).fit(rows, labels)

    found = load_model(model).as_estimator().predict_proba(rows)

    np.testing.assert_array_max_ulp(found, model.predict_proba(rows), MAX_ULP)


@pytest.mark.parametrize("loss", ["exponential", "poisson", "gamma"])
def test_other_links_are_within_4_ulp(loss):
    rows, target = rows_and_target()
    if loss == "exponential":
        model = Classifier(n_estimators=10, loss=loss).fit(rows, target > 0)
        expected = model.predict_proba(rows)[:, 1]
    else:
        model = HistRegressor(max_iter=10, loss=loss).fit(rows, np.abs(target) + 0.01)
        expected = model.predict(rows)

    np.testing.assert_array_max_ulp(load_model(model).predict(rows), expected, MAX_ULP)
