"""A damaged or malicious JSON dump is refused with a message that names tree and field."""

import copy
import json
import time
import tracemalloc

import lightgbm
import numpy as np
import pytest

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models import Forest, load_model
from shortlist.models.importers.lightgbm_json import import_lightgbm_json


@pytest.fixture(scope="module")
def dump(model_text):
    return lightgbm.Booster(model_str=model_text).dump_model()


@pytest.fixture(scope="module")
def linear_dump():
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(300, 3))
    params = {"linear_tree": True, "num_leaves": 5, "verbosity": -1, "num_threads": 1}
    return lightgbm.train(params, lightgbm.Dataset(rows, rows[:, 0] ** 2), 3).dump_model()


def refuse(data, error, message):
    with pytest.raises(error, match=message):
        import_lightgbm_json(data if isinstance(data, bytes) else json.dumps(data).encode())


def nodes(dump, tree):
    """All nodes of a tree, the root first."""
    found = [dump["tree_info"][tree]["tree_structure"]]
    for node in found:
        found.extend(node[side] for side in ("left_child", "right_child") if side in node)
    return found


def changed(dump, key, value, tree=1):
    """The dump with the key of the first node of a tree that has it replaced, or removed."""
    new = copy.deepcopy(dump)
    node = next(node for node in nodes(new, tree) if key in node)
    if value is ...:
        del node[key]
    else:
        node[key] = value
    return new


def with_field(dump, key, value):
    new = {k: v for k, v in dump.items() if k != key}
    return new if value is ... else {**new, key: value}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("split_feature", 4, "tree 1: split_feature holds 4, expected 0 to 3"),
        ("split_feature", -1, "tree 1: split_feature holds '-1', expected 0 to"),
        ("split_feature", 10**4000, "tree 1: split_feature holds '1000"),
        ("split_feature", 1.0, "tree 1: split_feature holds '1.0', expected an integer"),
        ("split_feature", True, "tree 1: split_feature holds 'True', expected an integer"),
        ("split_feature", "1", "tree 1: split_feature holds '1', expected an integer"),
        ("split_feature", ..., "tree 1: split_feature is missing"),
        ("decision_type", "<", "tree 1: decision_type holds '<', expected one of <=, =="),
        ("decision_type", [], "tree 1: decision_type holds"),
        ("decision_type", ..., "tree 1: decision_type is missing"),
        ("default_left", 1, "tree 1: default_left holds '1', expected true or false"),
        ("default_left", ..., "tree 1: default_left is missing"),
        ("missing_type", "nan", "tree 1: missing_type holds 'nan', expected one of None, Zero"),
        ("missing_type", ..., "tree 1: missing_type is missing"),
        ("left_child", None, "tree 1: a node is 'None', expected an object"),
        ("left_child", [], "tree 1: a node is"),
        ("left_child", ..., "tree 1: num_leaves is '8', found"),
        ("right_child", ..., "tree 1: right_child is missing beside a left_child"),
        ("leaf_index", 8, "tree 1: leaf_index holds '8', expected 0 to 7"),
        ("leaf_index", ..., "tree 1: leaf_index is missing"),
        ("leaf_value", "1", "tree 1: leaf_value holds '1', expected a number"),
        ("leaf_value", None, "tree 1: leaf_value holds 'None', expected a number"),
        ("leaf_value", float("nan"), "tree 1: leaf_value holds nan, expected a finite number"),
        ("leaf_value", float("-inf"), "tree 1: leaf_value holds -inf, expected a finite number"),
        ("leaf_value", 10**400, "tree 1: leaf_value holds an integer that is no double"),
        ("leaf_value", ..., "tree 1: leaf_value is missing"),
    ],
)
def test_a_node_that_is_damaged_is_refused(dump, key, value, message):
    refuse(changed(dump, key, value), FormatError, message)


