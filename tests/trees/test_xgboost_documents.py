"""What XGBoost's documents may hold besides plain trees: all schemas, special numbers."""

import json

import numpy as np
import pytest
import scipy.sparse
import xgboost
from xgboost_scores import expected, imported, matrix, scores

from shortlist import _core
from shortlist.errors import FormatError
from shortlist.models import Forest, load_model
from shortlist.models.importers import xgboost_nodes
from shortlist.models.importers.ensemble import Transform
from shortlist.models.importers.xgboost_json import import_xgboost_json
from shortlist.models.importers.xgboost_ubj import import_xgboost_ubj

ROWS = np.random.default_rng(7).normal(size=(100, 3)).astype(np.float32)


def train(rows=ROWS, target=None, types=None, n_rounds=3, **params):
    target = rows[:, 0] + rows[:, 1] if target is None else target
    data = xgboost.DMatrix(
        rows, target, feature_types=types, enable_categorical=types is not None, nthread=1
    )
    params = {"max_depth": 3, "nthread": 1, "verbosity": 0, "seed": 1, **params}
    return xgboost.train(params, data, n_rounds)


def document_of(booster):
    return json.loads(booster.save_raw("json"))


def packed(document):
    return json.dumps(document).encode()


def rescored(document, raw=True):
    return scores(packed(document), ROWS, raw)


def with_first_threshold(text, threshold):
    before, after = text.split('"split_conditions":[', 1)
    return f'{before}"split_conditions":[{threshold},{after.split(",", 1)[1]}'


@pytest.fixture(scope="module")
def dart():
    booster = train(booster="dart", rate_drop=0.9, one_drop=1, n_rounds=6)
    assert len(set(document_of(booster)["learner"]["gradient_booster"]["weight_drop"])) > 1
    return booster


@pytest.mark.parametrize("layout", ["in the model", "beside the model"])
def test_weights_of_dart_in_a_gbtree_as_since_3_4(dart, layout):
    document = document_of(dart)
    booster = document["learner"]["gradient_booster"]
    model = booster["gbtree"]["model"]
    renewed = {"name": "gbtree", "model": model}
    (model if layout == "in the model" else renewed)["weight_drop"] = booster["weight_drop"]
    document["learner"]["gradient_booster"] = renewed

    np.testing.assert_array_equal(rescored(document), expected(dart, ROWS, True))


def test_no_weights_are_weights_of_one():
    booster = train()
    document = document_of(booster)
    document["learner"]["gradient_booster"]["weight_drop"] = []

    np.testing.assert_array_equal(rescored(document), expected(booster, ROWS, True))


def test_a_base_score_in_brackets_may_differ_by_output():
    booster = train(target=np.column_stack([ROWS[:, 0], ROWS[:, 1]]))
    document = document_of(booster)
    document["learner"]["learner_model_param"]["base_score"] = "[1.5E0,-2E0]"
    changed = xgboost.Booster()
    changed.load_model(bytearray(packed(document)))

    ensemble = imported(packed(document))

    assert ensemble.base.tolist() == [1.5, -2.0]
    np.testing.assert_array_equal(rescored(document), expected(changed, ROWS, True))


@pytest.mark.parametrize(
    ("version", "base"), [([3, 0, 5], -np.log(1 / 1e-8 - 1)), ([3, 1, 0], -np.log(1 / 1e-6 - 1))]
)
def test_probabilities_near_zero_are_clamped_since_3_1(version, base):
    document = document_of(train(target=ROWS[:, 0] > 0, objective="binary:logistic"))
    document["learner"]["learner_model_param"]["base_score"] = "1E-8"
    document["version"] = version

    assert imported(packed(document)).base[0] == pytest.approx(base, rel=1e-6)


@pytest.mark.parametrize(
    ("version", "booster", "first"),
    [
        ([1, 2, 0], "gbtree", False),
        ([1, 3, 0], "gbtree", True),
        ([1, 3, 0], "dart", False),
        ([1, 4, 0], "dart", True),
        ([], "gbtree", True),
    ],
)
def test_the_base_was_added_last_before_1_3(dart, version, booster, first):
    document = document_of(dart if booster == "dart" else train())
    document["version"] = version

    ensemble = imported(packed(document))

    assert (ensemble.base is not None, ensemble.bias is None) == (first, first)


