"""The native core checks every count and index of a compiled forest before it scores."""

import numpy as np
import pytest

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models import Forest
from shortlist.models.importers.lightgbm import import_lightgbm


@pytest.fixture(autouse=True)
def every_kernel(monkeypatch):
    """Run every kernel, without comparing: damaged programs may differ from damaged nodes."""
    from every_kernel import with_every_kernel

    for name in ("predict", "leaf_indices"):
        monkeypatch.setattr(Forest, name, with_every_kernel(getattr(Forest, name), same=False))


@pytest.fixture
def compiled(model_text):
    return Forest.from_imported(import_lightgbm(model_text.encode())).compiled_arrays()


def refuse(compiled, message, error=FormatError, **changes):
    tensors, metadata = compiled
    with pytest.raises(error, match=message):
        Forest.from_compiled({**tensors, **changes}, metadata)


def edited(compiled, name, at, value):
    array = compiled[0][name].copy()
    array[at] = value
    return {name: array}


def node(rank, view, left):
    return np.uint64(rank | view << 16 | left << 32)


@pytest.mark.parametrize(
    ("name", "at", "value", "message"),
    [
        ("header", 1, 0, "0 features"),
        ("header", 1, 3, r"column_features\[\d\] is no feature"),
        ("header", 1, 2**31 - 1, "description: feature_names lists 4 names"),
        ("header", 2, 0, "0 outputs"),
        ("header", 2, 3, "base has 1 elements, expected 3"),
        ("header", 3, 2, "leaves of 2 values"),
        ("header", 4, 15, "unknown transform 15"),
        ("header", 5, 3, "unknown aggregate 3"),
        ("header", 6, 64, "unknown flags 64"),
        ("header", 6, 16, "leaves for"),
        ("header", 7, 0, "0 default rounds of 4"),
        ("header", 7, 5, "5 default rounds of 4"),
        ("scales", 0, np.nan, "scales"),
        ("scales", 0, -1.0, "scales"),
        ("scales", 1, np.inf, "scales"),
        ("scales", 2, 1.0, "scales"),
        ("base", 0, np.nan, "base"),
        ("bias", 0, np.inf, "bias"),
        ("thresholds", 1, np.nan, "thresholds of column 0 do not ascend"),
        ("thresholds", 1, -1e300, "thresholds of column 0 do not ascend"),
        ("threshold_offsets", 0, 1, "threshold_offsets begins with 1"),
        ("threshold_offsets", 1, 2**32 - 1, "threshold_offsets descends"),
        ("threshold_offsets", -1, 2**32 - 1, "threshold_offsets ends with"),
        ("key_offsets", -1, 1, "key_offsets"),
        ("keys", 1, -1, r"keys of column \d do not ascend"),
        ("key_codes", 0, 65535, "key_codes"),
        ("column_features", -1, 4, r"column_features\[\d\] is no feature"),
        ("column_features", slice(None), [3, 0], "column_features are not ascending"),
        ("view_columns", -1, 9, r"view_columns\[\d\] is no column"),
        ("view_columns", 0, 1, "shares a column of categories|not ascending"),
        ("segment_views", -1, 9, "segment_views ends with"),
        ("segment_trees", -1, 9, "segment_trees ends with"),
        ("tree_leaves", 1, 3, "tree_leaves gives tree 0"),
        ("tree_outputs", 1, 1, r"tree_outputs\[1\] is no output"),
        ("round_trees", 1, 9, "round_trees descends"),
        ("view_kinds", 0, 9, r"view_kinds\[0\] is unknown"),
        ("tree_roots", 1, 0, "tree 0 has no nodes"),
        ("tree_roots", 1, 2**31, "tree_roots descends"),
        ("tree_roots", 1, 4, "tree 0: node"),
        ("nodes", 0, node(0, 0, 2**32 - 1), "tree 0: node 0 has a child that is not behind it"),
        ("nodes", 0, node(65535, 1, 0), "tree 0: node 0 is a leaf whose rank"),
        ("nodes", 0, node(5, 0, 0), "tree 0: node 0 is a leaf whose rank"),
        ("nodes", 0, node(0, 0, 14), "tree 0: node 0 has a child that is not behind it"),
        ("nodes", 0, node(0, 99, 1), "tree 0: node 0 reads a view"),
        ("nodes", 0, node(65534, 0, 1), "tree 0: node 0 reads a threshold"),
        ("nodes", 0, node(0, 0, 3), "tree 0: node 1 is not reached"),
        ("leaf_values", 3, np.inf, r"leaf_values\[3\] is not finite"),
        ("tree_bitsets", 1, 2**32 - 1, "tree_bitsets descends"),
        ("tree_bitsets", -1, 2**32 - 1, "tree_bitsets ends with"),
        ("bitset_offsets", -1, 2**32 - 1, "bitset_offsets ends with"),
    ],
)
def test_a_wrong_element_is_refused(compiled, name, at, value, message):
    refuse(compiled, message, **edited(compiled, name, at, value))