@pytest.mark.parametrize(
    ("decision", "threshold", "message"),
    [
        ("<=", float("nan"), "threshold holds nan, expected a number"),
        ("<=", "1.5", "threshold holds '1.5', expected a number"),
        ("<=", 10**400, "threshold holds an integer that is no double"),
        ("==", 1, "threshold holds '1', expected categories as 1||5||7"),
        ("==", "1|2", "threshold holds '1|2', expected categories"),
        ("==", "1||", "threshold holds"),
        ("==", "-1", "threshold holds '-1'"),
        ("==", "1_0", "threshold holds '1_0'"),
        ("==", "\u0661", "threshold holds '\u0661'"),
        ("==", "2147483648", "threshold holds the category 2147483648, expected below"),
        ("==", "9" * 5000, "threshold holds '999"),
    ],
)
def test_a_threshold_that_is_damaged_is_refused(dump, decision, threshold, message):
    new = copy.deepcopy(dump)
    new["tree_info"][0]["tree_structure"] |= {"decision_type": decision, "threshold": threshold}

    with pytest.raises(FormatError) as caught:
        import_lightgbm_json(json.dumps(new).encode())

    assert f"tree 0: {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "error", "message"),
    [
        ("version", "v5", UnsupportedError, "version is 'v5', handled are v2, v3 and v4"),
        ("version", ..., UnsupportedError, "version is 'None'"),
        ("version", [], UnsupportedError, r"version is '\[\]'"),
        ("name", "forest", FormatError, "name is 'forest', expected \"tree\""),
        ("num_class", ..., FormatError, "num_class is missing, expected an integer of at least 1"),
        ("num_class", 0, FormatError, "num_class is '0'"),
        ("num_tree_per_iteration", 3, FormatError, "is '3', of which 4 trees are no multiple"),
        ("num_tree_per_iteration", 2**31, FormatError, "num_tree_per_iteration is '2147483648'"),
        ("max_feature_idx", -1, FormatError, "max_feature_idx is '-1'"),
        ("max_feature_idx", 10**9, FormatError, "lists 4 features, expected max_feature_idx"),
        ("feature_names", ["a"], FormatError, "feature_names lists 1 features"),
        ("feature_names", [1, 2, 3, 4], FormatError, "expected a list of strings"),
        ("feature_names", ..., FormatError, "feature_names is missing"),
        ("objective", "magic", UnsupportedError, "objective 'magic' is not known"),
        ("objective", 3, FormatError, "objective is '3', expected a string"),
        ("average_output", 1, FormatError, "average_output is '1', expected true or false"),
        ("tree_info", [], FormatError, "it holds no trees"),
        ("tree_info", ..., FormatError, "it holds no trees"),
        ("tree_info", {}, FormatError, "expected '\\['"),
        ("tree_info", [1], FormatError, "tree 0 is '1', expected an object"),
        ("tree_info", [{}], FormatError, "tree 0: tree_structure is missing"),
        ("feature_infos", [], FormatError, "expected '{'"),
        ("feature_infos", {"a": 1}, FormatError, "feature_infos of 'a': expected an object"),
        ("pandas_categorical", [1], FormatError, "expected lists"),
    ],
)
def test_a_header_that_is_damaged_is_refused(dump, key, value, error, message):
    refuse(with_field(dump, key, value), error, message)


