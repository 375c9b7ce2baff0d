"""Frames, filter columns, popularity and vectors."""

from __future__ import annotations

import numpy as np
import pandas
import polars
import pytest

from shortlist.bundle.frame import n_rows, read_columns, take_rows
from shortlist.bundle.tables import filter_tensors, numbers_of, popularity_order, vectors_of
from shortlist.errors import ArgumentError

PLAIN = {
    "id": [1, 2, 3],
    "price": [1.5, None, 3.0],
    "stock": [True, False, True],
    "genre": ["jazz", None, "blues"],
    "tags": [["a", "b"], [], ["b"]],
}


def frames() -> list[object]:
    return [PLAIN, pandas.DataFrame(PLAIN), polars.DataFrame(PLAIN)]


@pytest.mark.parametrize("frame", frames(), ids=["dict", "pandas", "polars"])
def test_every_library_gives_the_same_filter_columns(frame):
    tensors = filter_tensors(read_columns(frame, "items"), None, "items")
    assert tensors["number.id"].tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_array_equal(tensors["number.price"], [1.5, np.nan, 3.0])
    assert tensors["number.stock"].tolist() == [1.0, 0.0, 1.0]
    assert tensors["text.genre.codes"].tolist() == [1, -1, 0]
    assert tensors["text.genre.offsets"].tolist() == [0, 5, 9]
    assert tensors["text.genre.bytes"].tobytes() == b"bluesjazz"
    assert tensors["list.tags.offsets"].tolist() == [0, 2, 2, 3]
    assert tensors["list.tags.codes"].tolist() == [0, 1, 1]
    assert tensors["list.tags.dict_offsets"].tolist() == [0, 1, 2]
    assert tensors["list.tags.dict_bytes"].tobytes() == b"ab"
    dtypes = {name.rpartition(".")[2]: array.dtype.str for name, array in tensors.items()}
    assert dtypes["codes"] == "<i4"
    assert dtypes["offsets"] == dtypes["dict_offsets"] == "<i8"


@pytest.mark.parametrize(
    "column",
    [
        pandas.Series([1, None, 3], dtype="Int64"),
        pandas.Series([1, None, 3], dtype="float32"),
        pandas.Series([1, pandas.NA, 3], dtype=object),
        polars.Series([1, None, 3]),
        np.array([1, np.nan, 3], dtype=">f4"),
        np.array([1, None, 3], dtype=object),
        (1, float("nan"), 3),
    ],
    ids=str,
)
def test_missing_numbers_of_every_kind_are_nan(column):
    columns = read_columns({"x": column}, "items")
    np.testing.assert_array_equal(numbers_of(columns["x"]), [1.0, np.nan, 3.0])


@pytest.mark.parametrize(
    "column",
    [
        pandas.Series(["a", None, "b"]),
        pandas.Series(["a", None, "b"], dtype="category"),
        polars.Series(["a", None, "b"]),
        polars.Series(["a", None, "b"], dtype=polars.Categorical),
        ["a", float("nan"), "b"],
    ],
    ids=["pandas", "pandas category", "polars", "polars category", "list"],
)
def test_missing_texts_of_every_kind_are_minus_one(column):
    tensors = filter_tensors(read_columns({"x": column}, "items"), None, "items")
    assert tensors["text.x.codes"].tolist() == [0, -1, 1]


def test_columns_that_filters_cannot_read_are_left_out_unless_asked_for():
    columns = read_columns(
        {
            "ok": [1],
            "mixed": [["a", 1]],
            "when": np.array(["2024-01-01"], "datetime64[D]"),
            "matrix": np.zeros((1, 2)),
            "object": [{}],
            "two words": [1],
            "in": [1],
        },
        "items",
    )
    assert set(filter_tensors(columns, None, "items")) == {"number.ok"}
    for name in ("mixed", "when", "matrix", "object"):
        with pytest.raises(ArgumentError, match=f"{name}.*does not hold numbers, texts"):
            filter_tensors(columns, [name], "items")
    for name in ("two words", "in"):
        with pytest.raises(ArgumentError, match=f"{name}.*filter language"):
            filter_tensors(columns, [name], "items")
    with pytest.raises(ArgumentError, match="'absent' does not exist"):
        filter_tensors(columns, ["absent"], "items")


def test_only_the_columns_asked_for_are_taken():
    columns = read_columns(PLAIN, "items")
    assert set(filter_tensors(columns, ["price"], "items")) == {"number.price"}
    assert filter_tensors(columns, [], "items") == {}


@pytest.mark.parametrize(
    ("frame", "fragment"),
    [
        ({"a": [1], "b": [1, 2]}, "rows: a 1, b 2"),
        ({"a": "text"}, "'a' is a str"),
        ({"a": 3}, "'a' is a int"),
        ({"a": np.array(3)}, "'a' is a single value"),
        ({1: [3]}, "name 1: expected text"),
        ([1, 2], "items is a list"),
        (None, "items is a NoneType"),
    ],
)
def test_what_is_no_table_is_refused(frame, fragment):
    with pytest.raises(ArgumentError, match=fragment):
        read_columns(frame, "items")


def test_rows_are_taken_in_order():
    taken = take_rows(read_columns(PLAIN, "items"), np.array([2, 0]))
    assert taken["genre"] == ["blues", "jazz"]
    assert list(taken["id"]) == [3, 1]
    assert n_rows(taken) == 2
    assert n_rows({}) == 0


def test_popularity_descends_with_ties_and_missing_values_by_row():
    order = popularity_order(np.array([2.0, 5.0, np.nan, 2.0, 9.0, np.nan]), 6)
    assert order.tolist() == [4, 1, 0, 3, 2, 5]
    assert order.dtype == np.uint32
    assert popularity_order(None, 3).tolist() == [0, 1, 2]
    assert popularity_order([True, False], 2).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("given", "fragment"), [([1.0], "1 numbers, expected 2"), (["a", "b"], "else")]
)
def test_popularity_is_a_number_a_row(given, fragment):
    with pytest.raises(ArgumentError, match=fragment):
        popularity_order(given, 2)


def test_vectors_become_contiguous_float32():
    vectors = vectors_of([[1, 2], np.array([3.0, 4.0])], 2, "users")
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert vectors.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("column", "fragment"),
    [
        ([[1, 2], [3]], "one list of 2 numbers"),
        ([[1, 2], None], "one list of 2 numbers"),
        ([["a", "b"]], "one list of 2 numbers"),
        ([[1, 2, 3]], r"shape \(1, 3\), expected \(1, 2\)"),
        ([1.0, 2.0], r"shape \(2,\)"),
        ([[1, 2], [np.nan, 0]], "row 1 is not finite"),
        ([[1, np.inf]], "row 0 is not finite"),
    ],
)
def test_other_vectors_are_refused(column, fragment):
    with pytest.raises(ArgumentError, match=fragment):
        vectors_of(column, 2, "users")
