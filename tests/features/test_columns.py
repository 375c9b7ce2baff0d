"""Columns of any frame reach the native code as numbers or texts, or are refused by name."""

import datetime
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import polars as pl
import pytest

from shortlist.errors import ArgumentError
from shortlist.features.columns import Frame, column_texts, read_column

NUMBERS = {
    "list": [1, None, 2.5],
    "tuple": (1.0, float("nan"), 2.5),
    "object": np.array([1, None, 2.5], object),
    "float32": np.array([1, np.nan, 2.5], np.float32),
    "strided": np.array([1.0, 9, np.nan, 9, 2.5, 9])[::2],
    "big-endian": np.array([1, np.nan, 2.5], ">f8"),
    "masked": np.ma.masked_array([1.0, 7.0, 2.5], [False, True, False]),
    "pandas": pd.Series([1, None, 2.5]),
    "pandas Float64": pd.Series([1, None, 2.5], dtype="Float64"),
    "pandas object": pd.Series([1, pd.NA, 2.5], dtype=object),
    "pandas category": pd.Series([1.0, None, 2.5], dtype="category"),
    "polars": pl.Series([1.0, None, 2.5]),
}
INTEGERS = {
    "list": [1, True, np.int8(3)],
    "bool": np.array([1, 1, 3], np.uint8),
    "pandas Int64": pd.Series([1, 1, 3], dtype="Int64"),
    "polars": pl.Series([1, 1, 3], dtype=pl.Int16),
}
TEXTS = {
    "list": ["a", None, "é"],
    "list with nan": ["a", float("nan"), "é"],
    "object": np.array(["a", None, "é"], object),
    "masked": np.ma.masked_array(["a", "x", "é"], [False, True, False]),
    "pandas object": pd.Series(["a", None, "é"], dtype=object),
    "pandas string": pd.Series(["a", None, "é"], dtype="string"),
    "pandas str": pd.Series(["a", None, "é"]),
    "pandas category": pd.Series(["a", None, "é"], dtype="category"),
    "polars": pl.Series(["a", None, "é"]),
    "polars category": pl.Series(["a", None, "é"], dtype=pl.Categorical),
    "polars enum": pl.Series(["a", None, "é"], dtype=pl.Enum(["é", "a"])),
}
if find_spec("pyarrow"):
    NUMBERS["pandas arrow"] = pd.Series([1, None, 2.5], dtype="double[pyarrow]")
    TEXTS["pandas arrow"] = pd.Series(["a", None, "é"], dtype="string[pyarrow]")


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
def test_numbers_become_float64_with_nan_for_missing(values):
    column = read_column(values, "x", as_text=True)
    assert isinstance(column, np.ndarray) and column.dtype == np.float64
    assert column.flags.c_contiguous and column.dtype.isnative
    np.testing.assert_array_equal(column, [1.0, np.nan, 2.5])


@pytest.mark.parametrize("values", INTEGERS.values(), ids=INTEGERS)
def test_integers_and_booleans_become_float64(values):
    np.testing.assert_array_equal(read_column(values, "x", as_text=True), [1.0, 1.0, 3.0])


@pytest.mark.parametrize("values", TEXTS.values(), ids=TEXTS)
def test_texts_become_utf8_with_offsets_and_a_mask(values):
    data, offsets, missing = read_column(values, "x")
    assert data == "aé".encode()
    assert offsets.tolist() == [0, 1, 1, 3] and offsets.dtype == np.int64
    assert missing.tolist() == [0, 1, 0] and missing.dtype == np.uint8
    assert column_texts((data, offsets, missing)) == ["a", "é"]


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["", ""],
        ["abc", "", "de"],
        ["é", "a", "🎷🎷"],
        ["a\0b", "\0c", "d"],
        ["x" * 40, "y"],
    ],
    ids=repr,
)
def test_texts_are_the_same_bytes_whatever_holds_them(texts):
    encoded = [text.encode() for text in texts]
    offsets = [sum(map(len, encoded[:i])) for i in range(len(texts) + 1)]
    forms = [np.array(texts, "U"), np.array(texts, "U")[:], np.array(texts, ">U40"), texts]
    forms += [np.array([text for text in texts for _ in "12"], "U")[::2], np.array(texts, object)]
    forms += [pl.Series(texts, dtype=pl.String), pd.Series(texts, dtype="string"), tuple(texts)]
    forms += [pd.array(texts, dtype="string"), pd.Index(texts, dtype="string")]
    for form in forms[: 4 if not texts else None]:
        column = read_column(form, "x", as_text=True)
        if not texts and form is texts:
            continue  # an empty list has no type
        assert (column[0], column[1].tolist()) == (b"".join(encoded), offsets)
        assert column[2].tolist() == [0] * len(texts) and column[2].dtype == np.uint8


