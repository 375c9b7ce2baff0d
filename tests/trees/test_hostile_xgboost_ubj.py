"""UBJSON that was damaged, or made to harm: refused by name, at once, in little memory."""

import struct

import numpy as np
import pytest
from harm import refused_at_once

from shortlist.errors import FormatError
from shortlist.models.importers.xgboost_ubj import import_xgboost_ubj, read_ubjson


def count(n):
    return b"L" + struct.pack(">q", n)


def text(value):
    return count(len(value)) + value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"Z", None),
        (b"T", True),
        (b"F", False),
        (b"i\x05", 5),
        (b"U\xff", 255),
        (b"I\x80\x00", -(2**15)),
        (b"l\x00\x00\x00\x07", 7),
        (b"L" + struct.pack(">q", -1), -1),
        (b"d" + struct.pack(">f", 0.5), 0.5),
        (b"D" + struct.pack(">d", 0.1), 0.1),
        (b"Ca", "a"),
        (b"S" + text(b"abc"), "abc"),
        (b"Si\x03abc", "abc"),
        (b"[]", []),
        (b"[i\x01TZ]", [1, True, None]),
        (b"[#i\x02i\x01i\x02", [1, 2]),
        (b"{}", {}),
        (b"{" + text(b"a") + b"i\x01}", {"a": 1}),
        (b"{#i\x01" + text(b"a") + b"i\x01", {"a": 1}),
    ],
)
def test_values_are_read(data, value):
    found = read_ubjson(data)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("marker", "dtype"),
    [
        ("i", ">i1"),
        ("U", ">u1"),
        ("I", ">i2"),
        ("l", ">i4"),
        ("L", ">i8"),
        ("d", ">f4"),
        ("D", ">f8"),
    ],
)
def test_typed_arrays_are_read(marker, dtype):
    values = np.array([1, 0, 100], dtype=dtype)

    found = read_ubjson(b"[$" + marker.encode() + b"#" + count(3) + values.tobytes())

    np.testing.assert_array_equal(found.values, values)
    assert found.values.dtype == np.dtype(dtype)


HOSTILE = [
    (b"", "byte 0: the file ends where a value is expected"),
    (b"N", "byte 0: b'N' is no marker of a value"),
    (b"q", "byte 0: b'q' is no marker of a value"),
    (b"L\x00", "the file ends within a number"),
    (b"i\x01i\x02", "1|2 bytes behind the end"),
    (b"[", "the file ends where a value is expected"),
    (b"{", "the file ends where a value is expected"),
    (b"{" + text(b"a"), "the file ends where a value is expected"),
    (b"{T", "expected an integer, got marker b'T'"),
    (b"{" + text(b"a") + b"Z" + text(b"a") + b"Z}", "member 'a' occurs twice"),
    (b"{#" + count(10**9), "1000000000 values announced, 0 bytes left"),
    (b"{$i#" + count(1), "an object of one type is not handled"),
    (b"S" + count(10**9), "1000000000 bytes announced, 0 are left"),
    (b"S" + count(-1), "a length of -1"),
    (b"S" + count(2**62), "bytes announced, 0 are left"),
    (b"[#" + count(10**9) + b"Z", "1000000000 values announced, 1 bytes left"),
    (b"[$d#" + count(10**9) + bytes(16), "4000000000 bytes announced, 16 are left"),
    (b"[$D#" + count(2**61), "bytes announced, 0 are left"),
    (b"[$d#" + count(-1), "a length of -1"),
    (b"[$d" + count(1), "expected # and a count behind the type"),
    (b"[$Z#" + count(10**9), "an array of type b'Z' is not handled"),
    (b"[$T#" + count(10**9), "an array of type b'T' is not handled"),
    (b"[$[#" + count(1), "an array of type b'\\[' is not handled"),
    (b"[" * 1_000_000, "nested too deep, at most 32 levels"),
    ((b"{" + text(b"a")) * 100_000, "nested too deep, at most 32 levels"),
    (b"[#" + count(1) + b"[#" + count(2) + b"[" * 40, "nested too deep|values announced"),
    (b"[" + b"Z" * 100_000, "the file ends where a value is expected"),
]


@pytest.mark.parametrize(("data", "message"), HOSTILE)
def test_damage_is_refused_at_once(data, message):
    with refused_at_once(data, f"XGBoost UBJSON model: .*({message})"):
        read_ubjson(data)


def test_a_typed_array_where_an_object_belongs_is_refused():
    array = b"[$i#i\x01\x00"
    data = b"{" + text(b"learner") + b"{" + text(b"attributes") + array + b"}}"

    with pytest.raises(FormatError, match="Expected `object`"):
        import_xgboost_ubj(data)


@pytest.mark.parametrize("data", [b"Z", b"[]", b"{}", b"{" + text(b"learner") + b"[]}", b"i\x01"])
def test_documents_of_other_kinds_are_refused(data):
    with pytest.raises(FormatError, match="XGBoost UBJSON model: "):
        import_xgboost_ubj(data)