@pytest.mark.parametrize(
    ("version", "transform"),
    [([3, 3, 0], Transform.IDENTITY), ([3, 4, 0], Transform.FLOAT32_ASCENDING)],
)
def test_quantiles_ascend_since_3_4(version, transform):
    booster = train(objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9])
    document = document_of(booster)
    document["version"] = version

    ensemble = imported(packed(document))

    assert ensemble.transform is transform
    margins = rescored(document)
    found = rescored(document, raw=False)
    if transform is Transform.FLOAT32_ASCENDING:
        margins = np.sort(margins, axis=1)
    np.testing.assert_array_equal(found, margins)


def test_expectiles_are_steps():
    document = document_of(train(target=np.column_stack([ROWS[:, 0], ROWS[:, 1], ROWS[:, 2]])))
    document["learner"]["objective"] = {"name": "reg:expectileerror"}
    document["learner"]["learner_model_param"]["base_score"] = "[1E0,1.5E0,4E0]"

    ensemble = imported(packed(document))

    start = _core.transformed(int(ensemble.transform), 1.0, ensemble.base[None])
    np.testing.assert_allclose(start[0], [1.0, 1.5, 4.0], rtol=1e-6)
    margins = rescored(document).astype(np.float64)
    steps = np.log1p(np.exp(margins)) + 1e-6
    steps[:, 0] = margins[:, 0]
    np.testing.assert_allclose(rescored(document, raw=False), np.cumsum(steps, axis=1), rtol=1e-5)


def test_unknown_objectives_are_left_raw():
    document = document_of(train())
    document["learner"]["objective"] = {"name": "my:loss"}

    ensemble = imported(packed(document))

    assert (ensemble.objective, ensemble.transform) == ("my:loss", Transform.IDENTITY)


def test_numbers_that_json_does_not_know_and_names_like_them():
    booster = train()
    booster.feature_names = ["NaN", 'a"Infinity', "\\-Infinity"]
    text = booster.save_raw("json").decode()
    changed = text.replace('"loss_changes":[', '"loss_changes":[NaN,Infinity,-Infinity,', 1)

    ensemble = import_xgboost_json(with_first_threshold(changed, "Infinity").encode())

    assert ensemble.feature_names == ("NaN", 'a"Infinity', "\\-Infinity")
    assert np.finfo(np.float32).max in ensemble.thresholds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.50000002980232238769531250000000001", np.nextafter(np.float32(0.5), np.float32(1))),
        ("0.5000000298023223876953125", np.float32(0.5)),
        ("0.50000002980232238769531249999999999", np.float32(0.5)),
        ("7.006492321624085e-46", np.float32(0)),
        ("7.0064923216240854e-46", np.float32(1e-45)),
    ],
)
def test_numbers_between_two_float32_are_rounded_once(text, value):
    document = with_first_threshold(train().save_raw("json").decode(), text)

    ensemble = import_xgboost_json(document.encode())

    below = np.nextafter(value, np.float32(-np.inf))
    assert ensemble.thresholds[0] == below


def test_default_left_may_be_true_and_false():
    booster = train()
    document = document_of(booster)
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        tree["default_left"] = [bool(flag) for flag in tree["default_left"]]
        tree["split_type"] = [0] * len(tree["split_type"])

    np.testing.assert_array_equal(rescored(document), expected(booster, ROWS, True))


def test_what_1_0_did_not_write_yet_is_done_without():
    booster = train(num_parallel_tree=2, subsample=0.5)
    document = document_of(booster)
    learner = document["learner"]
    model = learner["gradient_booster"]["model"]
    del model["iteration_indptr"], model["cats"], learner["feature_names"]
    del learner["learner_model_param"]["num_target"]
    for tree in model["trees"]:
        for name in ("split_type", "categories", "categories_nodes"):
            del tree[name]
        del tree["tree_param"]["num_deleted"]

    ensemble = imported(packed(document))

    assert ensemble.round_offsets.tolist() == [0, 2, 4, 6]
    np.testing.assert_array_equal(rescored(document), expected(booster, ROWS, True))