def test_unicode_arrays_hold_texts_without_missing_values():
    data, offsets, missing = read_column(np.array(["ab", "", "nan"]), "x")
    assert (data, offsets.tolist(), missing.tolist()) == (b"abnan", [0, 2, 2, 5], [0, 0, 0])


@pytest.mark.parametrize("values", [[None, None], pd.Series([None, None]), pl.Series([None, None])])
def test_a_column_without_values_is_missing_throughout(values):
    assert np.isnan(read_column(values, "x")).all()


def test_a_float64_array_is_not_copied():
    values = np.arange(3.0)
    assert np.shares_memory(read_column(values, "x"), values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", 1], "mixes texts and numbers, such as 1"),
        (["a", True], "mixes texts and numbers"),
        (np.array(["a", 1.5], object), "mixes texts and numbers"),
        ([b"a"], "value of type bytes"),
        ([[1]], "value of type list"),
        ([1j], "value of type complex"),
        ([10**400], "an integer beyond float64"),
        (np.array([b"a"]), "dtype |S1"),
        (np.zeros(2, "M8[s]"), "dtype datetime64"),
        (np.zeros(2, complex), "dtype complex128"),
        (np.zeros((2, 2)), "array of 2 dimensions"),
        (pd.Series([pd.Timestamp(0)]), "dtype datetime64"),
        (pl.Series([datetime.date(2020, 1, 1)]), "dtype Date"),
        (pl.Series([[1]]), "dtype List"),
        ({1, 2}, "set instead of an array or a list"),
        ("abc", "str instead of an array or a list"),
        (["\ud800"], "not Unicode"),
    ],
)
def test_other_values_are_refused_with_the_columns_name(values, message):
    with pytest.raises(ArgumentError, match=f"column 'user.x'.*{message.replace('|', '.')}"):
        read_column(values, "user.x")


@pytest.mark.parametrize(
    "values",
    [[1, 2**53], np.array([1, -(2**53)]), pd.Series([2**60], dtype="Int64"), pl.Series([2**60])],
)
def test_integers_that_float64_confuses_are_refused_where_they_are_identities(values):
    assert isinstance(read_column(values, "x"), np.ndarray)
    with pytest.raises(ArgumentError, match=r"column 'x' holds the integer .*2\*\*53"):
        read_column(values, "x", as_text=True)


def test_frames_are_mappings_pandas_or_polars():
    columns = {"a": [1, 2, 3], "b": ["x", "y", "z"]}
    for frame in (columns, pd.DataFrame(columns), pl.DataFrame(columns)):
        table = Frame(frame)
        assert table.names == ["a", "b"] and table.n_rows == 3
        assert "a" in table and "c" not in table
        assert column_texts(table.read("b")) == ["x", "y", "z"]


@pytest.mark.parametrize("frame", [None, 3, [1], np.zeros(3), pl.LazyFrame({"a": [1]})])
def test_what_is_no_frame_is_refused(frame):
    with pytest.raises(ArgumentError, match="a frame is a mapping of columns"):
        Frame(frame)


def test_columns_of_different_length_are_refused():
    with pytest.raises(ArgumentError, match="'a' has 2 rows, 'b' has 1"):
        Frame({"a": [1, 2], "b": [1]})
    with pytest.raises(ArgumentError, match="column 'a': int instead of an array"):
        Frame({"a": 1})


def test_a_name_that_two_columns_of_a_data_frame_have_is_refused():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(ArgumentError, match="column 'a': DataFrame instead of"):
        Frame(frame).read("a")


def test_neither_pandas_nor_polars_is_imported():
    code = "import sys, shortlist.features; sys.exit(bool({'pandas', 'polars'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
