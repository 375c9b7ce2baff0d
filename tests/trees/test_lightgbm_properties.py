"""Models that LightGBM trains with random parameters, on rows that sit on every edge."""

import json
import os

import lightgbm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import raw_scores, reached_leaves

from shortlist.models import Forest
from shortlist.models.importers.lightgbm import import_lightgbm
from shortlist.models.importers.lightgbm_json import import_lightgbm_json
from shortlist.models.load import model_format

EDGES = [0.0, -0.0, 5e-324, -5e-324, 1e-40, 1e-35, -1e-35, 1.0000000180025095e-35, 2e-35, -2e-35]
EDGES += [np.inf, -np.inf, np.nan, -1.0, -0.5, 0.5, 2.0**24, 2.0**31, -(2.0**31), 1e300, -1e300]

N_EXAMPLES = int(os.environ.get("SHORTLIST_EXAMPLES", "20"))
SQUARED = ["regression", "regression_l1", "quantile", "mape", "fair"]  # that reg_sqrt changes
RANKING = ["lambdarank", "rank_xendcg"]
OBJECTIVES = [*SQUARED, *RANKING, "huber", "poisson", "gamma", "tweedie", "binary", "multiclass"]
OBJECTIVES += ["multiclassova", "cross_entropy", "cross_entropy_lambda", "custom"]

PARAMETERS = st.fixed_dictionaries(
    {
        "objective": st.sampled_from(OBJECTIVES),
        "boosting": st.sampled_from(["gbdt", "gbdt", "dart", "rf"]),
        "linear_tree": st.booleans(),
        "num_leaves": st.integers(2, 70),
        "use_missing": st.booleans(),
        "zero_as_missing": st.booleans(),
        "max_cat_to_onehot": st.sampled_from([1, 4, 30]),
        "reg_sqrt": st.booleans(),
        "sigmoid": st.sampled_from([1.0, 0.7, 2.5, 0.123457, 73.9009, 1.5e-5]),
        "max_bin": st.sampled_from([3, 15, 255]),
    }
)


def training_data(rng, n=400):
    """Six columns: three numeric (one with many zeros), one tiny, two categorical; 10 % NaN."""
    rows = rng.normal(size=(n, 6))
    rows[:, 1] *= rng.random(n) < 0.5
    rows[:, 2] = rng.choice([0.0, 1e-36, -1e-36, 3e-35, -3e-35, 1.0, -2.0], n)
    rows[:, 4] = rng.integers(0, 40, n)
    rows[:, 5] = rng.integers(0, 5, n) * 1000
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows


