"""Trained objects of every library: loaded, packed, and given back as scikit-learn estimators."""

import catboost
import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn_models import LABELS

import shortlist
from shortlist.errors import ArgumentError, UnsupportedError
from shortlist.models.estimator import ForestClassifier, ForestRanker, ForestRegressor
from shortlist.models.live import live_model

LIGHTGBM = {"n_estimators": 6, "num_leaves": 7, "n_jobs": 1, "verbosity": -1}
XGBOOST = {"n_estimators": 6, "max_depth": 3, "n_jobs": 1}
CATBOOST = {"iterations": 6, "depth": 3, "thread_count": 1, "verbose": False}
CATBOOST |= {"allow_writing_files": False}
CLASSIFIERS = [
    lambda: lightgbm.LGBMClassifier(**LIGHTGBM),
    lambda: xgboost.XGBClassifier(**XGBOOST),
    lambda: xgboost.XGBRFClassifier(**XGBOOST),
    lambda: catboost.CatBoostClassifier(**CATBOOST),
    lambda: GradientBoostingClassifier(n_estimators=6),
    lambda: HistGradientBoostingClassifier(max_iter=6),
    lambda: RandomForestClassifier(6),
    lambda: ExtraTreesClassifier(6),
    lambda: DecisionTreeClassifier(max_depth=4),
]
# Units in the last place by which probabilities may differ: the libraries' exp is vectorised.
ULP = {"catboost": 64, "sklearn": 4, "lightgbm": 1, "xgboost": 2}


def rows_and_codes(n_classes, n=240):
    rng = np.random.default_rng(n_classes)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    y = X[:, 0] + X[:, 1] * X[:, 2]
    return X, np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))


