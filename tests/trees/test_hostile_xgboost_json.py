"""XGBoost documents that were damaged, or made to harm: refused by name, at once."""

import contextlib
import json

import numpy as np
import pytest
import xgboost
from harm import refused_at_once

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models import Forest
from shortlist.models.importers.xgboost_json import import_xgboost_json
from shortlist.models.importers.xgboost_ubj import import_xgboost_ubj


@pytest.fixture(scope="module")
def booster():
    """Three trees over four features, one of them categorical."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(200, 4)).astype(np.float32)
    rows[:, 3] = rng.integers(0, 9, 200)
    target = rows[:, 0] + np.sin(rows[:, 3]) + rows[:, 1] * rows[:, 2]
    data = xgboost.DMatrix(
        rows, target, feature_types=["q", "q", "q", "c"], enable_categorical=True, nthread=1
    )
    params = {"max_depth": 3, "nthread": 1, "tree_method": "hist", "max_cat_to_onehot": 1}
    return xgboost.train(params, data, 3)


@pytest.fixture
def document(booster):
    return json.loads(booster.save_raw("json"))


def trees_of(document):
    return document["learner"]["gradient_booster"]["model"]["trees"]


def import_document(document):
    return import_xgboost_json(json.dumps(document).encode())


def change(path, value):
    """A change of one member; a path like trees/0/id begins at the model of gbtree."""

    def apply(document):
        learner = document["learner"]
        at = learner["gradient_booster"]["model"] if path.startswith("trees") else learner
        if path.split("/")[0] in ("tree_info", "iteration_indptr", "weight_drop", "cats"):
            at = learner["gradient_booster"]["model"]
        *parents, last = [int(k) if k.isdigit() else k for k in path.split("/")]
        for key in parents:
            at = at[key]
        at[last] = value

    return apply


DAMAGE = [
    (change("trees/1/left_children/0", 99), r"tree 1: node 0: its left child is no node: 99"),
    (change("trees/1/left_children/0", 0), r"tree 1: node 0: its left child is no node: 0"),
    (change("trees/1/left_children/0", -2), r"tree 1: node 0: its left child is no node: -2"),
    (change("trees/1/right_children/0", 99), r"tree 1: node 0: its right child is no node: 99"),
    (change("trees/1/right_children/0", 1), r"tree 1: node 0: the right child is not the node beh"),
    (change("trees/0/left_children", []), r"tree 0: left_children has 0 values, expected num_node"),
    (change("trees/0/left_children", [0.5]), r"tree 0: expected integers.*left_children"),
    (change("trees/0/left_children", ["1"]), r"tree 0: expected integers.*left_children"),
    (change("trees/0/left_children", [[1]]), r"tree 0: expected .*left_children"),
    (change("trees/0/left_children", [[1], 2]), r"tree 0: expected .*left_children"),
    (change("trees/0/left_children", [{}]), r"tree 0: expected integers.*left_children"),
    (change("trees/0/left_children", [10**30]), r"tree 0: expected integers of 64 bits"),
    (change("trees/0/left_children", 7), r"tree 0: expected a list of numbers, got int"),
    (change("trees/0/left_children", None), r"tree 0: expected a list of numbers, got NoneType"),
    (change("trees/0/right_children", [1]), r"tree 0: 1 values of right, expected"),
    (change("trees/0/split_conditions", [1.0]), r"tree 0: 1 values of conditions, expected"),
    (change("trees/0/split_conditions/0", "NaN"), r"tree 0: node 0: its threshold is nan"),
    (change("trees/0/split_conditions/0", "one"), r"tree 0: expected numbers, got 'one'"),
    (change("trees/0/split_conditions/0", None), r"tree 0: expected numbers"),
    (change("trees/0/default_left", []), r"tree 0: 0 values of default_left"),
    (change("trees/0/split_indices/0", 4), r"tree 0: node 0: its feature is none of 4: 4"),
    (change("trees/0/split_indices/0", -1), r"tree 0: node 0: its feature is none of 4: -1"),
    (change("trees/0/split_indices/0", 2**31), r"tree 0: node 0: its feature is none of 4"),
    (change("trees/0/tree_param/num_nodes", "1000000000"), r"expected num_nodes = 1000000000"),
    (change("trees/0/tree_param/num_nodes", "-1"), r"tree 0: num_nodes is '-1', expected an inte"),
    (change("trees/0/tree_param/num_nodes", "9" * 5000), r"tree 0: num_nodes is '999"),
    (change("trees/0/tree_param/num_nodes", 7), r"tree 0: Expected `str`, got `int`"),
    (change("trees/0/tree_param/num_deleted", "3"), r"tree 0: num_deleted is 3, yet 0 nodes"),
    (change("trees/0/tree_param/size_leaf_vector", "1000000000"), r"leaf_weights|base_weights"),
    (change("trees/0/tree_param/size_leaf_vector", "2"), r"tree 0: base_weights has"),
    (change("trees/0/id", 1), r"tree 0: id is 1, expected 0"),
    (change("trees/0", 5), r"tree 0: Expected `object`"),
    (change("trees/0", {}), r"tree 0: Object missing required field"),
    (change("trees", []), r"num_trees is 3, yet there are 0 trees"),
    (change("tree_info", [0, 0, 1]), r"tree_info gives tree 2 output 1 of 1"),
    (change("tree_info", [0]), r"tree_info has 1 values, expected 3"),
    (change("iteration_indptr", [0, 2]), r"iteration_indptr does not ascend from 0 to num_trees"),
    (change("iteration_indptr", [0, 3, 2, 3]), r"iteration_indptr does not ascend"),
    (change("iteration_indptr", []), r"iteration_indptr does not ascend"),
    (change("weight_drop", [1.0]), r"weight_drop has 1 values, expected 3"),
    (change("weight_drop", [1.0, 1e39, 1.0]), r"weight_drop makes leaf values that are not finite"),
    (
        change("cats", {"enc": [{"values": [1]}]}),
        r"cats lists 1 features, expected num_feature = 4",
    ),
    (change("learner_model_param/num_class", "1000000000"), r"1000000000 outputs, yet 3 trees"),
    (change("learner_model_param/num_target", "1000000000"), r"1000000000 outputs, yet 3 trees"),
    (change("learner_model_param/num_feature", "1"), r"feature_types|num_feature|its feature is"),
    (change("learner_model_param/num_feature", "0"), r"num_feature is 0, expected at least 1"),
    (change("learner_model_param/base_score", "[]"), r"base_score is '\[\]', expected a number"),
    (change("learner_model_param/base_score", "x"), r"base_score is 'x', expected a number"),
    (change("learner_model_param/base_score", "nan"), r"base_score is not finite"),
    (change("learner_model_param/base_score", "1e99"), r"base_score is not finite"),
    (change("learner_model_param/base_score", "[1,2]"), r"base_score has 2 values, expected 1"),
    (change("objective", {}), r"missing required field `name`"),
    (change("objective", {"name": 5}), r"Expected `str`, got `int`"),
    (change("attributes", {"best_iteration": "3"}), r"best_iteration is 3, expected one of 3 rou"),
    (change("attributes", {"best_iteration": "-1"}), r"attribute best_iteration is '-1'"),
    (change("feature_names", ["a"]), r"feature_names lists 1 names, expected num_feature = 4"),
    (change("gradient_booster/name", "forest"), r"gradient_booster 'forest' is not known"),
    (change("gradient_booster/name", "dart"), r"the gbtree of dart is missing"),
    (change("gradient_booster/name", "gblinear"), r"the weights of gblinear are missing"),
    (change("gradient_booster/model", None), r"the model of gbtree is missing"),
    (change("gradient_booster", []), r"Expected `object`, got `array`"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_damage_is_refused_by_name(document, damage, message):
    damage(document)

    with pytest.raises((FormatError, UnsupportedError), match=f"^XGBoost JSON model: .*{message}"):
        import_document(document)


def set_of(tree, name, value):
    tree[name] = value


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("categories_sizes", lambda v: [10**9, *v[1:]], "categories_sizes do not fit"),
        ("categories_sizes", lambda v: [-1, *v[1:]], "categories_sizes do not fit"),
        ("categories_sizes", lambda v: v[1:], "expected as many of each"),
        ("categories_sizes", lambda v: [v[0] - 1, *v[1:]], "do not cut all"),
        ("categories_segments", lambda v: [1, *v[1:]], "do not cut all"),
        ("categories_nodes", lambda v: [999, *v[1:]], "categories_nodes are not ascending nodes"),
        ("categories_nodes", lambda v: [-1, *v[1:]], "categories_nodes are not ascending nodes"),
        ("categories", lambda v: [-1, *v[1:]], "category -1 is none of 0 to"),
        ("categories", lambda v: [2**24, *v[1:]], "category 16777216 is none of 0 to"),
        ("categories_nodes", lambda v: [], "expected as many of each"),
    ],
)
def test_sets_of_categories_that_do_not_fit_are_refused(document, name, value, message):
    tree = next(tree for tree in trees_of(document) if tree["categories_nodes"])
    tree[name] = value(tree[name])

    with pytest.raises(FormatError, match=rf"XGBoost JSON model: tree \d: .*{message}"):
        import_document(document)


def test_a_split_by_a_set_that_is_missing_is_refused(document):
    tree = next(tree for tree in trees_of(document) if tree["categories_nodes"])
    for name in ("categories", "categories_nodes", "categories_segments", "categories_sizes"):
        tree[name] = []

    with pytest.raises(FormatError, match="splits by an empty set"):
        import_document(document)


def test_categories_of_no_node_are_refused(document):
    tree = next(tree for tree in trees_of(document) if tree["categories_nodes"])
    for name in ("categories_nodes", "categories_segments", "categories_sizes"):
        tree[name] = []

    with pytest.raises(FormatError, match=r"tree \d: [0-9]+ categories of no node"):
        import_document(document)


def test_leaves_that_are_not_finite_are_refused(document):
    tree = trees_of(document)[2]
    leaf = tree["left_children"].index(-1)
    tree["split_conditions"][leaf] = 1e39

    with pytest.raises(FormatError, match=f"tree 2: node {leaf}: its leaf value is not finite"):
        import_document(document)


def test_vectors_whose_infinities_differ_in_sign_are_refused(repository):
    path = repository / "tests" / "fixtures" / "xgboost" / "3.0.5" / "vectors.json"
    document = json.loads(path.read_bytes())
    tree = trees_of(document)[1]
    leaf = tree["left_children"].index(-1)
    tree["base_weights"][2 * leaf : 2 * leaf + 2] = [1e39, -1e39]

    with pytest.raises(FormatError, match=f"tree 1: node {leaf}: its leaf value is not finite"):
        import_document(document)


@pytest.mark.parametrize("node", [0, 1])
def test_a_cycle_is_refused(document, node):
    tree = trees_of(document)[0]
    inner = next(i for i, left in enumerate(tree["left_children"]) if left > 2)
    tree["left_children"][inner], tree["right_children"][inner] = 1, 2

    with pytest.raises(FormatError, match=r"tree 0: .*parents"):
        Forest.from_imported(import_document(document))


def test_more_features_than_can_be_named_are_refused(document):
    document["learner"]["learner_model_param"]["num_feature"] = "4294967295"
    document["learner"]["feature_names"] = []

    with pytest.raises(UnsupportedError, match="num_feature is 4294967295 without feature_names"):
        import_document(document)


def test_a_file_that_is_cut_anywhere_is_refused(booster):
    for form, read in (("json", import_xgboost_json), ("ubj", import_xgboost_ubj)):
        data = bytes(booster.save_raw(form))
        for end in range(0, len(data), 97):
            with pytest.raises(FormatError, match="XGBoost"):
                read(data[:end])


@pytest.mark.parametrize("form", ["json", "ubj"])
def test_bytes_that_change_are_refused_or_read(booster, form):
    """Nothing else than the errors of this package comes out."""
    read = import_xgboost_json if form == "json" else import_xgboost_ubj
    data = bytes(booster.save_raw(form))
    rng = np.random.default_rng(0)
    for _ in range(400):
        changed = bytearray(data)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            changed[at] = rng.integers(0, 256)
        with contextlib.suppress(FormatError, UnsupportedError):
            read(bytes(changed))


def wrapped(inner):
    return b'{"learner":{"learner_model_param":' + inner + b"}}"


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000 + b"]" * 200_000,
        wrapped(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        wrapped(b"[" * 100_000 + b"]" * 100_000),
        b'{"learner":' * 100_000,
        wrapped(b"1e999"),
        wrapped(b'"' + b'\\"' * 200_000 + b"NaN"),
        b'{"' + b'NaN\\"' * 200_000,
        b"NaN" * 200_000,
        wrapped(b"1" * 1_000_000),
        b"",
        b"{}",
        b"[]",
        b'"\xff\xfe"',
        b'{"learner": {"objective": {"name": "\xff"}}}',
    ],
)
def test_documents_made_to_harm_are_refused_at_once(data):
    with refused_at_once(data, "XGBoost JSON model"):
        import_xgboost_json(data)


def test_deep_nesting_in_a_tree_is_refused(document):
    text = json.dumps(document).replace('"id": 0', '"junk": ' + "[" * 90_000 + "]" * 90_000, 1)

    with pytest.raises(FormatError, match="nested too deep"):
        import_xgboost_json(text.encode())


def test_text_in_a_tree_that_is_not_utf_8_is_refused(document):
    text = json.dumps(document).encode().replace(b'"num_nodes": "', b'"num_nodes": "\xff', 1)

    with pytest.raises(FormatError, match="XGBoost JSON model: text that is not UTF-8"):
        import_xgboost_json(text)