def test_trees_that_are_no_multiple_of_a_round_are_refused():
    document = document_of(train())
    model = document["learner"]["gradient_booster"]["model"]
    del model["iteration_indptr"]
    model["gbtree_model_param"]["num_parallel_tree"] = "2"

    with pytest.raises(Exception, match="3 trees are no multiple of num_parallel_tree x outputs"):
        imported(packed(document))


@pytest.mark.parametrize("types", [None, ["q", "c", "q"]])
def test_trees_are_converted_some_at_a_time(monkeypatch, types):
    rows = ROWS.copy()
    rows[:, 1] = np.abs(rows[:, 1] * 4).astype(int)
    data = train(rows, types=types, n_rounds=7, max_cat_to_onehot=1).save_raw("json")
    at_once = vars(import_xgboost_json(bytes(data)))

    for nodes in (1, 20):
        monkeypatch.setattr(xgboost_nodes, "_NODES_AT_ONCE", nodes)
        for name, value in vars(import_xgboost_json(bytes(data))).items():
            np.testing.assert_array_equal(value, at_once[name], err_msg=name)

    document = json.loads(data)
    trees = document["learner"]["gradient_booster"]["model"]["trees"]
    trees[6]["left_children"][0] = 99
    with pytest.raises(FormatError, match="tree 6: node 0: its left child is no node: 99"):
        import_xgboost_json(packed(document))


def test_names_of_features_attributes_and_classes():
    booster = train(target=np.arange(100) % 3, objective="multi:softmax", num_class=3)
    booster.feature_names = ["a", "b b", "ü"]
    booster.set_attr(best_iteration="1")

    for form, read in (("json", import_xgboost_json), ("ubj", import_xgboost_ubj)):
        ensemble = read(bytes(booster.save_raw(form)))
        assert ensemble.feature_names == ("a", "b b", "ü")
        assert ensemble.best_iteration == 1
        assert ensemble.classes == (0, 1, 2)
        assert np.isnan(ensemble.absent)


def test_names_of_categories():
    pandas = pytest.importorskip("pandas")
    n = 90
    frame = pandas.DataFrame(
        {
            "plain": np.arange(n) % 7,
            "text": pandas.Categorical.from_codes(np.arange(n) % 3, ["z", "", "bc"]),
            "whole": pandas.Categorical.from_codes(np.arange(n) % 2, [-300, 40000]),
            "small": pandas.Categorical.from_codes(
                np.arange(n) % 2, pandas.Index(np.array([3, 250], dtype=np.uint8))
            ),
            "big": pandas.Categorical.from_codes(
                np.arange(n) % 2, pandas.Index(np.array([3, 2**63 + 5], dtype=np.uint64))
            ),
        }
    )
    if xgboost.__version__ < "3.4":
        frame = frame.drop(columns="big")
    data = xgboost.DMatrix(frame, np.sin(np.arange(n)), enable_categorical=True, nthread=1)
    booster = xgboost.train({"max_depth": 3, "nthread": 1}, data, 2)

    for form, read in (("json", import_xgboost_json), ("ubj", import_xgboost_ubj)):
        names = read(bytes(booster.save_raw(form))).category_names
        assert names[1] == ("z", "", "bc")
        assert names[2] == (-300, 40000)
        assert names[3] == (3, 250)
        assert 0 not in names


def test_a_category_that_was_cut_leaves_its_feature_without_names():
    rows = ROWS.copy()
    rows[:, 2] = np.arange(100) % 3
    document = document_of(train(rows, types=["q", "q", "c"]))
    column = {"offsets": [0, 1, 2], "values": [120, -61]}
    empty = {"offsets": [], "values": []}
    document["learner"]["gradient_booster"]["model"]["cats"]["enc"] = [empty, empty, column]

    assert imported(packed(document)).category_names == {}


