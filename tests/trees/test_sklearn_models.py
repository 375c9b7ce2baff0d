"""What scikit-learn models keep on their way: names, categories, labels, leaves, one-leaf trees."""

import math

import numpy as np
import pandas as pd
import pytest
import sklearn
from reference import raw_scores
from scipy.sparse import csr_matrix
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor
from sklearn_models import VERSION, exported

from shortlist import export_sklearn, load_model
from shortlist.errors import ArgumentError, StorageError, UnsupportedError
from shortlist.models import Forest
from shortlist.models.importers.ensemble import ImportedEnsemble, Transform
from shortlist.models.importers.sklearn import import_sklearn

encodes = pytest.mark.skipif(VERSION < (1, 4), reason="scikit-learn 1.3 does not encode categories")


def rows_and_target(n=120):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, 4))
    return X, X[:, 0] + X[:, 1]


def test_names_labels_and_objective_are_kept(tmp_path):
    X, y = rows_and_target()
    table = pd.DataFrame(X, columns=["a b", "é", "x", "y"])
    model = RandomForestClassifier(3).fit(table, np.where(y > 0, "good", "bad"))

    forest = Forest.from_imported(import_sklearn(exported(model, tmp_path)))

    assert forest.feature_names == ("a b", "é", "x", "y")
    assert forest.classes == ("bad", "good")
    assert (forest.source, forest.objective) == ("sklearn", "RandomForestClassifier")
    assert forest.as_estimator().feature_names_in_.tolist() == ["a b", "é", "x", "y"]


def test_trees_of_one_leaf_are_scored(tmp_path):
    X, _ = rows_and_target()
    constant = np.full(len(X), 2.5)
    for model in (
        DecisionTreeRegressor(),
        ExtraTreesRegressor(3),
        GradientBoostingRegressor(n_estimators=3),
        HistGradientBoostingRegressor(max_iter=2),
    ):
        model.fit(X, constant)
        forest = Forest.from_imported(import_sklearn(exported(model, tmp_path)))
        np.testing.assert_array_equal(forest.predict(X), model.predict(X))


def test_sparse_rows_lack_zeros(tmp_path):
    X, y = rows_and_target()
    X[np.random.default_rng(2).random(X.shape) < 0.5] = 0.0
    model = ExtraTreesRegressor(4, n_jobs=1).fit(X, y)

    forest = Forest.from_imported(import_sklearn(exported(model, tmp_path)))

    np.testing.assert_array_equal(forest.predict(csr_matrix(X)), model.predict(csr_matrix(X)))


def test_nan_goes_right_in_gradient_boosting_as_its_comparison_is_false(tmp_path):
    X, y = rows_and_target()
    model = GradientBoostingRegressor(n_estimators=4).fit(X, y)

    forest = Forest.from_imported(import_sklearn(exported(model, tmp_path)))

    missing, greatest = X.copy(), X.copy()
    missing[:, 0], greatest[:, 0] = np.nan, 1e30
    np.testing.assert_array_equal(forest.predict(missing), model.predict(greatest))


@encodes
def test_a_missing_text_that_was_none_in_training_is_a_category(tmp_path):
    rng = np.random.default_rng(3)
    column = rng.choice(np.array(["x", "y", None], dtype=object), 200)
    rows = np.column_stack([rng.normal(size=200), column]).astype(object)
    y = np.array([{"x": 0.0, "y": 5.0, None: -7.0}[text] for text in column])
    model = HistGradientBoostingRegressor(categorical_features=[1], min_samples_leaf=2, max_iter=4)
    model.fit(rows, y)

    ensemble = import_sklearn(exported(model, tmp_path))
    codes = np.array([{"x": 0.0, "y": 1.0, None: np.nan}[text] for text in column])
    numbers = np.column_stack([rows[:, 0].astype(float), codes])

    assert ensemble.category_names == {1: ("x", "y")}
    np.testing.assert_array_equal(raw_scores(ensemble, numbers)[:, 0], model.predict(rows))


@encodes
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([2**60 + 1, 1, 2], "feature 0: the category 1152921504606846977 of type int"),
        (["a", None, np.nan], "feature 0: None and NaN are both categories"),
    ],
)
def test_categories_that_have_no_number_are_refused(tmp_path, values, message):
    column = np.array(values * 40, dtype=object)
    rows = column.reshape(-1, 1)
    model = HistGradientBoostingRegressor(categorical_features=[0], max_iter=2)
    model.fit(rows, np.arange(len(rows), dtype=float))
    with pytest.raises(UnsupportedError, match=message):
        export_sklearn(model, tmp_path / "model")


def test_what_cannot_be_exported_is_refused_by_name(tmp_path):
    X, y = rows_and_target()
    several = np.column_stack([y > 0, X[:, 2] > 0]).astype(int)
    for model, target, message in (
        (GradientBoostingRegressor(init=LinearRegression()), y, "init=LinearRegression"),
        (RandomForestClassifier(2), several, "RandomForestClassifier with 2 outputs"),
        (IsolationForest(n_estimators=2), None, "an? IsolationForest cannot be exported"),
        (LinearRegression(), y, "a LinearRegression cannot be exported"),
    ):
        with pytest.raises(UnsupportedError, match=message):
            export_sklearn(model.fit(X, target), tmp_path / "model")
    with pytest.raises(ArgumentError, match="got int, expected a scikit-learn estimator"):
        export_sklearn(7, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_random_initial_estimator_is_refused(tmp_path):
    from sklearn.dummy import DummyClassifier

    X, y = rows_and_target()
    model = GradientBoostingClassifier(n_estimators=2, init=DummyClassifier(strategy="uniform"))
    with pytest.raises(UnsupportedError, match="init=DummyClassifier with strategy 'uniform'"):
        export_sklearn(model.fit(X, y > 0), tmp_path / "model")


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    X, y = rows_and_target()
    with pytest.raises(StorageError):
        export_sklearn(DecisionTreeRegressor().fit(X, y), tmp_path / "absent" / "model")


def test_an_export_says_what_wrote_it(tmp_path):
    X, y = rows_and_target()
    data = exported(HistGradientBoostingClassifier(max_iter=2).fit(X, y > 0), tmp_path)
    assert f'"scikit_learn":"{sklearn.__version__}"'.encode() in data
    assert load_model(tmp_path / "model.sklearn").classes == (False, True)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 15, 16, 100, 127, 128, 129, 136, 300, 1000])
def test_softmax_by_blocks_adds_as_numpy_does(n):
    rows = np.random.default_rng(n).normal(size=(4, n)) * 3
    empty = np.zeros(0, dtype=np.int64)
    for row in rows:
        forest = Forest.from_imported(
            ImportedEnsemble(
                source="test",
                objective="",
                feature_names=("x",),
                n_outputs=n,
                transform=Transform.SOFTMAX_BY_BLOCKS,
                split_offsets=np.array([0, 0]),
                leaf_offsets=np.array([0, 1]),
                round_offsets=np.array([0, 1]),
                features=empty,
                kinds=empty,
                thresholds=np.zeros(0),
                left=empty,
                right=empty,
                leaf_values=row if n == 1 else row[np.newaxis],
                category_offsets=np.zeros(1, dtype=np.int64),
                categories=np.zeros(0),
            )
        )
        exponentials = np.array([math.exp(x - row.max()) for x in row])
        expected = exponentials / np.sum(exponentials)
        np.testing.assert_array_equal(forest.predict(np.zeros((1, 1))).ravel(), expected)
