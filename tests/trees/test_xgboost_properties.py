"""Models that XGBoost trains with random parameters, on rows that sit on every edge."""

import json
import os
import warnings

import numpy as np
import xgboost
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import reached_leaves
from xgboost_scores import expected, imported, leaves, matrix, scores

warnings.filterwarnings("ignore", message=".*(deprecated|are not used).*")

EXAMPLES = int(os.environ.get("SHORTLIST_EXAMPLES", "25"))

EDGES = [0.0, -0.0, 1e-45, -1e-45, 1e-40, 1e-38, -0.5, 0.5, 1.0, -1.0, 2.0**24, 2.0**24 - 1]
EDGES += [np.nan, 1e30, -1e30, 3.4028234663852886e38, -3.4028234663852886e38, 2.0**31, 5e-324]
INFINITE = [np.inf, -np.inf, 1e300, -1e300]

OBJECTIVES = [
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:logistic",
    "reg:pseudohubererror",
    "reg:absoluteerror",
    "reg:quantileerror",
    "reg:gamma",
    "reg:tweedie",
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "survival:cox",
    "survival:aft",
    "multi:softmax",
    "multi:softprob",
    "rank:ndcg",
    "rank:pairwise",
]
POSITIVE = ("reg:gamma", "reg:tweedie", "count:poisson", "survival:cox", "survival:aft")
MANY_TARGETS = ("reg:squarederror", "reg:logistic", "binary:logistic")
UNIT = ("reg:logistic", "binary:logistic", "binary:logitraw", "binary:hinge")

PARAMETERS = st.fixed_dictionaries(
    {
        "objective": st.sampled_from(OBJECTIVES),
        "booster": st.sampled_from(["gbtree", "gbtree", "dart", "gblinear"]),
        "tree_method": st.sampled_from(["hist", "exact", "approx"]),
        "max_depth": st.integers(1, 6),
        "grow_policy": st.sampled_from(["depthwise", "lossguide"]),
        "num_parallel_tree": st.sampled_from([1, 1, 3]),
        "max_cat_to_onehot": st.sampled_from([1, 4, 100]),
        "gamma": st.sampled_from([0.0, 0.0, 2.0]),
        "eta": st.sampled_from([0.3, 1.0]),
        "categorical": st.booleans(),
        "targets": st.sampled_from(["one", "one", "one", "trees", "vectors"]),
        "base_score": st.sampled_from([None, 0.5, 0.123, 0.9999]),
        "n_rounds": st.integers(1, 6),
    }
)


def training_data(rng, n=250):
    """Six columns: numbers, many zeros, tiny numbers, whole numbers, two of categories; NaN."""
    rows = rng.normal(size=(n, 6))
    rows[:, 1] *= rng.random(n) < 0.5
    rows[:, 2] = rng.choice([0.0, 1e-40, -1e-40, 3e-45, 1.0, -2.0], n)
    rows[:, 3] = rng.integers(-3, 4, n)
    rows[:, 4] = rng.integers(0, 40, n)
    rows[:, 5] = rng.integers(0, 5, n)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows.astype(np.float32)


def target_of(objective, rows):
    """Labels that suit the objective."""
    filled = np.nan_to_num(rows)
    target = filled[:, 0] + filled[:, 1] * filled[:, 3] + np.sin(filled[:, 4]) + filled[:, 2]
    if objective in POSITIVE or objective == "reg:squaredlogerror":
        return np.abs(target) + 0.1
    if objective in UNIT or objective.startswith("rank:"):
        return (target > 0).astype(float)
    if objective.startswith("multi:"):
        return np.digitize(target, [-0.5, 0.7])
    return target


def settled(params):
    """Parameters that go together, and how many targets and whether categories go with them."""
    params = {key: value for key, value in params.items() if value is not None}
    targets, categorical = params.pop("targets"), params.pop("categorical")
    if targets != "one":
        params["booster"] = "gbtree"
        if params["objective"] not in MANY_TARGETS:
            params["objective"] = MANY_TARGETS[0]
    if targets == "vectors":
        categorical = False
        params |= {"multi_strategy": "multi_output_tree", "tree_method": "hist"}
    objective, booster = params["objective"], params["booster"]
    if booster == "gblinear":
        if objective in ("reg:absoluteerror", "reg:quantileerror"):
            objective = "reg:squarederror"
        kept = ("booster", "base_score", "eta", "n_rounds")
        params = {key: params[key] for key in kept if key in params}
        params |= {"objective": objective, "updater": "coord_descent"}
        categorical = False
    elif booster == "dart":
        params |= {"rate_drop": 0.5, "one_drop": 1}
    if categorical and params["tree_method"] == "exact":
        params["tree_method"] = "hist"
    if objective == "reg:quantileerror":
        params["quantile_alpha"] = [0.2, 0.7]
        params.pop("base_score", None)
    if objective.startswith("multi:"):
        params["num_class"] = 3
    if params.get("num_parallel_tree", 1) > 1:
        params |= {"subsample": 0.6, "colsample_bytree": 0.7}
    params |= {"nthread": 1, "verbosity": 0, "seed": 1, "min_child_weight": 0.01, "max_bin": 16}
    return params, 1 if targets == "one" else 3, categorical


