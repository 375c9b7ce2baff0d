"""What becomes of columns: found by name, categories by value, and what is refused how."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from shortlist.errors import ArgumentError
from shortlist.models import input_cells
from shortlist.models.inputs import ModelInputs, is_frame

FRAMES = [dict, pd.DataFrame, pl.DataFrame, pa.table]


def plain(*names: str) -> ModelInputs:
    return ModelInputs(names, {}, ())


def column(values: object, *, names: tuple | None = None, dtype: type = np.float64) -> list[float]:
    inputs = ModelInputs(["x"], {} if names is None else {0: names}, ())
    return inputs.matrix({"x": values}, dtype)[:, 0].tolist()


def refusal(frame: object, inputs: ModelInputs) -> str:
    with pytest.raises(ArgumentError) as caught:
        inputs.matrix(frame)
    return str(caught.value)


@pytest.fixture
def hashed(monkeypatch) -> ModelInputs:
    """One hashed feature; the hash of a text is its length."""
    lengths = staticmethod(lambda texts: np.array([len(text) for text in texts], dtype=np.uint32))
    monkeypatch.setattr(input_cells._core, "catboost_hash_texts", lengths, raising=False)
    return ModelInputs(["x"], {}, (0,))


@pytest.mark.parametrize("make", FRAMES)
def test_columns_are_found_by_name_in_any_order_and_others_ignored(make):
    frame = make({"b": [1, 2], "when": ["x", "y"], "a": [3.5, 4.5]})
    assert plain("a", "b").matrix(frame).tolist() == [[3.5, 1.0], [4.5, 2.0]]


@pytest.mark.parametrize("make", FRAMES)
def test_an_absent_column_is_named_with_close_ones(make):
    message = refusal(make({"Age": [1], "income": [2]}), plain("age", "income"))
    assert message == "X: there is no column 'age' (close to it: 'Age')"


def test_many_absent_columns_are_counted():
    message = refusal({"x": [1]}, plain(*(f"feature {i}" for i in range(9))))
    assert message.endswith("'feature 4' and 4 more")


@pytest.mark.parametrize("make", FRAMES)
def test_white_space_in_names_is_an_underscore_as_lightgbm_stores_it(make):
    assert plain("a_b").matrix(make({"a b": [1]})).tolist() == [[1.0]]
    assert plain("a_b").matrix(make({"a b": [1], "a_b": [2]})).tolist() == [[2.0]]


def test_two_columns_that_could_be_one_feature_are_refused():
    message = refusal({"a b_c": [1], "a_b c": [2]}, plain("a_b_c"))
    assert message == "X: 2 columns could be feature 'a_b_c': 'a b_c', 'a_b c'"
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert refusal(twice, plain("a")) == "X: column 'a': several columns have this name"


def test_names_given_twice_in_arrow_are_refused_only_where_needed():
    table = pa.table([[1], [2], [3]], names=["a", "a", "b"])
    assert refusal(table, plain("a")) == "X: 2 columns could be feature 'a': 'a', 'a'"
    assert plain("b").matrix(table).tolist() == [[3.0]]


@pytest.mark.parametrize("prefix", ["Column_", "f", "x", ""])
def test_features_without_names_are_columns_in_order(prefix):
    inputs = plain(*(f"{prefix}{i}" for i in range(3)))
    assert inputs.matrix({"c": [1], "b": [2], "a": [3]}).tolist() == [[1.0, 2.0, 3.0]]
    message = refusal({"c": [1], "b": [2]}, inputs)
    assert message.startswith("X has 2 columns; the model's features have no names")


def test_one_generated_name_is_enough_to_go_by_names():
    inputs = plain("f0", "f1")
    assert inputs.matrix({"f1": [1], "f0": [2]}).tolist() == [[2.0, 1.0]]
    assert "'f1'" in refusal({"f0": [1], "b": [2]}, inputs)


def test_names_that_are_integers_match_their_texts():
    frame = pd.DataFrame([[1.0, 2.0]])
    assert plain("1", "0").matrix(frame).tolist() == [[2.0, 1.0]]


def test_names_that_are_not_generated_never_go_by_position():
    assert "no column 'a'" in refusal({"c": [1], "d": [2]}, plain("a", "b"))


def test_integers_are_rounded_once():
    odd = 2**24 + 1
    assert column([2**53 + 1]) == [2.0**53]
    assert column(np.array([2**63 + 2**39 + 1], np.uint64), dtype=np.float32) == [
        float(np.float32(2**63 + 2**40))
    ]
    assert column([odd, odd + 2], dtype=np.float32) == [odd - 1, odd + 3]


def test_missing_values_are_nan_however_they_are_written():
    na = pd.Series([1, None, pd.NA, float("nan")], dtype=object)
    for values in (na, [1, None, np.nan, None], np.ma.array([1, 2, 3, 4], mask=[0, 1, 1, 1])):
        assert np.isnan(column(values)).tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    "values",
    [
        np.array([1, 2], dtype=">i4"),
        np.array([1, 2], dtype=np.longdouble),
        np.array([1, 2], dtype=np.float16),
        np.array([9, 1, 9, 2])[1::2],
        (1, 2),
        range(1, 3),
        [np.float32(1), np.int8(2)],
        pd.Index([1, 2]),
        pd.Series([1, 2], dtype="Sparse[int]"),
        pd.Series([1, 2], dtype="int64[pyarrow]"),
        pl.Series([1, 2]),
        pa.chunked_array([[1], [2]]),
        pa.array([1, 2], type=pa.float16()),
    ],
    ids=lambda values: f"{type(values).__module__}.{type(values).__name__}",
)
def test_a_mapping_takes_columns_of_every_library(values):
    assert column(values) == [1.0, 2.0]


def test_columns_of_one_mapping_may_differ_in_library_and_chunks():
    frame = {"a": pa.chunked_array([[1, 2], [3]]), "b": pl.Series([4, 5, 6]), "c": [7, 8, 9]}
    assert plain("a", "b", "c").matrix(frame).tolist() == [[1, 4, 7], [2, 5, 8], [3, 6, 9]]


def test_columns_of_different_lengths_are_refused():
    message = refusal({"a": [1], "b": [1, 2]}, plain("a", "b"))
    assert message == "X: column 'b' has 2 rows, column 'a' has 1"


@pytest.mark.parametrize("make", FRAMES)
def test_a_text_where_a_number_is_expected_is_shown(make):
    message = refusal(make({"x": [None, "abc"]}), plain("x"))
    assert message == "X: column 'x': row 1 is 'abc', expected a number"


@pytest.mark.parametrize("make", FRAMES)
def test_texts_that_are_all_missing_are_missing_numbers(make):
    assert np.isnan(plain("x").matrix(make({"x": [None, None]}))).all()
    nothing = pl.DataFrame({"x": pl.Series([None], dtype=pl.String)})
    assert np.isnan(plain("x").matrix(nothing)).all()


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["b", "a"]).astype("category"),
        pd.Series([2, 1]).astype("category"),
        pl.Series(["b", "a"], dtype=pl.Categorical),
        pa.array([2, 1]).dictionary_encode(),
    ],
)
def test_a_categorical_of_a_feature_without_categories_is_refused(values):
    message = refusal({"x": values}, plain("x"))
    assert "column 'x' is categorical (row 0 is" in message
    assert "the model has no categories of this feature" in message


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (pa.array([[1]]), "list"),
        (pa.array([{"a": 1}]), "struct"),
        (pa.array([b"1"]), "binary"),
        (pa.array([1], type=pa.timestamp("s")), "timestamp"),
        (pa.array([1], type=pa.decimal128(3)), "decimal"),
        (pa.array([b"1"]).dictionary_encode(), "dictionary<int32, binary>"),
        (pl.Series([1]).cast(pl.Date), "date32"),
        (np.array([1], dtype="M8[s]"), "datetime64[s]"),
        (np.array([1j]), "complex128"),
        (np.array([b"1"]), "|S1"),
        (pd.Series([pd.Timestamp(0)]), "datetime64"),
        ([b"1"], "row 0 is a bytes"),
        ([[1]], "row 0 is a list"),
        (np.zeros((2, 2)), "2 dimensions"),
        (7, "is a int"),
        ("texts", "is a str"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_types_are_refused_by_column_and_type(values, named):
    message = refusal({"x": values}, plain("x"))
    assert message.startswith("X: column 'x'")
    assert named in message


@pytest.mark.parametrize("cells", [[10**400], [1.0, 10**400], ["a", 10**400]])
def test_integers_that_no_float_holds_are_refused(cells):
    assert refusal({"x": cells}, plain("x")).startswith("X: column 'x'")


def test_categories_go_by_value_never_by_the_codes_of_the_frame():
    other_order = pd.Series(pd.Categorical(["b", "a", None], categories=["b", "c", "a"]))
    assert column(other_order, names=("a", "b"))[:2] == [1.0, 0.0]
    enum = pl.Series(["b", "a", "c"], dtype=pl.Enum(["c", "b", "a"]))
    assert column(enum, names=("a", "b")) == [1.0, 0.0, -1.0]


def test_numeric_categories_match_by_value_whatever_their_types():
    names = (3, 1.5, 0, 2**53 + 1)
    assert column([3, 0, 7], names=names) == [0.0, 2.0, -1.0]
    assert column([3.0, 1.5, -0.0, float(2**53)], names=names) == [0.0, 1.0, 2.0, -1.0]
    assert column(np.array([2**53, 2**53 + 1]), names=names) == [-1.0, 3.0]
    assert column(np.array([False, True]), names=names) == [2.0, -1.0]
    assert column(pd.Series([0, 3]).astype("category"), names=names) == [2.0, 0.0]
    assert column(np.array([0, 3, 255], np.uint8), names=(255, -1)) == [-1.0, -1.0, 0.0]
    assert column([True, 1, 1.0, 0], names=(False, True)) == [1.0, 1.0, 1.0, 0.0]


def test_a_model_that_knows_no_category_finds_none():
    assert column(["a", 1], names=()) == [-1.0, -1.0]
    assert column([1, 2], names=()) == [-1.0, -1.0]


def test_names_of_both_kinds_match_both_kinds():
    assert column(["1", 1, "b"], names=("1", 1)) == [0.0, 1.0, -1.0]


def test_a_number_among_categories_that_are_texts_is_refused():
    inputs = ModelInputs(["x"], {0: ("a", "b", "c", "d")}, ())
    told = "the model's categories of this feature are texts: 'a', 'b', 'c', ..."
    assert refusal({"x": [None, 7]}, inputs) == f"X: column 'x': row 1 is 7; {told}"
    assert refusal({"x": ["a", 7.5]}, inputs) == f"X: column 'x': row 1 is 7.5; {told}"
    assert np.isnan(inputs.matrix({"x": np.array([np.nan])})).all()


def test_a_text_among_categories_that_are_numbers_is_refused():
    inputs = ModelInputs(["x"], {0: (1, 2)}, ())
    expected = (
        "X: column 'x': row 1 is '2'; the model's categories of this feature are numbers: 1, 2"
    )
    assert refusal({"x": [1, "2"]}, inputs) == expected
    assert np.isnan(inputs.matrix({"x": [None]})).all()


def test_categories_that_no_row_has_are_not_looked_at():
    frame = pd.DataFrame({"x": pd.Categorical([1, 1], categories=[1, 2**60])})
    inputs = ModelInputs(["x"], {0: (1,)}, ())
    assert inputs.matrix(frame).tolist() == [[0.0], [0.0]]
    mixed = pd.DataFrame({"x": pd.Categorical(["a"], categories=["a", pd.Timestamp(0)])})
    assert ModelInputs(["x"], {0: ("a",)}, ()).matrix(mixed).tolist() == [[0.0]]


@pytest.mark.parametrize(
    "values",
    [
        ["abc", "de"],
        pd.Series(["abc", "de"]).astype("category"),
        pl.Series(["abc", "de"]),
        pa.array(["abc", "de"]).dictionary_encode(),
    ],
)
def test_texts_of_a_hashed_feature_are_cells_beyond_2_53(hashed, values):
    assert hashed.matrix({"x": values})[:, 0].tolist() == [2.0**53 + 6, 2.0**53 + 4]


def test_integers_of_a_hashed_feature_stay_unless_they_are_too_large(hashed):
    cells = hashed.matrix({"x": np.array([-5, 7, 2**53, -(2**62)])})[:, 0].tolist()
    assert cells == [-5.0, 7.0, 2.0**53 + 32, 2.0**53 + 40]
    assert hashed.matrix({"x": [3, "ab", True, 10**30]})[:, 0].tolist() == [
        3.0,
        2.0**53 + 4,
        1.0,
        2.0**53 + 62,
    ]


@pytest.mark.parametrize(
    "values", [[1.0], np.array([1.5]), ["a", 2.0], pd.Series([1.5]).astype("category")]
)
def test_floats_of_a_hashed_feature_are_refused_as_by_catboost(hashed, values):
    assert "is the float" in refusal({"x": values}, hashed)


@pytest.mark.parametrize(
    "values",
    [["a", None], pl.Series([1, None]), pd.Series([1, pd.NA], dtype="Int64"), [None, None]],
)
def test_missing_categories_of_a_hashed_feature_are_refused_as_by_catboost(hashed, values):
    message = refusal({"x": values}, hashed)
    assert "is missing; CatBoost's categories are" in message or "is the float nan" in message


def test_hashed_features_need_float64(hashed):
    with pytest.raises(ArgumentError, match="dtype: got float32, expected float64"):
        hashed.matrix({"x": ["a"]}, np.float32)


@pytest.mark.parametrize("dtype", [np.int64, np.float16, object])
def test_other_dtypes_of_a_matrix_are_refused(dtype):
    with pytest.raises(ArgumentError, match="expected float32 or float64"):
        plain("x").matrix({"x": [1]}, dtype)


def test_frames_are_told_from_arrays():
    assert all(is_frame(make({"x": [1]})) for make in FRAMES)
    assert is_frame(pa.table({"x": [1]}).to_reader())
    others = [np.zeros((1, 1)), [[1.0]], pd.Series([1]), pd.Index([1]), None, 3.0]
    assert not any(map(is_frame, others))


def test_what_is_no_frame_is_refused():
    assert refusal(np.zeros((2, 1)), plain("x")).startswith("X is a ndarray, expected")
    assert (
        refusal(pl.Series([1.0]), plain("x")) == "X is Arrow data of type float64, expected a table"
    )


def test_a_reader_that_was_read_gives_no_rows_or_an_error():
    reader = pa.table({"x": [1, 2]}).to_reader()
    assert plain("x").matrix(reader).shape == (2, 1)
    assert plain("x").matrix(reader).shape == (0, 1)


def test_a_classs_own_dataframe_is_read_as_pandas():
    class Mine(pd.DataFrame):
        pass

    assert plain("x").matrix(Mine({"x": [1]})).tolist() == [[1.0]]


def test_the_matrix_is_new_memory():
    values = np.array([1.0, 2.0])
    matrix = plain("x").matrix({"x": values})
    matrix[:] = 9
    assert values.tolist() == [1.0, 2.0]


def test_extra_columns_of_any_type_cost_nothing():
    frame = pl.DataFrame({"x": [1.0], "o": pl.Series([object()], dtype=pl.Object), "l": [[1]]})
    assert plain("x").matrix(frame).tolist() == [[1.0]]
    frame = pd.DataFrame({"x": [1.0], "o": [object()]})
    assert plain("x").matrix(frame).tolist() == [[1.0]]


def test_expected_texts_are_told():
    inputs = ModelInputs(["a", "b", "c", "d"], {1: ("x",), 2: (1, 2)}, (3,))
    assert [inputs.expects_texts(i) for i in range(4)] == [False, True, False, True]
