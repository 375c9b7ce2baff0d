"""Objectives are read as LightGBM reads them: names, aliases, and parameters that need rounding."""

import re

import lightgbm
import numpy as np
import pytest
from test_lightgbm_properties import edge_rows, train

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models import Forest
from shortlist.models.importers.ensemble import Transform
from shortlist.models.importers.lightgbm import import_lightgbm
from shortlist.models.importers.lightgbm_objective import read_objective


@pytest.mark.parametrize("sigmoid", ["73.9009", "0.7", "1.5e-05", "2", "1e+02", "0.000123457"])
def test_a_sigmoid_is_rounded_as_lightgbm_rounds_it(sigmoid):
    rng = np.random.default_rng(6)
    booster = train({"objective": "binary", "num_leaves": 9}, rng, n_rounds=3)
    text = re.sub("sigmoid:.*", f"sigmoid:{sigmoid}", booster.model_to_string(), count=1)
    rows = edge_rows(booster, rng)
    expected = lightgbm.Booster(model_str=text).predict(rows)

    forest = Forest.from_imported(import_lightgbm(text.encode()))

    np.testing.assert_array_equal(forest.predict(rows), expected)


def test_a_fair_loss_of_square_roots_squares_its_sums():
    rng = np.random.default_rng(7)
    booster = train({"objective": "fair", "reg_sqrt": True, "num_leaves": 9}, rng, n_rounds=3)
    rows = edge_rows(booster, rng)
    assert "\nobjective=fair sqrt\n" in booster.model_to_string()

    forest = Forest.from_imported(import_lightgbm(booster.model_to_string().encode()))

    np.testing.assert_array_equal(forest.predict(rows), booster.predict(rows))


def test_each_name_that_lightgbm_knows_is_known():
    names = "l2 mean_squared_error mse l2_root root_mean_squared_error rmse regression_l2 l1 mae "
    names += "mean_absolute_error mean_absolute_percentage_error mape huber fair quantile "
    names += "lambdarank rank_xendcg xendcg xe_ndcg xe_ndcg_mart xendcg_mart none null custom na"

    for name in names.split():
        assert read_objective(name, 1, "here").transform == Transform.IDENTITY
    for name in ("poisson", "gamma", "tweedie"):
        assert read_objective(name, 1, "here").transform == Transform.EXPONENTIAL
    for name in ("softmax", "multiclass"):
        assert read_objective(name, 2, "here").transform == Transform.SOFTMAX
    for name in ("multiclass_ova", "ova", "ovr", "multiclassova"):
        assert read_objective(name, 2, "here").transform == Transform.SIGMOID
    assert read_objective("xentropy", 1, "here").transform == Transform.SIGMOID
    assert read_objective("xentlambda", 1, "here").transform == Transform.SOFTPLUS


@pytest.mark.parametrize(
    ("text", "n_outputs", "error", "message"),
    [
        ("", 1, UnsupportedError, "here: objective '' is not known"),
        ("magic", 1, UnsupportedError, "here: objective 'magic' is not known"),
        ("binary sigmoid:-1", 1, FormatError, "sigmoid '-1', expected a positive"),
        ("binary sigmoid:", 1, FormatError, "sigmoid ''"),
        ("binary sigmoid:.", 1, FormatError, "sigmoid '.'"),
        ("binary sigmoid:1e999", 1, FormatError, "sigmoid '1e999'"),
        ("binary sigmoid:" + "9" * 5000, 1, FormatError, "sigmoid '999"),
        ("multiclass num_class:3", 2, FormatError, "'num_class:3', expected num_class:2"),
        ("binary", 2, FormatError, "is 'binary', yet there are 2 outputs"),
    ],
)
def test_what_lightgbm_would_not_take_is_refused(text, n_outputs, error, message):
    with pytest.raises(error, match=message):
        read_objective(text, n_outputs, "here")
