"""Exported scikit-learn models that somebody changed: refused by name, at once."""

import json
import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn_models import exported, target, training_rows

from shortlist import safetensors
from shortlist.errors import FormatError, ShortlistError, UnsupportedError
from shortlist.models import Forest, load_model
from shortlist.models.importers.sklearn import import_sklearn


@pytest.fixture(scope="module")
def histogram(tmp_path_factory):
    """HistGradientBoostingRegressor with a column of texts and one of numbers as categories."""
    rng = np.random.default_rng(3)
    rows = training_rows(rng, 200, missing=True)
    table = pd.DataFrame(rows, columns=list("abcde"))
    table["a"] = rng.choice(["x", "y", "z"], 200)
    table["d"] = rng.choice([5.0, -2.0, 11.0], 200)
    y = target(rng, rows) + table["a"].map({"x": 0, "y": 2, "z": -1}) + table["d"]
    model = HistGradientBoostingRegressor(
        max_iter=3, min_samples_leaf=3, categorical_features=["a", "d"]
    )
    return exported(model.fit(table, y), tmp_path_factory.mktemp("hist"))


@pytest.fixture(scope="module")
def boosted(tmp_path_factory):
    rng = np.random.default_rng(4)
    rows = training_rows(rng, 100, missing=False)
    model = GradientBoostingClassifier(n_estimators=2, max_depth=2)
    return exported(model.fit(rows, target(rng, rows, 3)), tmp_path_factory.mktemp("boosted"))


@pytest.fixture(scope="module")
def forest(tmp_path_factory):
    rng = np.random.default_rng(5)
    rows = training_rows(rng, 100, missing=False)
    y = np.column_stack([target(rng, rows), target(rng, rows)])
    model = RandomForestRegressor(3, max_depth=3, n_jobs=1)
    return exported(model.fit(rows, y), tmp_path_factory.mktemp("forest"))


def changed(data, tmp_path, change, metadata=None, description=None):
    """Bytes with tensors changed by `change`, and entries of metadata and description replaced."""
    tensors, texts = safetensors.loads(data, "test")
    tensors = {name: array.copy() for name, array in tensors.items()}
    if change is not None:
        change(tensors)
    if description is not None:
        document = json.loads(tensors["description"].tobytes())
        document |= description
        text = json.dumps(document).encode()
        tensors["description"] = np.frombuffer(text, dtype=np.uint8)
    safetensors.save(tmp_path / "changed", tensors, {**texts, **(metadata or {})})
    return (tmp_path / "changed").read_bytes()


def put(name, index, value):
    def change(tensors):
        tensors[name][index] = value

    return change


def swap(name, array):
    def change(tensors):
        tensors[name] = np.asarray(array)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("left", 0, 999), "tree 0: left of node 0 is 999"),
        (put("right", 0, -7), "tree 0: right of node 0 is -7"),
        (put("left", 0, -1), "tree 0: right of node 0"),
        (put("features", 0, 5), "tree 0: features has 5, expected 0 to 4"),
        (put("features", 0, -1), "tree 0: features has -1"),
        (put("thresholds", 0, np.nan), "tree 0: thresholds hold NaN"),
        (put("values", 0, np.nan), "values hold nan"),
        (put("base", 0, np.inf), "base hold inf"),
        (put("learning_rate", 0, np.nan), "learning_rate is not one finite number"),
        (put("learning_rate", 0, 1e308), "times learning_rate are beyond float64"),
        (put("tree_nodes", 0, 1), "tree_nodes do not ascend"),
        (put("tree_nodes", -1, 10**9), "tree_nodes do not ascend"),
        (put("tree_nodes", 1, -5), "tree_nodes do not ascend"),
        (swap("tree_nodes", np.zeros(1, np.int64)), "tree_nodes do not ascend"),
        (swap("values", np.zeros((0, 10**9))), "values have the shape"),
        (swap("values", np.zeros(3)), "values have the shape"),
        (swap("base", np.zeros(0)), "base has 0 outputs"),
        (swap("base", np.zeros(5)), "base has 5 outputs"),
        (swap("left", np.zeros(3, np.int64)), "left is int64"),
        (swap("left", np.zeros(3, np.int32)), "has .* nodes, left has 3"),
        (swap("more", np.zeros(3)), "tensors lack or should not have: more"),
        (lambda tensors: tensors.pop("base"), "tensors lack or should not have: base"),
    ],
)
def test_changed_tensors_are_refused(boosted, tmp_path, change, message):
    if "1e308" in message or "beyond" in message:
        boosted = changed(boosted, tmp_path, lambda tensors: tensors["values"].fill(100.0))
    with pytest.raises(FormatError, match=message):
        import_sklearn(changed(boosted, tmp_path, change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("left", 0, 0), "parents|cycle"),
        (lambda tensors: put("right", 0, tensors["left"][0])(tensors), "parents|cycle"),
    ],
)
def test_what_is_no_tree_is_refused(forest, tmp_path, change, message):
    with pytest.raises(FormatError, match=message):
        Forest.from_imported(import_sklearn(changed(forest, tmp_path, change)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("sets", slice(None), 10**6), "sets name a bitset that is none of"),
        (put("sets", slice(None), -2), "sets name a bitset that is none of"),
        (put("left_bitsets", (slice(None), 7), 2**31), "have code 255 of feature"),
        (swap("left_bitsets", np.zeros((50, 7), np.uint32)), "left_bitsets has rows of 7 words"),
        (swap("known_bitsets", np.zeros((1, 8), np.uint32)), "known_bitsets has 1 rows for 0"),
    ],
)
def test_changed_sets_are_refused(histogram, tmp_path, change, message):
    with pytest.raises(FormatError, match=message):
        import_sklearn(changed(histogram, tmp_path, change))


