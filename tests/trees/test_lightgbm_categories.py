"""Names of pandas categories come with the features they belong to, or not at all."""

import json

import lightgbm
import numpy as np
import pandas as pd
import pytest
from cases import MODELS, needs_models
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import raw_scores

from shortlist.models.importers.lightgbm import import_lightgbm
from shortlist.models.importers.lightgbm_categories import match_categories
from shortlist.models.importers.lightgbm_json import import_lightgbm_json

VALUES = {
    "str": ["b", "a", "é\U0001f600", 'quo"te', "", "pandas_categorical:", "[]"],
    "int": [10, 20, -5, 2**40],
    "float": [0.5, -1.25, 1e300, float("inf")],
    "bool": [False, True],
}
KINDS = [*VALUES, "ordered", "constant", "number", "flag"]


def column(kind, rng, n):
    if kind == "number":
        return rng.normal(size=n)
    if kind == "flag":
        return rng.normal(size=n) + rng.integers(0, 2, n)
    if kind == "constant":
        return pd.Categorical(["x"] * n)
    if kind == "ordered":
        names = ["low", "middle", "high"]
        return pd.Categorical(rng.choice(names, n), categories=names, ordered=True)
    values = pd.Series(VALUES[kind])
    column = pd.Categorical(values[rng.integers(0, len(values), n)], categories=VALUES[kind])
    return pd.Series(column).mask(pd.Series(rng.random(n) < 0.1))


def train_frame(kinds, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"f{i}": column(kind, rng, 300) for i, kind in enumerate(kinds)})
    target = sum(np.sin(i + codes(frame)[:, i]) for i in range(len(kinds)))
    params = {"num_leaves": 8, "verbosity": -1, "num_threads": 1, "min_data_per_group": 3}
    params |= {"cat_smooth": 1.0, "min_data_in_leaf": 3}
    return frame, lightgbm.train(params, lightgbm.Dataset(frame, np.nan_to_num(target)), 4)


def codes(frame):
    """Numbers for LightGBM's features: codes of categories, NaN where there is none."""
    found = []
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            found.append(frame[name].cat.codes.to_numpy(dtype=float))
            found[-1][found[-1] < 0] = np.nan
        else:
            found.append(frame[name].to_numpy(dtype=float))
    return np.column_stack(found)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5), st.integers(0, 1000))
def test_names_are_those_of_the_data_frame(kinds, seed):
    frame, booster = train_frame(kinds, seed)
    expected = {
        i: tuple(frame[name].cat.categories)
        for i, name in enumerate(frame.columns)
        if isinstance(frame[name].dtype, pd.CategoricalDtype)
    }
    dump = json.dumps(booster.dump_model()).encode()

    for ensemble in (
        import_lightgbm(booster.model_to_string().encode()),
        import_lightgbm_json(dump),
    ):
        if "constant" in kinds and ensemble.category_names == {}:
            continue  # of two constant columns it cannot be told which are categories
        assert ensemble.category_names == expected
        found = raw_scores(ensemble, codes(frame))[:, 0]
        np.testing.assert_array_equal(found, booster.predict(frame))


def test_kinds_of_categories_keep_their_types():
    _, booster = train_frame(["str", "int", "float", "bool"], 1)

    names = import_lightgbm(booster.model_to_string().encode()).category_names

    assert [type(names[i][0]) for i in range(4)] == [str, int, float, bool]


def test_an_integer_column_named_as_categorical_has_no_names():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"a": rng.integers(0, 9, 300), "b": column("str", rng, 300)})
    params = {"verbosity": -1, "num_threads": 1, "min_data_per_group": 3}
    data = lightgbm.Dataset(frame, frame.a % 3, categorical_feature=["a", "b"])
    text = lightgbm.train(params, data, 2).model_to_string()

    assert import_lightgbm(text.encode()).category_names == {1: tuple(VALUES["str"])}


def test_what_is_ambiguous_is_left_out():
    lists = [("x", "y")]

    assert match_categories(lists, set(), {3: 1}) == {3: ("x", "y")}
    assert match_categories(lists, set(), {3: 1, 4: 1}) == {}
    assert match_categories(lists, {4}, {3: 1, 4: 1}) == {4: ("x", "y")}
    assert match_categories(lists, {3, 4}, {3: 1, 4: 2}) == {3: ("x", "y")}
    assert match_categories(lists, {4}, {4: 2}) == {}
    assert match_categories([("x",), ("y", "z")], set(), {1: 0, 2: 0, 3: 1}) == {}
    assert match_categories([("x",), ("y", "z")], {1}, {1: 0, 2: 1, 3: 5}) == {
        1: ("x",),
        2: ("y", "z"),
    }
    assert match_categories([("x",)] * 2000, set(), dict.fromkeys(range(5000), 0)) == {}


@needs_models
@pytest.mark.parametrize("name", ["lgbm_categorical", "lgbm_cat_integers"])
def test_categories_of_real_dumps_give_the_codes_that_came_with_them(name):
    folder = MODELS / "vespa" / name
    names = import_lightgbm_json((folder / "model.dump.json").read_bytes()).category_names
    rows = np.genfromtxt(folder / "inputs.csv", delimiter=",", skip_header=1)

    for row, values in zip(rows, json.loads((folder / "inputs.raw.json").read_text()), strict=True):
        for feature, of_feature in names.items():
            value = values.get(f"feature_{feature + 1}")
            code = of_feature.index(value) if value in of_feature else None
            assert (code is None and np.isnan(row[feature])) or code == row[feature]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{}", "pandas_categorical is '{}', expected lists"),
        (b'["a"]', "expected lists"),
        (b"[[null]]", "has the category 'None', expected a string, number or boolean"),
        (b'[["a"', "pandas_categorical: truncated: Expecting ','"),
        (b"[[1]] x", "pandas_categorical: character 6: expected the end, found 'x'"),
        (b"[" * 500_000, "at most 131200 levels of nesting"),
    ],
)
def test_damaged_names_are_refused(model_text, line, message):
    text = model_text.encode().replace(b"pandas_categorical:null", b"pandas_categorical:" + line)

    with pytest.raises(ValueError, match=message):
        import_lightgbm(text)
