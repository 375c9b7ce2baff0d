"""Ids of tables: their types, duplicates, hash slots, and order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxh64_reference import xxh64

from shortlist.bundle.hashing import hash_records
from shortlist.bundle.ids import id_tensors, pack_texts, read_ids, rows_in_order
from shortlist.errors import ArgumentError, MismatchError

int64 = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def key(value: int | str) -> bytes:
    return value.encode() if isinstance(value, str) else value.to_bytes(8, "little", signed=True)


def look_up(slots: np.ndarray, ids: list, value: int | str) -> int | None:
    """Row of an id as any reader of the format finds it."""
    mask = len(slots) - 1
    at = xxh64(key(value)) & mask
    while slots[at]:
        if ids[slots[at] - 1] == value:
            return int(slots[at]) - 1
        at = (at + 1) & mask
    return None


@given(st.lists(int64, unique=True, max_size=80) | st.lists(texts, unique=True, max_size=80))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_every_id_is_found_in_its_row_and_no_other(values):
    slots = id_tensors(read_ids(values, "items"))["id_slots"]
    assert len(slots) >= 2 * len(values)
    assert len(slots) & (len(slots) - 1) == 0
    assert [look_up(slots, values, value) for value in values] == list(range(len(values)))
    assert look_up(slots, values, "no such id, longer than the others are allowed to be") is None
    assert np.count_nonzero(slots) == len(values)


@given(st.lists(st.binary(max_size=100), max_size=20))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_hashes_are_xxh64(records):
    offsets = np.concatenate([[0], np.cumsum([len(record) for record in records])]).astype(np.int64)
    hashes = hash_records(b"".join(records), offsets)
    assert hashes.tolist() == [xxh64(record) for record in records]


def test_a_large_table_is_hashed_row_for_row():
    ids = np.random.default_rng(3).permutation(200_000) - 100_000
    slots = id_tensors(read_ids(ids, "items"))["id_slots"]
    plain = ids.tolist()
    for row in range(0, 200_000, 997):
        assert look_up(slots, plain, plain[row]) == row
    assert look_up(slots, plain, 10**12) is None


def test_texts_are_stored_as_utf8_with_offsets():
    tensors = id_tensors(read_ids(["é", "", "ab"], "items"))
    assert tensors["id_offsets"].tolist() == [0, 2, 2, 4]
    assert tensors["id_bytes"].tobytes() == "éab".encode()
    assert "ids" not in tensors
    assert [array.tolist() for array in pack_texts([])] == [[0], []]


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i4", "u4", "i8", "u8", object])
def test_integers_of_any_width_become_int64(dtype):
    ids = read_ids(np.array([3, 1, 2]).astype(dtype), "items")
    assert ids.dtype == np.int64
    assert ids.tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("column", "fragment"),
    [
        ([1.0, 2.0], r"id 1\.0 in row 0: expected an integer or text"),
        (np.array([1.0]), r"id 1\.0 in row 0"),
        ([True, False], "id True in row 0"),
        (np.array([True]), "id True in row 0"),
        ([None], "id None in row 0"),
        (["a", 1], "id 1 in row 1: expected text, as the first one"),
        (["a", None], "id None in row 1"),
        ([1, "1"], "id '1' in row 1: expected an integer, as the first one"),
        ([1, 2.0], r"id 2\.0 in row 1"),
        ([b"a"], "id b'a' in row 0"),
        ([2**63], "id 9223372036854775808 is beyond int64"),
        ([-(2**63) - 1], "beyond int64"),
        (np.array([2**63], np.uint64), "beyond int64"),
        (["\ud800"], "not valid Unicode"),
        ([4, 5, 4], "id 4 occurs twice"),
        (np.array([4, 5, 5]), "id 5 occurs twice"),
        (["a", "b", "a"], "id 'a' occurs twice"),
    ],
)
def test_other_ids_are_refused_by_row_or_value(column, fragment):
    with pytest.raises(ArgumentError, match=f"items: {fragment}|{fragment}"):
        read_ids(column, "items")


def test_rows_are_found_in_another_order():
    ids = read_ids(["a", "b", "c"], "items")
    order = read_ids(["c", "a", "b"], "index")
    assert rows_in_order(ids, order, "items", "index").tolist() == [2, 0, 1]


def test_disagreeing_ids_are_refused_with_examples():
    items, index = read_ids(np.arange(10), "items"), read_ids(np.arange(5, 20), "index")
    with pytest.raises(MismatchError) as error:
        rows_in_order(items, index, "items", "the index")
    assert "10 of the index not in items, such as 10, 11, 12" in str(error.value)
    assert "5 of items not in the index, such as 0, 1, 2" in str(error.value)


def test_integers_and_texts_never_meet():
    with pytest.raises(MismatchError, match="items are integers, those of the index are texts"):
        rows_in_order(read_ids([1], "items"), read_ids(["1"], "index"), "items", "the index")


def test_the_reference_hash_gives_the_published_values():
    assert xxh64(b"") == 0xEF46DB3751D8E999
    assert xxh64(b"abc") == 0x44BC2CF5AD770999