def test_features_are_known_in_one_way_and_once(histogram, tmp_path):
    def know(*features):
        def change(tensors):
            tensors["known_features"] = np.array(features, dtype=np.int32)
            tensors["known_bitsets"] = np.ones((len(features), 8), dtype=np.uint32)

        return change

    for features, message in (
        ((1, 1), "are not different features"),
        ((5,), "are not different features"),
        ((0,), "has 0, of which there are categories besides"),
    ):
        with pytest.raises(FormatError, match=message):
            import_sklearn(changed(histogram, tmp_path, know(*features)))


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"n_features": 0}, "n_features is 0"),
        ({"n_features": True}, "n_features is True"),
        ({"feature_names": ["a"]}, "feature_names are 1, expected n_features = 5"),
        ({"feature_names": [1, 2, 3, 4, 5]}, "feature_names are no list of texts"),
        ({"classes": ["x"]}, "classes are"),
        ({"classes": []}, "classes is no list"),
        ({"categories": {"9": []}}, "categories has the feature '9'"),
        ({"categories": {"00": []}}, "categories has the feature '00'"),
        ({"categories": {"-1": []}}, "categories has the feature '-1'"),
        ({"categories": {"0": ["x", "x"]}}, "hold a text twice"),
        ({"categories": {"0": ["x", 1.0]}}, "are neither all texts nor all numbers"),
        ({"categories": {"0": [2.0, 1.0]}}, "do not ascend"),
        ({"categories": {"0": [None, None]}}, "are neither all texts nor all numbers"),
        ({"categories": {"0": [10**400]}}, "hold a number beyond float64"),
        ({"categories": {"0": list(range(300))}}, "are 300, expected at most 256"),
        ({"categories": {}}, "has a split of feature 0, which is not categorical"),
        ({"categories": []}, "categories is no object"),
        ({"more": 1}, "is no object of n_features"),
    ],
)
def test_changed_descriptions_are_refused(histogram, tmp_path, description, message):
    with pytest.raises(FormatError, match=message):
        import_sklearn(changed(histogram, tmp_path, None, description=description))


def test_numbers_beyond_float64_in_a_description_are_refused(histogram, tmp_path):
    text = b'{"n_features":5,"feature_names":null,"classes":null,"categories":{"0":[1e999]}}'
    change = swap("description", np.frombuffer(text, dtype=np.uint8))
    with pytest.raises(FormatError, match="or are not finite"):
        import_sklearn(changed(histogram, tmp_path, change))


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"version": "2"}, "version is '2'"),
        ({"estimator": "Booster"}, "estimator 'Booster' is not known"),
        ({"loss": "cubic"}, "loss 'cubic' of GradientBoostingClassifier is not known"),
    ],
)
def test_what_is_not_known_is_refused_by_name(boosted, tmp_path, metadata, message):
    with pytest.raises(UnsupportedError, match=message):
        import_sklearn(changed(boosted, tmp_path, None, metadata=metadata))


def test_an_estimator_of_another_kind_is_refused(boosted, forest, histogram, tmp_path):
    for data, estimator, loss in (
        (boosted, "GradientBoostingRegressor", "huber"),
        (boosted, "RandomForestClassifier", ""),
        (boosted, "HistGradientBoostingClassifier", "log_loss"),
        (boosted, "GradientBoostingClassifier", "exponential"),
        (forest, "RandomForestClassifier", ""),
        (forest, "GradientBoostingRegressor", "huber"),
        (histogram, "RandomForestRegressor", ""),
        (histogram, "HistGradientBoostingClassifier", "log_loss"),
    ):
        with pytest.raises(FormatError):
            import_sklearn(
                changed(data, tmp_path, None, metadata={"estimator": estimator, "loss": loss})
            )


def test_a_billion_features_are_refused_at_once(boosted, tmp_path):
    data = changed(
        boosted, tmp_path, None, description={"n_features": 10**9, "feature_names": None}
    )
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(UnsupportedError, match="1000000000 features"):
        import_sklearn(data)
    assert time.process_time() - began < 1.0
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


@pytest.mark.parametrize("which", ["boosted", "forest", "histogram"])
def test_truncated_and_flipped_files_raise_only_our_errors(request, which, tmp_path):
    data = request.getfixturevalue(which)
    rng = np.random.default_rng(6)
    for size in [*range(0, 64), *rng.integers(0, len(data), 100).tolist()]:
        with pytest.raises(FormatError):
            import_sklearn(data[:size])
    for _ in range(400):
        flipped = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            flipped[place] ^= 1 << int(rng.integers(0, 8))
        try:
            model = Forest.from_imported(import_sklearn(bytes(flipped)))
        except ShortlistError:
            continue
        model.predict(np.zeros((2, model.n_features)))


def test_the_format_is_told_from_the_content(histogram, tmp_path):
    path = tmp_path / "no-name"
    path.write_bytes(histogram)
    model = load_model(path)
    assert model.feature_names == tuple("abcde")
    assert model.category_names == {0: ("x", "y", "z")}
