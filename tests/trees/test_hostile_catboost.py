"""CatBoost files that are damaged or made to harm: refused by name, quickly, in little memory."""

import copy
import json
import re
import struct
import time
import tracemalloc

import catboost
import numpy as np
import pytest
from catboost_scores import saved

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.catboost_cbm import import_catboost_cbm
from shortlist.models.importers.catboost_json import import_catboost_json
from shortlist.models.importers.flatbuffer import root_table

REFUSED = (FormatError, UnsupportedError)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Small models with every kind of split, by grow policy and format."""
    tmp_path = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(150, 2))
    cats = rng.integers(0, 5, (150, 2)).astype(str)
    X = [
        [*row, *words, str(i % 2)] for i, (row, words) in enumerate(zip(numbers, cats, strict=True))
    ]
    y = (cats[:, 0] > "2") * 2.0 + numbers[:, 0]
    pool = catboost.Pool(X, y, cat_features=[2, 3, 4])
    found = {}
    for policy in ("SymmetricTree", "Depthwise"):
        params = {"iterations": 5, "depth": 3, "one_hot_max_size": 2, "grow_policy": policy}
        params |= {"thread_count": 1, "verbose": False, "allow_writing_files": False}
        params |= {"simple_ctr": ["Borders", "Counter", "BinarizedTargetMeanValue"]}
        model = catboost.CatBoost(params).fit(pool)
        for form in ("cbm", "json"):
            found[policy, form] = saved(model, tmp_path, form, pool)
    return found


def refused(read, data):
    """The error, which must come soon and without much memory."""
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(REFUSED) as raised:
            read(data)
        assert tracemalloc.get_traced_memory()[1] < 30 * len(data) + 2**23
    finally:
        tracemalloc.stop()
    assert time.process_time() - start < 1.0
    return str(raised.value)


@pytest.mark.parametrize("policy", ["SymmetricTree", "Depthwise"])
def test_a_cut_cbm_is_refused(files, policy):
    data = files[policy, "cbm"]
    for size in [*range(64), *range(64, len(data), 97), len(data) - 1]:
        refused(import_catboost_cbm, data[:size])


@pytest.mark.parametrize("policy", ["SymmetricTree", "Depthwise"])
def test_a_cut_json_is_refused(files, policy):
    data = files[policy, "json"]
    for size in range(0, len(data) - 1, 501):
        refused(import_catboost_json, data[:size])


@pytest.mark.parametrize("policy", ["SymmetricTree", "Depthwise"])
def test_damaged_bytes_of_a_cbm_raise_nothing_else(files, policy):
    data = files[policy, "cbm"]
    rng = np.random.default_rng(1)
    for at in rng.integers(4, len(data), 400):
        changed = bytearray(data)
        changed[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, changed[at] ^ 1])
        try:
            import_catboost_cbm(bytes(changed))
        except REFUSED:
            continue


def test_damaged_words_of_a_cbm_raise_nothing_else(files):
    for policy in ("SymmetricTree", "Depthwise"):
        data = files[policy, "cbm"]
        for at in range(8, len(data) - 4, 36):
            changed = bytearray(data)
            changed[at : at + 4] = struct.pack("<I", 0x7FFFFFF0 + at % 32)
            try:
                import_catboost_cbm(bytes(changed))
            except REFUSED:
                continue


def put(path, value):
    def change(model):
        *parents, last = path
        for key in parents:
            model = model[key]
        model[last] = value

    return change


TREE = ("oblivious_trees", 0)
CHANGES = {
    "split_index": (put((*TREE, "splits", 0, "split_index"), 10**6), "of .* binary features"),
    "negative split": (put((*TREE, "splits", 0, "split_index"), -1), "binary features"),
    "huge split": (put((*TREE, "splits", 0, "split_index"), 2**40), "split_index beyond 32 bits"),
    "leaf count": (put((*TREE, "leaf_values"), [0.5] * 7), "tree 0: 7 leaf values with 3 splits"),
    "outputs": (put((*TREE, "leaf_values"), [0.5] * 16), "tree 1: 8 leaf values, expected 16"),
    "depth": (put((*TREE, "splits"), [{"split_index": 0}] * 40), "with 40 splits"),
    "leaf text": (put((*TREE, "leaf_values", 0), "x"), "Expected `float`"),
    "no trees": (put(("oblivious_trees",), []), "without trees"),
    "bias": (put(("scale_and_bias",), [1, [1.0, 2.0]]), "2 biases of 1 outputs"),
    "ctr type": (put(("features_info", "ctrs", 0, "ctr_type"), "Mean"), "CTR type 'Mean'"),
    "ctr feature": (
        put(("features_info", "ctrs", 0, "elements", 0, "cat_feature_index"), 99),
        "no categorical feature 99",
    ),
    "ctr border": (put(("features_info", "ctrs", 0, "borders"), [2.0, 1.0]), "do not ascend"),
    "ctr tables": (put(("ctr_data",), {}), "no table for CTR"),
    "nan mode": (
        put(("features_info", "float_features", 0, "nan_value_treatment"), "Maybe"),
        "NaN treatment 'Maybe'",
    ),
    "two in a column": (
        put(("features_info", "float_features", 1, "flat_feature_index"), 0),
        "column 0, which is negative or another's",
    ),
    "far column": (
        put(("features_info", "float_features", 1, "flat_feature_index"), 2**31),
        "1000000 columns are handled",
    ),
    "embeddings": (put(("features_info", "embedding_features"), [{}]), "embedding features"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_inconsistent_json_is_refused_by_name(files, name):
    change, message = CHANGES[name]
    model = json.loads(files["SymmetricTree", "json"])
    change(model)

    found = refused(import_catboost_json, json.dumps(model).encode())

    assert re.search(message, found), found


def test_numbers_beyond_float64_are_refused(files):
    text = files["SymmetricTree", "json"]
    model = json.loads(text)
    model["oblivious_trees"][0]["leaf_values"][0] = 4242.5
    for number in (b"1e999", b"NaN", b"-Infinity"):
        refused(import_catboost_json, json.dumps(model).encode().replace(b"4242.5", number))


def test_deep_nesting_is_refused(files):
    model = json.loads(files["Depthwise", "json"])
    split = b'{"split":{"split_index":0},"right":{"value":1},"left":'
    model["trees"] = ["HERE"]
    deep = split * 100_000 + b'{"value":1}' + b"}" * 100_000
    refused(import_catboost_json, json.dumps(model).encode().replace(b'"HERE"', deep))
    refused(import_catboost_json, b'{"features_info":' + b"[" * 10**6)


def test_nodes_without_children_or_leaves_of_other_sizes_are_refused(files):
    model = json.loads(files["Depthwise", "json"])
    for change in (
        put(("trees", 0), {"split": {"split_index": 0}, "left": {"value": 1.0}}),
        put(("trees", 0), {}),
        put(("trees", 0), {"value": []}),
        put(("trees", 0), {"value": [1.0, 2.0]}),
    ):
        changed = copy.deepcopy(model)
        change(changed)
        refused(import_catboost_json, json.dumps(changed).encode())


def test_tables_of_one_ctr_read_many_times_are_refused(files):
    model = json.loads(files["SymmetricTree", "json"])
    ctr = next(c for c in model["features_info"]["ctrs"] if c["ctr_type"] == "Borders")
    table = model["ctr_data"][ctr["identifier"]]
    row = table["hash_map"][1 : table["hash_stride"]]
    table["hash_map"] = [x for n in range(5_000) for x in (str(n), *row)]
    model["features_info"]["ctrs"] += [{**ctr, "borders": [0.5]}] * 1_500

    assert "values of CTRs from a file" in refused(import_catboost_json, json.dumps(model).encode())


def test_shared_flatbuffer_tables_are_not_read_forever():
    # One float feature, of many borders, stands many times in the vector of features.
    n, m = 20_000, 20_000
    core = bytearray(struct.pack("<I4H4x", 16, 8, 8, 0, 4))
    core += struct.pack("<iI", 12, 0)  # the root: only field 1, set below
    vtable = len(core)
    core += struct.pack("<8H", 16, 8, 0, 0, 0, 0, 0, 4)  # field 5
    trees = len(core)
    core += struct.pack("<iI", trees - vtable, 4)
    vector = len(core)
    core += struct.pack("<I", n)
    slots = len(core)
    feature = slots + 4 * n + 12
    core += b"".join(struct.pack("<I", feature - (slots + 4 * i)) for i in range(n))
    core += struct.pack("<6H", 12, 8, 0, 0, 0, 4)  # field 3: borders
    core += struct.pack("<iI", 12, 4) + struct.pack("<I", m) + b"\0" * (4 * m)
    struct.pack_into("<I", core, 20, trees - 20)
    assert vector == trees + 8
    start = time.process_time()
    with pytest.raises(FormatError, match="shared too often"):
        for table in root_table(memoryview(core), "a test").table(1).tables(5):
            table.vector(3, "<f4")
    assert time.process_time() - start < 1.0
