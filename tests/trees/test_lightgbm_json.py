"""LightGBM's JSON dumps score as the text of the same model, in whatever way they were written."""

import json

import lightgbm
import numpy as np
import pytest
from cases import MODELS, cases, needs_models
from reference import raw_scores
from test_lightgbm_properties import edge_rows, train

from shortlist.models import Forest, load_model
from shortlist.models.importers.lightgbm import import_lightgbm
from shortlist.models.importers.lightgbm_json import import_lightgbm_json

DART = MODELS / "lightgbm-leaves" / "dart_breast_cancer"


def as_bytes(dump, **how):
    return json.dumps(dump, **how).encode()


@needs_models
@pytest.mark.parametrize("case", cases("lightgbm dump_model"))
def test_dumps_score_as_what_came_with_them(case, tmp_path):
    (path,) = case.files(tmp_path, "model.dump")
    rows = case.rows()
    tolerance = case.about["tolerance"]

    scores = load_model(path).predict(rows, raw_score=True)

    expected = case.expected("margin")[:, 0]
    np.testing.assert_allclose(scores, expected, rtol=tolerance, atol=tolerance)


@needs_models
def test_a_dump_without_objective_scores_as_its_text_does_raw():
    rows = np.genfromtxt(DART / "inputs.csv", delimiter=",", skip_header=1)
    expected = lightgbm.Booster(model_file=str(DART / "model.txt")).predict(rows, raw_score=True)

    forest = load_model(DART / "model.dump.json")

    np.testing.assert_array_equal(forest.predict(rows, raw_score=True), expected)
    np.testing.assert_array_equal(forest.predict(rows), expected)


@pytest.mark.parametrize(
    "how", [{}, {"indent": 1}, {"sort_keys": True}, {"separators": (",", ":")}]
)
def test_order_of_keys_and_blanks_do_not_matter(how):
    rng = np.random.default_rng(1)
    booster = train({"objective": "multiclass", "num_leaves": 9}, rng, n_rounds=3)
    rows = edge_rows(booster, rng)
    data = as_bytes(booster.dump_model(), **how)

    forest = Forest.from_imported(import_lightgbm_json(data))

    np.testing.assert_array_equal(forest.predict(rows), booster.predict(rows))


def test_a_dump_of_later_rounds_scores_these():
    rng = np.random.default_rng(2)
    booster = train({"objective": "binary", "num_leaves": 9}, rng, n_rounds=6)
    rows = edge_rows(booster, rng)
    data = as_bytes(booster.dump_model(start_iteration=2, num_iteration=3))

    forest = Forest.from_imported(import_lightgbm_json(data))

    expected = booster.predict(rows, start_iteration=2, num_iteration=3)
    np.testing.assert_array_equal(forest.predict(rows), expected)


def test_infinite_thresholds_that_dumps_write_as_1e300_are_infinite():
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(300, 1))
    rows[::2] = np.nan
    params = {"num_leaves": 3, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(params, lightgbm.Dataset(rows, np.isnan(rows[:, 0])), 2)
    assert " inf" in booster.model_to_string() or "=inf" in booster.model_to_string()
    edges = np.array([[np.inf], [1e301], [1e300], [-np.inf], [np.nan]])

    forest = Forest.from_imported(import_lightgbm_json(as_bytes(booster.dump_model())))

    np.testing.assert_array_equal(forest.predict(edges), booster.predict(edges))


def chain(n_splits, *, leaf="leaf_value"):
    """A dump whose one tree goes right at each threshold 0, 1, ... it passes."""
    node = f'{{"leaf_index": {n_splits}, "{leaf}": {n_splits}}}'
    heads = [
        f'{{"split_feature": 0, "threshold": {i}, "decision_type": "<=", "default_left": true, '
        f'"missing_type": "None", "left_child": {{"leaf_index": {i}, "{leaf}": {i}}}, '
        '"right_child": '
        for i in range(n_splits)
    ]
    return (
        '{"name": "tree", "version": "v4", "num_class": 1, "max_feature_idx": 0, '
        '"feature_names": ["a"], "tree_info": [{"tree_index": 0, "tree_structure": '
        + "".join(heads)
        + node
        + "}" * n_splits
        + "}]}"
    ).encode()


@pytest.mark.parametrize("depth", [1, 300, 990, 1010, 20_000])
def test_a_tree_of_any_depth_loads(depth):
    forest = Forest.from_imported(import_lightgbm_json(chain(depth)))

    rows = np.array([[-1.0], [depth // 2 - 0.5], [depth - 1.0], [depth + 5.0]])
    expected = [0, depth // 2, depth - 1, depth]
    np.testing.assert_array_equal(forest.predict(rows), expected)


def test_both_forms_of_a_model_of_single_leaves_score_the_same():
    params = {"verbosity": -1, "num_threads": 1, "linear_tree": True}
    data = lightgbm.Dataset(np.zeros((30, 2)), np.arange(30.0), params=params)
    booster = lightgbm.train(params, data, 2)
    expected = booster.predict(np.ones((1, 2)))

    for ensemble in (
        import_lightgbm(booster.model_to_string().encode()),
        import_lightgbm_json(as_bytes(booster.dump_model())),
    ):
        np.testing.assert_array_equal(raw_scores(ensemble, np.ones((1, 2)))[:, 0], expected)


def test_a_wide_dump_does_not_need_its_feature_infos_in_memory():
    n = 100_000
    infos = ", ".join(
        f'"f{i}": {{"min_value": 0.5, "max_value": 1, "values": []}}' for i in range(n)
    )
    names = json.dumps([f"f{i}" for i in range(n)])
    data = (
        f'{{"version": "v4", "num_class": 1, "max_feature_idx": {n - 1}, "feature_names": {names}, '
        f'"feature_infos": {{{infos}}}, "tree_info": [{{"tree_structure": {{"leaf_value": 2}}}}]}}'
    )

    ensemble = import_lightgbm_json(data.encode())

    assert len(ensemble.feature_names) == n
    np.testing.assert_array_equal(ensemble.leaf_values, [2.0])