def test_a_bitset_that_does_not_exist_is_refused(compiled):
    refuse(
        compiled,
        "tree 0: node [0-9]+ reads a bitset",
        tree_bitsets=np.zeros_like(compiled[0]["tree_bitsets"]),
        bitset_offsets=np.zeros(1, np.uint32),
        bitset_words=np.zeros(0, np.uint32),
    )


@pytest.mark.parametrize(
    "name",
    [
        "header",
        "scales",
        "base",
        "bias",
        "column_features",
        "thresholds",
        "threshold_offsets",
        "keys",
        "key_offsets",
        "key_codes",
        "view_columns",
        "view_kinds",
        "segment_views",
        "segment_trees",
        "tree_roots",
        "tree_leaves",
        "tree_outputs",
        "round_trees",
        "nodes",
        "leaf_values",
        "leaf_ids",
        "tree_bitsets",
        "bitset_offsets",
        "bitset_words",
    ],
)
def test_an_array_that_is_absent_empty_or_of_another_type_is_refused(compiled, name):
    tensors, metadata = compiled
    refuse(compiled, ".", **{name: tensors[name][:0]})
    refuse(compiled, f'"{name}" is not one-dimensional', **{name: tensors[name].astype(np.int16)})
    refuse(compiled, f'"{name}" is not one-dimensional', **{name: tensors[name][None]})
    with pytest.raises(FormatError, match=f'"{name}" is missing'):
        Forest.from_compiled({k: v for k, v in tensors.items() if k != name}, metadata)


def test_a_newer_format_is_refused(compiled):
    refuse(compiled, "format 3", UnsupportedError, **edited(compiled, "header", 0, 3))


def test_more_views_than_fit_are_refused(compiled):
    refuse(
        compiled,
        "40000 views",
        UnsupportedError,
        view_columns=np.zeros(40000, np.uint32),
        view_kinds=np.zeros(40000, np.uint8),
        segment_views=np.array([0, 40000], np.uint32),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "description"),
        ("null", "no JSON object"),
        ("[" * 100000, "description"),
        ("{}", "feature_names is no list"),
        ('{"feature_names": ["a"]}', "lists 1 names, expected 4"),
        ('{"feature_names": [1]}', "feature_names is no list of texts"),
        ('{"category_names": []}', "category_names is no JSON object"),
        ('{"category_names": {"x": []}}', "has the key 'x'"),
        ('{"category_names": {"4": []}}', "4 is no feature"),
        ('{"category_names": {"0": [[]]}}', "neither text, number nor boolean"),
        ('{"hashed_features": [9]}', "9 is no feature"),
        ('{"classes": 3}', "classes is no list"),
        ('{"best_iteration": "x"}', "best_iteration is no integer"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(compiled, text, message):
    if text.startswith("{") and "feature_names" not in text and text != "{}":
        text = '{"feature_names": ["a", "b", "c", "d"], ' + text[1:]

    refuse(compiled, message, description=np.frombuffer(text.encode(), np.uint8))


def test_random_damage_is_refused_or_scored_without_a_crash(compiled):
    rng = np.random.default_rng(11)
    tensors, metadata = compiled
    rows = rng.normal(size=(37, 4)) * 20
    for _ in range(2000):
        name = rng.choice([name for name, array in tensors.items() if array.size])
        array = tensors[name].copy()
        raw = array.view(np.uint8)
        raw[rng.integers(0, raw.size)] = rng.integers(0, 256)
        try:
            forest = Forest.from_compiled({**tensors, name: array}, metadata)
        except (FormatError, UnsupportedError):
            continue
        forest.predict(rows)
        forest.predict(rows.astype(np.float32)[:3])