def test_trees_that_are_not_those_declared_are_refused(dump):
    for key, value, message in (
        ("num_leaves", 7, "tree 1: num_leaves is '7', found 8"),
        ("num_leaves", 10**9, "tree 1: num_leaves is '1000000000', found 8"),
        ("num_cat", 9, "tree 1: num_cat is '9', found"),
        ("tree_index", 3, "tree 1: tree_index is '3', not 1"),
        ("tree_index", "1", "tree 1: tree_index is '1', not 1"),
    ):
        new = copy.deepcopy(dump)
        new["tree_info"][1][key] = value
        refuse(new, FormatError, message)
    new = copy.deepcopy(dump)
    leaves = [node for node in nodes(new, 1) if "leaf_value" in node]
    leaves[0]["leaf_index"] = leaves[1]["leaf_index"]
    refuse(new, FormatError, "tree 1: leaf_index holds a number twice")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("leaf_const", ..., "leaf_const is missing"),
        ("leaf_const", float("inf"), "leaf_const holds inf, expected a finite number"),
        ("leaf_coeff", [], "leaf_coeff is not as long as leaf_features"),
        ("leaf_coeff", 1, "leaf_coeff holds '1', expected a list"),
        ("leaf_coeff", ["1"], "leaf_coeff holds '1', expected a number"),
        ("leaf_features", ..., "leaf_features is missing"),
        ("leaf_features", [3], "leaf_features holds 3, expected 0 to 2"),
        ("leaf_features", [-1], "leaf_features holds '-1'"),
        ("leaf_features", [0.0], "leaf_features holds '0.0', expected an integer"),
    ],
)
def test_a_linear_leaf_that_is_damaged_is_refused(linear_dump, key, value, message):
    new = copy.deepcopy(linear_dump)
    node = next(n for n in nodes(new, 1) if len(n.get("leaf_features", ())) == 1)
    if value is ...:
        del node[key]
    else:
        node[key] = value

    refuse(new, FormatError, f"tree 1: {message}")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "truncated: expected '{'"),
        (b"[]", "expected '{', found"),
        (b"{}", "version is 'None'"),
        (b"{1: 2}", "expected a key in quotes"),
        (b'{"a" 1}', "expected ':'"),
        (b'{"a": 1', "truncated: expected ','"),
        (b'{"a": inf}', "Expecting value, found 'inf}'"),
        (b'{"a": 1} {', "expected the end"),
        (b'{"a": 1, "a": 2}', "key 'a' stands there twice"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (b'{"a": "\n"}', "Invalid control character"),
        (b'{"a": ' + b"9" * 5000 + b"}", "Exceeds the limit"),
        (b'{"tree_info": [{}', "tree 0: tree_structure is missing"),
    ],
)
def test_what_is_no_json_is_refused(data, message):
    refuse(data, (FormatError, UnsupportedError), message)


@pytest.mark.parametrize(
    "data",
    [
        b'{"tree_info": [{"tree_structure": ' + b'{"left_child":' * 1_000_000,
        b'{"tree_info": [' + b"[" * 3_000_000,
        b'{"a": ' + b"[" * 3_000_000 + b"]" * 3_000_000 + b"}",
        b'{"feature_infos": ' + b'{"":' * 1_000_000,
    ],
)
def test_nesting_without_end_is_refused_quickly_in_little_memory(data):
    tracemalloc.start()
    started = time.process_time()

    refuse(data, FormatError, "expected at most 131200 levels of nesting")

    seconds = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80e6
    assert seconds < 5.0  # under tracemalloc, which slows it down several times


def test_a_number_that_is_a_deep_list_is_refused(dump):
    data = json.dumps(changed(dump, "leaf_value", "here")).encode()
    deep = b"[" * 20_000 + b"]" * 20_000

    refuse(data.replace(b'"here"', deep), FormatError, r"leaf_value holds '\[+\.\.\.\]+'")


def test_a_file_cut_anywhere_is_refused(dump, tmp_path):
    data = json.dumps(dump).encode()
    path = tmp_path / "model.json"

    for at in np.linspace(data.index(b'"tree_info"') + 20, len(data) - 1, 60).astype(int):
        path.write_bytes(data[:at])
        with pytest.raises(FormatError, match=r"model\.json: LightGBM JSON: "):
            load_model(path)


def test_random_damage_is_refused_or_scored_without_a_crash(dump):
    rng = np.random.default_rng(3)
    data = json.dumps(dump).encode()
    rows = rng.normal(size=(20, 4))
    for _ in range(400):
        damaged = bytearray(data)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            damaged[at] = rng.choice(list(b'0123456789-.,:{}[]"|=<neE \xff\x00'))
        try:
            forest = Forest.from_imported(import_lightgbm_json(bytes(damaged)))
        except (FormatError, UnsupportedError):
            continue
        if forest.n_features == 4:
            forest.predict(rows)
