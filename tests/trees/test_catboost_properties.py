"""Models that CatBoost trains with random parameters, on rows that sit on every edge."""

import os

import catboost
import numpy as np
import pandas as pd
from catboost_scores import cells, imported, saved, scores
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import reached_leaves

from shortlist.errors import UnsupportedError
from shortlist.models import Forest

EXAMPLES = int(os.environ.get("SHORTLIST_EXAMPLES", "12"))
EDGES = [0.0, -0.0, 5e-324, 1e-45, -1e-45, 1e-40, np.inf, -np.inf, 1e300, -1e300, 0.5, -1.0]
CATS = ["few", "many", "word"]
CTRS = ["Borders", "Buckets", "BinarizedTargetMeanValue", "Counter"]
LOSSES = ["RMSE", "Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll", "Poisson"]
LOSSES += ["Tweedie:variance_power=1.4", "Quantile:alpha=0.3", "MultiRMSE", "MultiLogloss"]
LOSSES += ["RMSEWithUncertainty", "QueryRMSE", "YetiRank", "MAE", "MultiCrossEntropy"]

PARAMETERS = st.fixed_dictionaries(
    {
        "loss_function": st.sampled_from(LOSSES),
        "grow_policy": st.sampled_from(
            ["SymmetricTree", "SymmetricTree", "Depthwise", "Lossguide"]
        ),
        "depth": st.integers(1, 6),
        "iterations": st.integers(1, 12),
        "one_hot_max_size": st.sampled_from([1, 4, 30]),
        "max_ctr_complexity": st.integers(1, 3),
        "nan_mode": st.sampled_from(["Min", "Max"]),
        "border_count": st.sampled_from([1, 5, 254, 600]),
        "simple_ctr": st.lists(st.sampled_from(CTRS), min_size=1, max_size=4, unique=True),
        "combinations_ctr": st.lists(st.sampled_from(CTRS), min_size=1, max_size=4, unique=True),
        "model_shrink_rate": st.sampled_from([0.0, 0.0, 0.1]),
        "boosting_type": st.just("Plain"),
    }
)


def training_frame(rng, n=300):
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "holes"])
    frame.loc[rng.random(n) < 0.1, "holes"] = np.nan
    frame["b"] = rng.choice([0.0, -0.0, 1.0, 2.5, np.inf, -np.inf], n)
    frame["few"] = rng.integers(-1, 3, n)
    frame["many"] = rng.integers(0, 25, n) * 1000
    words = ["", "x", "täglich", "a word of eighteen", "w" * 40, "nan", "y" * 70, "four", "17"]
    frame["word"] = rng.choice(words, n)
    return frame


def target_of(frame, loss, rng):
    y = np.nan_to_num(frame["a"] + frame["holes"].fillna(0.3)) + np.sin(frame["many"] / 3000.0)
    y = np.asarray(y + (frame["word"] == "x") * 1.5 + frame["few"] * rng.normal(), float)
    if loss.startswith("MultiClass"):
        return np.digitize(y, [-0.5, 0.5, 1.0])
    if loss in ("MultiLogloss", "MultiCrossEntropy"):
        return np.stack([y > 0, y > 1], axis=1).astype(int)
    if loss == "MultiRMSE":
        return np.stack([y, y * y, -y], axis=1)
    if loss in ("Logloss", "CrossEntropy"):
        return (y > 0.3).astype(int)
    return np.abs(y)


def train(params, rng):
    params = dict(params)
    loss = params["loss_function"]
    if loss in ("MultiRMSE", "MultiLogloss", "MultiCrossEntropy", "RMSEWithUncertainty"):
        params["grow_policy"] = "SymmetricTree"
    if loss == "YetiRank":
        params["grow_policy"] = "SymmetricTree"
    if params["model_shrink_rate"] == 0.0 or loss.startswith("Multi"):
        del params["model_shrink_rate"]
    if loss == "YetiRank" or params["grow_policy"] != "SymmetricTree":
        params.pop("model_shrink_rate", None)
    frame = training_frame(rng)
    groups = np.repeat(np.arange(30), 10) if loss in ("QueryRMSE", "YetiRank") else None
    pool = catboost.Pool(frame, target_of(frame, loss, rng), cat_features=CATS, group_id=groups)
    fixed = {"thread_count": 1, "random_seed": 1, "verbose": False, "allow_writing_files": False}
    fixed |= {"ctr_target_border_count": 2} if loss in ("RMSE", "MAE") else {}
    return catboost.CatBoost({**params, **fixed}).fit(pool), pool