def test_vectors_of_leaves_stood_in_base_weights_before_3_2():
    target = np.column_stack([ROWS[:, 0], ROWS[:, 1]])
    booster = train(target=target, multi_strategy="multi_output_tree", tree_method="hist")
    document = document_of(booster)
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        weights = np.reshape(tree["base_weights"], (-1, 2))
        for node, left in enumerate(tree["left_children"]):
            if left == -1:
                row = tree["right_children"][node]
                weights[node] = tree["leaf_weights"][2 * row : 2 * row + 2]
                tree["right_children"][node] = -1
        tree["base_weights"] = weights.ravel().tolist()
        del tree["leaf_weights"]

    np.testing.assert_array_equal(rescored(document), expected(booster, ROWS, True))


def test_nodes_that_were_pruned_away_are_passed_over():
    booster = train(tree_method="exact", gamma=5.0, max_depth=6)
    tree = document_of(booster)["learner"]["gradient_booster"]["model"]["trees"][0]
    assert int(tree["tree_param"]["num_deleted"]) > 0

    ensemble = imported(bytes(booster.save_raw("json")))

    leaves = booster.predict(matrix(booster, ROWS), pred_leaf=True)
    assert set(leaves[:, 0]) <= set(ensemble.leaf_ids[: ensemble.leaf_offsets[1]])
    np.testing.assert_array_equal(rescored(document_of(booster)), expected(booster, ROWS, True))


def test_a_deleted_node_has_no_vector():
    target = np.column_stack([ROWS[:, 0], ROWS[:, 1]])
    booster = train(target=target, multi_strategy="multi_output_tree", tree_method="hist")
    document = document_of(booster)
    tree = document["learner"]["gradient_booster"]["model"]["trees"][1]
    n_nodes = len(tree["left_children"])
    row = tree["left_children"].count(-1)
    deleted = {"left_children": -1, "right_children": row, "default_left": 1}
    deleted |= {"split_indices": 2**31 - 1, "leaf_weights": [0.5, 0.5]}
    for name, values in tree.items():
        if isinstance(values, list) and (len(values) == n_nodes or name in deleted):
            values.extend(np.ravel(deleted.get(name, 0)).tolist())
    tree["tree_param"] |= {"num_nodes": str(n_nodes + 1), "num_deleted": "1"}

    np.testing.assert_array_equal(rescored(document), expected(booster, ROWS, True))


def test_trees_of_one_leaf():
    booster = train(max_depth=1, gamma=1e9, tree_method="exact")

    ensemble = imported(bytes(booster.save_raw("ubj")))

    assert ensemble.features.size == 0
    np.testing.assert_array_equal(
        scores(bytes(booster.save_raw("ubj")), ROWS, True), expected(booster, ROWS, True)
    )


def test_a_linear_model_takes_the_first_base_score_for_all_outputs():
    booster = train(
        target=np.arange(100) % 3, objective="multi:softprob", num_class=3, booster="gblinear"
    )
    document = document_of(booster)
    document["learner"]["learner_model_param"]["base_score"] = "[1E0,2E0,3E0]"
    changed = xgboost.Booster()
    changed.load_model(bytearray(packed(document)))

    np.testing.assert_array_equal(rescored(document), expected(changed, ROWS, True))


@pytest.mark.parametrize("booster", ["gbtree", "gblinear"])
def test_what_a_sparse_row_lacks_is_missing(booster):
    rows = ROWS * (np.random.default_rng(1).random(ROWS.shape) < 0.5)
    model = train(rows=np.where(rows == 0, np.nan, rows), target=rows.sum(axis=1), booster=booster)
    sparse = scipy.sparse.csr_matrix(rows)
    forest = Forest.from_imported(imported(bytes(model.save_raw("ubj"))))

    found = forest.predict(sparse)

    np.testing.assert_array_equal(found, model.predict(xgboost.DMatrix(sparse, nthread=1)))
    assert found.dtype == np.float32


def test_a_file_is_loaded_by_its_content(tmp_path):
    booster = train()
    path = tmp_path / "model.txt"
    for form in ("json", "ubj"):
        path.write_bytes(bytes(booster.save_raw(form)))

        np.testing.assert_array_equal(load_model(path).predict(ROWS), booster.inplace_predict(ROWS))
    booster.dump_model(path, dump_format="json")
    names = ["a", "b", "c", "d"]
    forest = load_model(path, feature_names=names)
    assert forest.feature_names == tuple(names)
    assert forest.objective == "unknown"