def train(params, rng, n_rounds=12):
    rows = training_data(rng)
    filled = np.nan_to_num(rows)
    target = filled[:, 0] + filled[:, 1] * filled[:, 3] + np.sin(filled[:, 4]) + filled[:, 2]
    full = {**params, "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 3, "seed": 1}
    full |= {"min_data_per_group": 5, "cat_smooth": 1.0, "bagging_freq": 1, "bagging_fraction": 0.7}
    full |= {"deterministic": True, "feature_fraction": 0.9}
    target = suited(full, target)
    group = [20] * (len(rows) // 20) if full["objective"] in RANKING else None
    data = lightgbm.Dataset(rows, target, group=group, categorical_feature=[4, 5], params=full)
    if full["objective"] == "custom":
        full["objective"] = lambda scores, data: (scores - data.get_label(), np.ones_like(scores))
    return lightgbm.train(full, data, n_rounds)


def suited(params, target):
    """Targets that the objective takes; parameters that it does not take are switched off."""
    objective = params["objective"]
    if objective not in SQUARED:
        params["reg_sqrt"] = False
    if objective == "custom" and params.get("boosting") == "rf":
        params["boosting"] = "gbdt"
    several = objective.startswith("multiclass")
    if objective == "regression_l1" or (several and params.get("boosting") == "rf"):
        params["linear_tree"] = False  # LightGBM refuses the one and crashes at the other
    if params.get("linear_tree"):
        params["zero_as_missing"] = False
    if several:
        params["num_class"] = 3
        return np.digitize(target, [-0.5, 0.7])
    if objective in (*RANKING, "binary", "cross_entropy", "cross_entropy_lambda"):
        return (target > 0).astype(float)
    return np.abs(target) + 0.1 if objective in ("poisson", "gamma", "tweedie") else target


def edge_rows(booster, rng, n=300):
    """Rows of edges, thresholds, and the neighbours of thresholds."""
    text = booster.model_to_string()
    thresholds = [
        float(word)
        for line in text.splitlines()
        if line.startswith("threshold=")
        for word in line[10:].split()
    ]
    around = np.array(thresholds or [0.0])
    pool = np.concatenate(
        (around, np.nextafter(around, np.inf), np.nextafter(around, -np.inf), EDGES)
    )
    rows = rng.choice(pool, (n, 6))
    usual = training_data(rng, n)
    return np.where(rng.random(rows.shape) < 0.6, rows, usual)


def files(booster):
    """The model as text and as JSON dump."""
    return booster.model_to_string().encode(), json.dumps(booster.dump_model()).encode()


def scores(data, X, *, raw_score):
    """What a model file makes of rows; None where that cannot be said yet."""
    read = import_lightgbm_json if model_format(data) == "lightgbm-json" else import_lightgbm
    ensemble = read(data)
    if ensemble.linear_leaves is None:
        return Forest.from_imported(ensemble).predict(X, raw_score=raw_score)
    found = raw_scores(ensemble, X)
    return (found[:, 0] if ensemble.n_outputs == 1 else found) if raw_score else None


@settings(max_examples=N_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(params=PARAMETERS, seed=st.integers(0, 2**16))
def test_random_models_score_as_lightgbm_on_edge_rows(params, seed):
    rng = np.random.default_rng(seed)
    booster = train(params, rng)
    rows = edge_rows(booster, rng, 80 if params["linear_tree"] else 300)
    reference = lightgbm.Booster(model_str=booster.model_to_string())

    with np.errstate(over="ignore"):
        narrow = rows.astype(np.float32)
    for data in files(reference):
        for X in (rows, narrow):
            alone = [scores(data, X[i : i + 1], raw_score=True) for i in range(5)]
            np.testing.assert_array_equal(
                np.concatenate(alone), reference.predict(X[:5], raw_score=True)
            )
            for raw_score in (True, False):
                found = scores(data, X, raw_score=raw_score)
                if found is not None:
                    expected = reference.predict(X, raw_score=raw_score)
                    np.testing.assert_array_equal(found, expected)


@settings(max_examples=N_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(params=PARAMETERS, seed=st.integers(0, 2**16))
def test_leaves_are_numbered_as_lightgbm_does(params, seed):
    rng = np.random.default_rng(seed)
    booster = train(params, rng, n_rounds=4)
    rows = edge_rows(booster, rng, 100)
    expected = booster.predict(rows, pred_leaf=True)

    for ensemble in (import_lightgbm(files(booster)[0]), import_lightgbm_json(files(booster)[1])):
        assert ensemble.leaf_ids is None
        leaves = reached_leaves(ensemble, rows) - ensemble.leaf_offsets[:-1]
        np.testing.assert_array_equal(leaves, expected.reshape(leaves.shape))


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8, 9, 15, 16, 17, 241, 700])
def test_scores_do_not_depend_on_batch_or_threads(n):
    rng = np.random.default_rng(n)
    booster = train({"objective": "multiclass", "num_leaves": 20}, rng)
    forest = Forest.from_imported(import_lightgbm(booster.model_to_string().encode()))
    rows = edge_rows(booster, rng, n) if n else np.empty((0, 6))

    one = forest.predict(rows)

    for n_threads in (2, 3, 8):
        np.testing.assert_array_equal(forest.predict(rows, n_threads=n_threads), one)
    if n:
        np.testing.assert_array_equal(one, booster.predict(rows))
