"""Models that scikit-learn trains with random parameters, on rows that sit on every edge."""

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import raw_scores, reached_leaves
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.ensemble import HistGradientBoostingClassifier as HistClassifier
from sklearn.ensemble import HistGradientBoostingRegressor as HistRegressor
from sklearn_models import (
    FORESTS,
    LABELS,
    LOSSES,
    SINGLE,
    VERSION,
    check_predictions,
    edge_rows,
    exported,
    library_scores,
    scores,
    takes_nan,
    target,
    training_rows,
)

from shortlist.models.importers.sklearn import import_sklearn

RANDOM = {
    "max_examples": int(os.environ.get("SHORTLIST_EXAMPLES", "15")),
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
}
SEEDS = st.integers(0, 2**16)


def narrow(X):
    with np.errstate(over="ignore"):
        return X.astype(np.float32)


@settings(**RANDOM)
@given(
    kind=st.sampled_from(FORESTS + SINGLE),
    n_classes=st.integers(1, 4),
    n_outputs=st.integers(1, 3),
    labels=st.sampled_from(LABELS),
    max_depth=st.sampled_from([1, 3, None]),
    criterion=st.sampled_from([None, "poisson", "absolute_error", "friedman_mse"]),
    missing=st.booleans(),
    seed=SEEDS,
)
def test_random_forests_score_as_scikit_learn(
    tmp_path_factory, kind, n_classes, n_outputs, labels, max_depth, criterion, missing, seed
):
    rng = np.random.default_rng(seed)
    params = {"max_depth": max_depth, "random_state": seed, "min_samples_leaf": 2}
    if kind in FORESTS:
        params |= {"n_estimators": 7, "n_jobs": 1}
    model = kind(**params)
    missing = missing and takes_nan(model)
    rows = training_rows(rng, 150, missing=missing)
    if kind.__name__.endswith("Classifier"):
        y = labels(target(rng, rows, n_classes))
    else:
        y = np.column_stack([target(rng, rows) for _ in range(n_outputs)])
        y = y[:, 0] if n_outputs == 1 else y
        if criterion == "poisson" or (criterion == "absolute_error" and not missing):
            model.set_params(criterion=criterion)
    weight = rng.random(len(rows)) if seed % 2 else None
    model.fit(rows, y, sample_weight=weight)
    data = exported(model, tmp_path_factory.mktemp("model"))
    X = edge_rows(data, rng, 200, missing=takes_nan(model), infinite=False)

    for given_rows in (X, narrow(X)):
        np.testing.assert_array_equal(scores(data, given_rows), library_scores(model, given_rows))
    check_predictions(model, data, X)
    ensemble = import_sklearn(data)
    leaves = ensemble.leaf_ids[reached_leaves(ensemble, X)]
    np.testing.assert_array_equal(leaves, model.apply(X).reshape(leaves.shape))


@settings(**RANDOM)
@given(
    kind=st.sampled_from([GradientBoostingClassifier, GradientBoostingRegressor]),
    n_classes=st.integers(2, 4),
    labels=st.sampled_from(LABELS),
    init=st.sampled_from([None, "zero", "dummy"]),
    learning_rate=st.sampled_from([0.1, 0.3, 1.0, 0.7371]),
    max_depth=st.integers(1, 5),
    subsample=st.sampled_from([0.6, 1.0]),
    seed=SEEDS,
    data=st.data(),
)
def test_random_gradient_boosting_scores_as_scikit_learn(
    tmp_path_factory, kind, n_classes, labels, init, learning_rate, max_depth, subsample, seed, data
):
    rng = np.random.default_rng(seed)
    loss = data.draw(st.sampled_from(LOSSES[kind]))
    rows = training_rows(rng, 150, missing=False)
    classifies = kind is GradientBoostingClassifier
    y = (
        labels(target(rng, rows, 2 if loss == "exponential" else n_classes))
        if classifies
        else target(rng, rows)
    )
    if init == "dummy":
        init = DummyClassifier(strategy="most_frequent") if classifies else DummyRegressor()
    model = kind(
        loss=loss,
        init=init,
        learning_rate=learning_rate,
        max_depth=max_depth,
        subsample=subsample,
        n_estimators=8,
        random_state=seed,
        n_iter_no_change=3 if seed % 3 == 0 else None,
    ).fit(rows, y)
    model_bytes = exported(model, tmp_path_factory.mktemp("model"))
    X = edge_rows(model_bytes, rng, 200, missing=False, infinite=False)

    for given_rows in (X, narrow(X)):
        np.testing.assert_array_equal(
            scores(model_bytes, given_rows), library_scores(model, given_rows)
        )
    check_predictions(model, model_bytes, X)
    ensemble = import_sklearn(model_bytes)
    leaves = ensemble.leaf_ids[reached_leaves(ensemble, X)]
    np.testing.assert_array_equal(leaves, model.apply(X).reshape(leaves.shape))


