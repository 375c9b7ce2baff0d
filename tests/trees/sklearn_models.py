"""scikit-learn models trained with random parameters, and the scores that the library gives."""

import numpy as np
import sklearn
from reference import raw_scores
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from shortlist.models import Forest, export_sklearn
from shortlist.models.importers.sklearn import import_sklearn

VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
FORESTS = [ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor]
SINGLE = [DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor]
# Classes that take NaN, by the version that began to.
TAKE_NAN = {
    DecisionTreeClassifier: (1, 3),
    DecisionTreeRegressor: (1, 3),
    RandomForestClassifier: (1, 4),
    RandomForestRegressor: (1, 4),
    ExtraTreesClassifier: (1, 6),
    ExtraTreesRegressor: (1, 6),
    ExtraTreeClassifier: (1, 6),
    ExtraTreeRegressor: (1, 6),
}
LOSSES = {
    GradientBoostingClassifier: ["log_loss", "exponential"],
    GradientBoostingRegressor: ["squared_error", "absolute_error", "huber", "quantile"],
    HistGradientBoostingClassifier: ["log_loss"],
    HistGradientBoostingRegressor: [
        "squared_error",
        "absolute_error",
        "gamma",
        "poisson",
        "quantile",
    ],
}
LABELS = [
    lambda code: code,
    lambda code: np.array(["maybe", "no", "yes", "zebra"])[code],
    lambda code: code * 10.0 - 3.0,
]

HUGE = 3e35
EDGES = [0.0, -0.0, 5e-324, -5e-324, 1e-45, 1e-40, -1e-40, 1e-35, HUGE, -HUGE, 16777217.0, -1.0]
EDGES += [1.0, 0.5, 1.0 + 2**-52, 1.0 - 2**-30]


def takes_nan(model):
    """Whether the library scores rows with NaN."""
    kind = type(model)
    histogram = isinstance(model, HistGradientBoostingClassifier | HistGradientBoostingRegressor)
    return histogram or (kind in TAKE_NAN and TAKE_NAN[kind] <= VERSION)


def training_rows(rng, n, *, missing):
    """Five columns; one with few values, one beyond float32's digits, one tiny."""
    rows = rng.normal(size=(n, 5))
    rows[:, 1] = rng.choice([-1.0, 0.0, -0.0, 0.25, 3.0], n)
    rows[:, 2] = 1e6 + rng.normal(size=n)
    rows[:, 3] = rng.choice([0.0, 1e-40, -1e-40, 3e-38, 1e-30], n)
    if missing:
        rows[rng.random(rows.shape) < 0.15] = np.nan
    return rows


def target(rng, rows, n_classes=None):
    """Numbers above 0, or codes of classes."""
    filled = np.nan_to_num(rows)
    y = (
        filled[:, 0]
        + filled[:, 1] * filled[:, 4]
        + np.sin(filled[:, 2])
        + rng.normal(size=len(rows))
    )
    if n_classes is None:
        return np.abs(y) + 0.01
    return np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))


def exported(model, tmp_path):
    """Bytes that export_sklearn writes."""
    path = tmp_path / "model.sklearn"
    export_sklearn(model, path)
    return path.read_bytes()


def scores(data, X):
    """Raw scores as the library shapes them; the compiled form and the slow reference agree."""
    ensemble = import_sklearn(data)
    slow = raw_scores(ensemble, X)
    found = Forest.from_imported(ensemble).predict(X, raw_score=True)
    np.testing.assert_array_equal(found, slow.reshape(found.shape))
    return found


def library_scores(model, X):
    """Raw scores of scikit-learn, without the link; its check for infinities adds the rows up."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _library_scores(model, X)


def _library_scores(model, X):
    if hasattr(model, "decision_function"):
        return model.decision_function(X)
    if hasattr(model, "predict_proba"):
        found = model.predict_proba(X)
        return found[:, 0] if found.shape[1] == 1 else found
    if hasattr(model, "_predictors"):
        return model._raw_predict(X).ravel()
    return model.predict(X)


def check_predictions(model, data, X):
    """Predictions and labels as the library's, where its exp is vectorised within 4 ulp."""
    estimator = Forest.from_imported(import_sklearn(data)).as_estimator()
    with np.errstate(over="ignore", invalid="ignore"):
        expected = model.predict(X)
        if not hasattr(model, "predict_proba"):
            found = estimator.predict(X)
            np.testing.assert_array_max_ulp(found, expected.reshape(found.shape), maxulp=4)
            return
        np.testing.assert_array_equal(estimator.classes_, model.classes_)
        np.testing.assert_array_equal(estimator.predict(X), expected)
        found = estimator.predict_proba(X)
        np.testing.assert_array_max_ulp(found, model.predict_proba(X), maxulp=4)


def edge_rows(data, rng, n, *, missing, infinite):
    """Rows at thresholds, at their neighbours of both widths, and at edges."""
    ensemble = import_sklearn(data)
    n_features = len(ensemble.feature_names)
    around = ensemble.thresholds[np.isfinite(ensemble.thresholds)]
    around = around if around.size else np.zeros(1)
    narrow = around.astype(np.float32)
    pool = [around, np.nextafter(around, np.inf), np.nextafter(around, -np.inf), EDGES]
    for towards in (np.inf, -np.inf):
        near = np.nextafter(narrow, np.float32(towards)).astype(np.float64)
        pool += [near, (narrow.astype(np.float64) + near) / 2]
    pool += [[np.nan] * 20] if missing else []
    pool += [[np.inf, -np.inf, 1e300]] if infinite else []
    pool = np.concatenate(pool)
    pool = pool if infinite else pool[~(np.abs(pool) > HUGE)]
    rows = rng.choice(pool, (n, n_features))
    numeric = ensemble.features[ensemble.kinds < 5]
    for feature in np.unique(numeric):
        mine = ensemble.thresholds[(ensemble.features == feature) & (ensemble.kinds < 5)]
        mine = mine[np.isfinite(mine)]
        if mine.size:
            near = rng.choice(mine, n)
            step = rng.choice([0.0, np.inf, -np.inf], n)
            near = np.where(step == 0.0, near, np.nextafter(near, step))
            rows[:, feature] = np.where(rng.random(n) < 0.6, near, rows[:, feature])
    return rows