def train(params, rng):
    params, n_targets, categorical = settled(params)
    objective = params["objective"]
    rows = training_data(rng)
    target = target_of(objective, rows)
    if n_targets > 1:
        target = np.column_stack([np.roll(target, i) for i in range(n_targets)])
    data = xgboost.DMatrix(
        rows,
        target,
        feature_types=["q"] * 4 + ["c"] * 2 if categorical else None,
        enable_categorical=categorical,
        nthread=1,
    )
    if objective.startswith("rank:"):
        data.set_group([50] * 5)
    if objective == "survival:aft":
        data.set_float_info("label_lower_bound", target)
        data.set_float_info("label_upper_bound", target + 1)
    n_rounds = params.pop("n_rounds")
    return xgboost.train(params, data, n_rounds)


def thresholds_of(booster):
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    model = model.get("gbtree", model)["model"]
    found = [c for tree in model.get("trees", []) for c in tree["split_conditions"]]
    found = np.array(found or [0.0], dtype=np.float32)
    return found[np.isfinite(found)]


def edge_rows(booster, rng, n=120):
    """Rows of edges, thresholds, and their neighbours in float32 and in float64."""
    around = thresholds_of(booster)
    above, below = (
        np.nextafter(around, np.float32(np.inf)),
        np.nextafter(around, -np.float32(np.inf)),
    )
    wide = around.astype(np.float64)
    halfway = (wide + above) / 2
    pool = np.concatenate(
        (around, above, below, halfway, np.nextafter(halfway, -np.inf), np.nextafter(wide, np.inf))
    )
    rows = np.where(rng.random((n, 6)) < 0.3, rng.choice(EDGES, (n, 6)), rng.choice(pool, (n, 6)))
    rows = np.where(rng.random(rows.shape) < 0.6, rows, training_data(rng, n))
    some = rng.random((n, 6)) < 0.5
    return np.where(some, rows, np.round(rows))


def check_scores(booster, data, X):
    for raw in (True, False):
        np.testing.assert_array_equal(scores(data, X, raw), expected(booster, X, raw))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(params=PARAMETERS, seed=st.integers(0, 2**16))
def test_random_models_score_as_xgboost_on_edge_rows(params, seed):
    rng = np.random.default_rng(seed)
    booster = train(params, rng)
    name = json.loads(booster.save_config())["learner"]["gradient_booster"]["name"]
    if json.loads(booster.save_config())["learner"]["objective"]["name"] == "multi:softmax":
        booster.set_param({"objective": "multi:softprob"})
    rows = edge_rows(booster, rng)
    with np.errstate(over="ignore"):
        narrow = rows.astype(np.float32)
    finite = np.where(np.isinf(narrow), 0.0, rows)
    files = [bytes(booster.save_raw(form)) for form in ("json", "ubj")]

    for data in files:
        check_scores(booster, data, finite)
        check_scores(booster, data, finite.astype(np.float32))
    if name == "gbtree" and "c" not in (booster.feature_types or []):
        infinite = np.where(rng.random(rows.shape) < 0.2, rng.choice(INFINITE, rows.shape), rows)
        check_scores(booster, files[0], infinite)
    if name == "gblinear":
        return
    ensemble = imported(files[0])
    known = booster.predict(matrix(booster, finite), pred_leaf=True, validate_features=False)
    found = leaves(ensemble, finite)
    np.testing.assert_array_equal(found, known.reshape(found.shape))
    n_rounds = len(ensemble.round_offsets) - 1
    assert n_rounds == booster.num_boosted_rounds()
    first = int(rng.integers(0, n_rounds))
    rounds = (first, int(rng.integers(first + 1, n_rounds + 1)))
    np.testing.assert_array_equal(
        scores(files[0], finite, True, rounds), expected(booster, finite, True, rounds)
    )
    if name == "gbtree" and ensemble.leaf_values.ndim == 1:
        check_dump(booster, ensemble, finite)


def check_dump(booster, ensemble, X):
    dump = imported(f"[{','.join(booster.get_dump(dump_format='json'))}]".encode())
    X = X[:, : len(dump.feature_names)]
    padded = np.zeros((len(X), len(ensemble.feature_names)))
    padded[:, : X.shape[1]] = X
    np.testing.assert_array_equal(leaves(dump, X), leaves(ensemble, padded))
    np.testing.assert_array_equal(
        dump.leaf_values[reached_leaves(dump, X)],
        ensemble.leaf_values[reached_leaves(ensemble, padded)],
    )
