"""Damaged linear leaves of a LightGBM text are refused with a message that names tree and field."""

import re

import lightgbm
import numpy as np
import pytest
from reference import raw_scores
from test_hostile_model_text import changed, field, with_word

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.lightgbm import import_lightgbm


@pytest.fixture(scope="module")
def linear_text():
    rng = np.random.default_rng(9)
    rows = rng.normal(size=(300, 3))
    params = {"linear_tree": True, "num_leaves": 5, "verbosity": -1, "num_threads": 1}
    return lightgbm.train(params, lightgbm.Dataset(rows, rows[:, 0] ** 2), 3).model_to_string()


def refuse(text, message):
    with pytest.raises(FormatError, match=message):
        import_lightgbm(text.encode())


@pytest.mark.parametrize(
    ("key", "word", "message"),
    [
        ("leaf_const", "nan", "tree 1: leaf_const holds 'nan' at position 0, expected a finite"),
        ("leaf_const", "1e999", "tree 1: leaf_const holds '1e999'"),
        ("leaf_coeff", "inf", "tree 1: leaf_coeff holds 'inf' at position 0, expected a finite"),
        ("leaf_coeff", "", "tree 1: leaf_coeff has [0-9]+ values, expected"),
        ("leaf_features", "3", "tree 1: leaf_features holds '3' at position 0, expected 0 to 2"),
        ("leaf_features", "-1", "tree 1: leaf_features holds '-1'"),
        ("leaf_features", "", "tree 1: leaf_features has [0-9]+ values, expected"),
        ("num_features", "-1", "tree 1: num_features holds '-1' at position 0, expected 0 to 3"),
        ("num_features", "4", "tree 1: num_features holds '4' at position 0, expected 0 to 3"),
        ("num_features", "9" * 30, "tree 1: num_features holds '999"),
        ("is_linear", "2.5", "tree 1: is_linear holds unexpected characters"),
    ],
)
def test_a_value_out_of_range_is_refused(linear_text, key, word, message):
    refuse(with_word(linear_text, key, 0, word), message)


@pytest.mark.parametrize("key", ["leaf_const", "num_features", "leaf_features", "leaf_coeff"])
def test_a_key_that_is_missing_is_refused(linear_text, key):
    text = re.sub(r"tree_sizes=.*\n", "", linear_text)

    refuse(re.sub(rf"(?m)^{key}=.*\n", "", text), f"tree 0: {key} is missing")


def test_a_tree_that_no_longer_says_that_it_is_linear_gives_its_plain_values(linear_text):
    text = changed(linear_text, "is_linear", "0", tree=2)
    rows = np.random.default_rng(1).normal(size=(50, 3))

    found = raw_scores(import_lightgbm(text.encode()), rows)[:, 0]

    np.testing.assert_array_equal(found, lightgbm.Booster(model_str=text).predict(rows))


def test_random_damage_is_refused_or_scored_without_a_crash(linear_text):
    rng = np.random.default_rng(4)
    data = re.sub(r"tree_sizes=.*\n", "", linear_text).encode()
    places = [m.start() for m in re.finditer(rb"(?<=[0-9 =])[0-9 .-]", data)]
    assert len(field(linear_text, "leaf_coeff", 1)) > 3
    refused = 0
    for _ in range(300):
        damaged = bytearray(data)
        for at in rng.choice(places, 2):
            damaged[at] = rng.choice(list(b"0123456789-. e"))
        try:
            ensemble = import_lightgbm(bytes(damaged))
        except (FormatError, UnsupportedError):
            refused += 1
            continue
        assert ensemble.linear_leaves is not None
        assert ensemble.linear_leaves.offsets[-1] == ensemble.linear_leaves.features.size
        assert ensemble.linear_leaves.features.max() < len(ensemble.feature_names)
    assert refused > 0