@pytest.mark.parametrize("labels", LABELS, ids=["codes", "texts", "floats"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("make", CLASSIFIERS, ids=lambda make: type(make()).__name__)
def test_classifiers_keep_labels_and_probabilities(make, n_classes, labels):
    X, codes = rows_and_codes(n_classes)
    model = make()
    if type(model).__name__.startswith("XGB"):
        labels = LABELS[0]
    model.fit(X, labels(codes))

    forest = shortlist.load_model(model)
    estimator = forest.as_estimator()

    assert isinstance(estimator, ForestClassifier)
    assert estimator.classes_.tolist() == np.asarray(model.classes_).tolist()
    np.testing.assert_array_equal(estimator.predict(X), np.ravel(model.predict(X)))
    expected = model.predict_proba(X)
    found = estimator.predict_proba(X)
    assert found.dtype == expected.dtype
    np.testing.assert_array_max_ulp(found, expected, maxulp=ULP[forest.source.partition("-")[0]])
    assert estimator.score(X, labels(codes)) == pytest.approx(model.score(X, labels(codes)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: lightgbm.LGBMRegressor(**LIGHTGBM),
        lambda: xgboost.XGBRegressor(**XGBOOST),
        lambda: catboost.CatBoostRegressor(**CATBOOST),
        lambda: GradientBoostingRegressor(n_estimators=6),
        lambda: RandomForestRegressor(6),
    ],
    ids=lambda make: type(make()).__name__,
)
def test_regressors_predict_the_same(make):
    X, _ = rows_and_codes(2)
    y = X[:, 0] * 3 + X[:, 1]
    model = make().fit(X, y)

    estimator = shortlist.load_model(model).as_estimator()

    assert isinstance(estimator, ForestRegressor)
    np.testing.assert_array_equal(estimator.predict(X), model.predict(X))
    assert estimator.score(X, y) == pytest.approx(model.score(X, y))
    assert is_regressor(estimator)


@pytest.mark.parametrize(
    "make",
    [
        lambda: lightgbm.LGBMRanker(**LIGHTGBM, min_child_samples=2),
        lambda: xgboost.XGBRanker(**XGBOOST),
    ],
    ids=lambda make: type(make()).__name__,
)
def test_rankers_predict_the_same(make):
    X, codes = rows_and_codes(4)
    model = make().fit(X, codes, group=[60, 60, 60, 60])

    estimator = shortlist.load_model(model).as_estimator()

    assert isinstance(estimator, ForestRanker)
    np.testing.assert_array_equal(estimator.predict(X), model.predict(X))


def test_catboost_ranker_predicts_the_same():
    X, codes = rows_and_codes(4)
    groups = np.repeat(np.arange(4), 60)
    model = catboost.CatBoostRanker(**CATBOOST, loss_function="YetiRank")
    model.fit(X, codes, group_id=groups)

    estimator = shortlist.load_model(model).as_estimator()

    assert isinstance(estimator, ForestRanker)
    np.testing.assert_array_equal(estimator.predict(X), model.predict(X))


@pytest.mark.filterwarnings("ignore:The argument 'eval_set' is deprecated")
def test_wrappers_predict_by_their_best_iteration():
    X, codes = rows_and_codes(2)
    noise = np.random.default_rng(0).integers(0, 2, len(X))
    by_lightgbm = lightgbm.LGBMClassifier(**{**LIGHTGBM, "n_estimators": 40}).fit(
        X,
        codes,
        eval_set=[(X, noise)],
        callbacks=[lightgbm.early_stopping(3, verbose=False)],
    )
    by_xgboost = xgboost.XGBClassifier(
        **{**XGBOOST, "n_estimators": 40}, early_stopping_rounds=3
    ).fit(X, codes, eval_set=[(X, noise)], verbose=False)

    forest = shortlist.load_model(by_lightgbm)
    assert forest.default_rounds == by_lightgbm.best_iteration_
    np.testing.assert_array_equal(forest.predict(X), by_lightgbm.predict_proba(X)[:, 1])

    forest = shortlist.load_model(by_xgboost)
    assert forest.default_rounds == by_xgboost.best_iteration + 1 < forest.n_rounds
    np.testing.assert_array_equal(forest.predict(X), by_xgboost.predict_proba(X)[:, 1])
    plain = shortlist.load_model(by_xgboost.get_booster())
    assert plain.default_rounds == plain.n_rounds
    np.testing.assert_array_equal(plain.predict(X), by_xgboost.get_booster().inplace_predict(X))


def test_a_booster_that_keeps_later_rounds_predicts_by_its_best(tmp_path):
    X, codes = rows_and_codes(2)
    known = lightgbm.Dataset(X[:160], codes[:160])
    booster = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "num_threads": 1, "learning_rate": 0.6},
        known,
        60,
        valid_sets=[lightgbm.Dataset(X[160:], codes[160:], reference=known)],
        callbacks=[lightgbm.early_stopping(5, verbose=False)],
        keep_training_booster=True,
    )

    forest = shortlist.load_model(booster)

    assert forest.default_rounds == booster.best_iteration == forest.n_rounds - 5
    np.testing.assert_array_equal(forest.predict(X), booster.predict(X))
    every = booster.predict(X, num_iteration=booster.current_iteration())
    np.testing.assert_array_equal(forest.predict(X, iteration_range=(0, forest.n_rounds)), every)


def test_objects_of_derived_classes_count():
    class Mine(RandomForestClassifier):
        pass

    class Other(lightgbm.LGBMRegressor):
        pass

    X, codes = rows_and_codes(2)
    mine, other = Mine(3).fit(X, codes), Other(**LIGHTGBM).fit(X, codes)

    np.testing.assert_array_equal(shortlist.load_model(mine).predict(X), mine.predict_proba(X))
    np.testing.assert_array_equal(shortlist.load_model(other).predict(X), other.predict(X))


