"""The native core checks every count and index of a compiled forest before it scores."""

import numpy as np
import pytest

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models import Forest
from shortlist.models.importers.lightgbm import import_lightgbm


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
        ("header", 1, 5, "threshold_offsets has 5 elements, expected 6"),
        ("header", 1, 2**32 - 1, "threshold_offsets has 5 elements"),
        ("header", 2, 0, "0 outputs"),
        ("header", 2, 3, "4 trees are no multiple of 3"),
        ("header", 3, 6, "unknown transform 6"),
        ("header", 4, 7, "divisor"),
        ("scale", 0, np.nan, "scale"),
        ("scale", 0, -1.0, "scale"),
        ("thresholds", 1, np.nan, "thresholds of feature 0 do not ascend"),
        ("thresholds", 1, -1e300, "thresholds of feature 0 do not ascend"),
        ("threshold_offsets", 0, 1, "threshold_offsets begins with 1"),
        ("threshold_offsets", 1, 2**32 - 1, "threshold_offsets descends"),
        ("threshold_offsets", -1, 2**32 - 1, "threshold_offsets ends with"),
        ("category_offsets", -1, 1, "category_offsets"),
        ("categories", 1, 0, "categories of feature 3 do not ascend"),
        ("view_features", -1, 4, r"view_features\[\d\] is no feature"),
        ("view_features", slice(None), [3, 0], "view_features are not ascending"),
        ("view_kinds", 0, 6, r"view_kinds\[0\] is unknown"),
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
        ("values", slice(None), np.inf, "value is not finite"),
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
        "scale",
        "thresholds",
        "threshold_offsets",
        "categories",
        "category_offsets",
        "view_features",
        "view_kinds",
        "tree_roots",
        "nodes",
        "values",
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
    refuse(compiled, "format 2", UnsupportedError, **edited(compiled, "header", 0, 2))


def test_more_views_than_fit_are_refused(compiled):
    refuse(
        compiled,
        "40000 views",
        UnsupportedError,
        view_features=np.zeros(40000, np.uint32),
        view_kinds=np.zeros(40000, np.uint8),
    )


@pytest.mark.parametrize("names", ["", "null", "[1]", '["a"]', "[" * 100000])
def test_feature_names_that_do_not_fit_are_refused(compiled, names):
    tensors, metadata = compiled

    with pytest.raises(FormatError, match="feature_names"):
        Forest.from_compiled(tensors, {**metadata, "feature_names": names})


def test_random_damage_is_refused_or_scored_without_a_crash(compiled):
    rng = np.random.default_rng(11)
    tensors, metadata = compiled
    rows = rng.normal(size=(37, 4)) * 20
    for _ in range(2000):
        name = rng.choice(list(tensors))
        array = tensors[name].copy()
        raw = array.view(np.uint8)
        raw[rng.integers(0, raw.size)] = rng.integers(0, 256)
        try:
            forest = Forest.from_compiled({**tensors, name: array}, metadata)
        except (FormatError, UnsupportedError):
            continue
        forest.predict(rows)
        forest.predict(rows.astype(np.float32)[:3])