def edge_frame(model, rng, n=300):
    """Rows of borders, their neighbours, categories that training had and others."""
    borders = [b for f in model.get_borders().values() for b in f]
    around = np.array(borders or [0.0], np.float32)
    with np.errstate(over="ignore"):
        near = [np.nextafter(around, np.float32(end)) for end in (np.inf, -np.inf)]
    pool = np.concatenate([around, *near]).astype(np.float64)
    pool = np.concatenate([pool, np.nextafter(pool, np.inf), EDGES])
    frame = training_frame(rng, n)
    for name in ("a", "b", "holes"):
        swapped = rng.random(n) < 0.7
        frame[name] = np.where(swapped, rng.choice(pool, n), frame[name])
    frame.loc[rng.random(n) < 0.2, "holes"] = np.nan
    frame["few"] = np.where(rng.random(n) < 0.2, rng.integers(-9, 99, n), frame["few"])
    frame["many"] = np.where(rng.random(n) < 0.2, 2**53 - 1, frame["many"])
    frame["word"] = np.where(rng.random(n) < 0.2, "unseen", frame["word"])
    return frame


def numbers(frame):
    """The frame as imported models take it."""
    columns = [cells(frame[name]) if name == "word" else frame[name] for name in frame.columns]
    return np.column_stack(columns).astype(np.float64)


def prediction_type(loss):
    if loss.startswith(("Poisson", "Tweedie")):
        return "Exponent"
    if loss == "RMSEWithUncertainty":
        return loss
    probability = ("Logloss", "CrossEntropy", "MultiClass", "MultiLogloss", "MultiCrossEntropy")
    return "Probability" if loss.startswith(probability) else "RawFormulaVal"


def check_model(params, seed, tmp_path):
    rng = np.random.default_rng(seed)
    model, pool = train(params, rng)
    frame = edge_frame(model, rng)
    rows = numbers(frame)
    loss = params["loss_function"]
    native = catboost.Pool(frame, cat_features=CATS)
    cbm = saved(model, tmp_path, "cbm")
    files = [cbm]
    try:
        files.append(saved(model, tmp_path, "json", pool))
    except catboost.CatBoostError as error:  # it writes no infinite borders there
        assert "invalid float value" in str(error)

    for data in files:
        if data is not cbm and loss.startswith("Multi") and not loss.startswith("MultiClass"):
            try:
                imported(data)
            except UnsupportedError as error:
                assert "tables this format does not tell apart" in str(error)
                continue
        ensemble = imported(data)
        n = ensemble.n_trees
        for first, last in {(0, n), (0, 1), (n - 1, n), (n // 2, n)}:
            expected = model.predict(
                native, "RawFormulaVal", ntree_start=first, ntree_end=last, thread_count=1
            )
            found = scores(data, rows, rounds=(first, last))
            np.testing.assert_array_equal(found, expected.reshape(len(rows), -1))
        made = scores(data, rows, raw=False)
        expected = model.predict(native, prediction_type(loss), thread_count=1)
        expected = expected.reshape(len(rows), -1)[:, -made.shape[1] :]
        if ensemble.transform.name.startswith("CATBOOST"):
            np.testing.assert_array_equal(made, expected)
        else:
            np.testing.assert_array_max_ulp(made, expected, 2)
    ensemble = imported(cbm)
    leaves = ensemble.leaf_ids[reached_leaves(ensemble, rows)]
    np.testing.assert_array_equal(leaves, model.calc_leaf_indexes(native))
    np.testing.assert_array_equal(Forest.from_imported(ensemble).leaf_indices(rows), leaves)
    alone = [model.predict(frame[i : i + 1], "RawFormulaVal", thread_count=1) for i in range(5)]
    np.testing.assert_array_equal(scores(cbm, rows[:5]), np.reshape(alone, (5, -1)))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(params=PARAMETERS, seed=st.integers(0, 2**16))
def test_random_models_score_as_catboost_on_edge_rows(params, seed, tmp_path_factory):
    check_model(params, seed, tmp_path_factory.mktemp("model"))