def categorical_columns(rng, n, kind):
    if kind == "small":
        return rng.integers(0, 12, n).astype(float)
    if kind == "any":
        return rng.choice([-7.5, -1.0, 0.0, 3.25, 1e9, 1e-300, 2.0, 77.0], n)
    return rng.integers(0, 250, n).astype(float)


@settings(**RANDOM)
@given(
    kind=st.sampled_from([HistClassifier, HistRegressor]),
    n_classes=st.integers(2, 4),
    labels=st.sampled_from(LABELS),
    categories=st.sampled_from([None, "small", "any", "many"]),
    missing=st.booleans(),
    max_bins=st.sampled_from([3, 20, 255]),
    monotonic=st.booleans(),
    seed=SEEDS,
    data=st.data(),
)
def test_random_histogram_boosting_scores_as_scikit_learn(
    tmp_path_factory, kind, n_classes, labels, categories, missing, max_bins, monotonic, seed, data
):
    rng = np.random.default_rng(seed)
    loss = data.draw(st.sampled_from(LOSSES[kind]))
    if VERSION < (1, 4) and categories == "any":
        categories = "small"
    rows = training_rows(rng, 200, missing=missing)
    params = {"max_iter": 6, "min_samples_leaf": 3, "loss": loss, "random_state": seed}
    if loss == "quantile":
        params["quantile"] = 0.3
    columns = [0, 3] if categories else []
    for column in columns:
        rows[:, column] = categorical_columns(rng, len(rows), categories)
        if missing:
            rows[rng.random(len(rows)) < 0.1, column] = np.nan
    if categories:
        params["categorical_features"] = columns
        max_bins = 255 if categories == "many" else max(max_bins, 20)
    elif monotonic and (kind is HistRegressor or n_classes == 2):
        params["monotonic_cst"] = [1, 0, 0, 0, -1]
    y = labels(target(rng, rows, n_classes)) if kind is HistClassifier else target(rng, rows)
    model = kind(max_bins=max_bins, **params).fit(rows, y)
    model_bytes = exported(model, tmp_path_factory.mktemp("model"))
    X = edge_rows(model_bytes, rng, 200, missing=True, infinite=True)
    for column in columns:
        unseen = rng.choice([np.nan, -1.0, 0.5, 254.0, 13.0, -0.5, -0.0, 3.25, 1e-299], len(X))
        usual = categorical_columns(rng, len(X), categories)
        X[:, column] = np.where(rng.random(len(X)) < 0.5, usual, unseen)

    for given_rows in (X, narrow(X)):
        np.testing.assert_array_equal(
            scores(model_bytes, given_rows), library_scores(model, given_rows)
        )
    check_predictions(model, model_bytes, X)


@pytest.mark.skipif(VERSION < (1, 4), reason="scikit-learn 1.3 has no categories of text")
@settings(**RANDOM)
@given(missing=st.booleans(), dtype=st.sampled_from(["category", "object"]), seed=SEEDS)
def test_text_categories_score_as_scikit_learn(tmp_path_factory, missing, dtype, seed):
    rng = np.random.default_rng(seed)
    rows = training_rows(rng, 200, missing=missing)
    table = pd.DataFrame({f"x{i}": rows[:, i] for i in range(5)})
    texts = np.array(["é", "red", "green", "", "blue", "a b"], dtype=object)
    table.insert(3, "colour", rng.choice(texts, len(rows)))
    table.insert(1, "size", rng.choice([30, 10, 20], len(rows)))
    if missing:
        table.loc[rng.random(len(rows)) < 0.1, "colour"] = np.nan
    table["colour"] = table["colour"].astype(dtype)
    model = HistRegressor(max_iter=6, min_samples_leaf=3, categorical_features=["colour", "size"])
    model.fit(table, target(rng, rows))
    data = exported(model, tmp_path_factory.mktemp("model"))
    ensemble = import_sklearn(data)
    names = ensemble.category_names[4]
    fresh = table.sample(150, replace=True, random_state=seed).reset_index(drop=True)
    fresh["colour"] = fresh["colour"].astype(object)
    fresh.loc[::7, "colour"] = "never seen"
    fresh.loc[::11, "size"] = 11
    code = {name: float(i) for i, name in enumerate(names)}
    numbers = fresh.assign(
        colour=[np.nan if not isinstance(v, str) else code.get(v, -1.0) for v in fresh["colour"]]
    )

    assert ensemble.feature_names == tuple(table.columns)
    assert set(names) <= set(texts.tolist())
    found = raw_scores(ensemble, numbers.to_numpy(dtype=np.float64))[:, 0]
    np.testing.assert_array_equal(found, model.predict(fresh))