@pytest.mark.parametrize(
    "model",
    [
        lightgbm.LGBMClassifier(),
        xgboost.XGBRegressor(),
        catboost.CatBoostRegressor(),
        RandomForestClassifier(),
        HistGradientBoostingClassifier(),
        GradientBoostingClassifier(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_is_not_fitted_is_refused(model):
    with pytest.raises(ArgumentError, match=f"{type(model).__name__} is not fitted"):
        shortlist.load_model(model)


def test_what_no_file_holds_is_refused():
    X, codes = rows_and_codes(2)
    model = xgboost.XGBClassifier(**XGBOOST, missing=-999.0).fit(X, codes)
    with pytest.raises(UnsupportedError, match=r"XGBClassifier: missing=-999\.0"):
        shortlist.load_model(model)


@pytest.mark.parametrize("other", [3, None, object(), np.zeros(3), [1]])
def test_other_objects_are_refused(other):
    assert live_model(other) is None
    with pytest.raises(ArgumentError, match="expected a path, or a model of"):
        shortlist.load_model(other)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (CLASSIFIERS[0], "ranker.lightgbm.txt"),
        (CLASSIFIERS[1], "ranker.xgboost.ubj"),
        (CLASSIFIERS[3], "ranker.catboost.cbm"),
        (CLASSIFIERS[5], "ranker.sklearn.safetensors"),
    ],
    ids=["lightgbm", "xgboost", "catboost", "sklearn"],
)
def test_packed_objects_keep_their_librarys_file(tmp_path, make, name):
    X, codes = rows_and_codes(2)
    model = make().fit(X, codes)

    version = shortlist.pack(tmp_path / "bundle", ranker=model)
    shortlist.verify(version)

    again = shortlist.load_model(version / name)
    np.testing.assert_array_equal(again.predict(X), shortlist.load_model(model).predict(X))
    names = again.feature_names
    rows = [dict(zip(names, map(float, row), strict=True)) for row in X[:5]]
    scores = shortlist.Engine.load(version).score(rows)
    np.testing.assert_array_equal(scores, again.predict(X[:5]).astype(np.float64))


def test_given_labels_name_the_classes_of_a_file(tmp_path):
    X, codes = rows_and_codes(2)
    model = lightgbm.LGBMClassifier(**LIGHTGBM).fit(X, LABELS[1](codes))
    model.booster_.save_model(tmp_path / "model.txt")
    forest = shortlist.load_model(tmp_path / "model.txt")

    assert forest.as_estimator().classes_.tolist() == [0, 1]
    named = forest.as_estimator(classes=["maybe", "no"])
    np.testing.assert_array_equal(named.predict(X), model.predict(X))
    with pytest.raises(ArgumentError, match="classes: got 3 labels, the model has 2"):
        forest.as_estimator(classes=["a", "b", "c"])


def test_estimators_work_where_scikit_learn_takes_fitted_ones():
    frozen = pytest.importorskip("sklearn.frozen")
    X, codes = rows_and_codes(3)
    model = RandomForestClassifier(5, random_state=0).fit(X, codes)
    estimator = shortlist.load_model(model).as_estimator()

    assert is_classifier(estimator)
    assert clone(estimator) is estimator
    expected = permutation_importance(model, X, codes, n_repeats=2, random_state=0)
    found = permutation_importance(estimator, X, codes, n_repeats=2, random_state=0)
    np.testing.assert_array_equal(found.importances, expected.importances)
    pipeline = make_pipeline(frozen.FrozenEstimator(estimator)).fit(X, codes)
    np.testing.assert_array_equal(pipeline.predict(X), model.predict(X))
    with pytest.raises(UnsupportedError, match="FrozenEstimator"):
        estimator.fit(X, codes)


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: make_pipeline(StandardScaler(), RandomForestClassifier(2)), "its last step"),
        (lambda: GridSearchCV(RandomForestClassifier(2), {"max_depth": [2]}), "best_estimator_"),
        (StandardScaler, "exported are GradientBoostingClassifier"),
    ],
    ids=["pipeline", "search", "scaler"],
)
def test_other_estimators_are_refused_by_name(make, hint):
    X, codes = rows_and_codes(2)
    model = make().fit(X, codes)
    with pytest.raises(UnsupportedError, match=f"{type(model).__name__}.*{hint}"):
        shortlist.load_model(model)
