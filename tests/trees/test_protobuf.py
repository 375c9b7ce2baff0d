"""The wire format is read as protobuf's own library reads it, and what is damaged is refused."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, helper

from shortlist.errors import FormatError
from shortlist.models.importers.protobuf import read_message

FLOATS, INTS, STRINGS = 7, 8, 9


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def tag(number, wire):
    return varint(number << 3 | wire)


@settings(max_examples=200, deadline=None)
@given(
    integers=st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-200, 200), max_size=300),
    floats=st.lists(st.floats(width=32), max_size=300),
    strings=st.lists(st.binary(max_size=200), max_size=20),
    packed=st.booleans(),
)
def test_lists_are_read_as_protobuf_reads_them(integers, floats, strings, packed):
    message = AttributeProto(name="list", floats=floats, ints=integers, strings=strings)
    data = message.SerializeToString()
    if packed:
        numbers = b"".join(varint(value % 2**64) for value in integers)
        raw = np.array(floats, np.float32).tobytes()
        rest = AttributeProto(name="list", strings=strings).SerializeToString()
        data = rest + tag(INTS, 2) + varint(len(numbers)) + numbers
        data += tag(FLOATS, 2) + varint(len(raw)) + raw

    read = read_message(data, "test")

    assert read.integers(INTS).tolist() == list(message.ints)
    np.testing.assert_array_equal(read.float32s(FLOATS), np.array(message.floats, np.float32))
    assert list(read.chunks(STRINGS)) == list(message.strings)
    assert read.text(1) == "list"


@settings(max_examples=200, deadline=None)
@given(
    fields=st.lists(
        st.tuples(st.sampled_from([1, 2, 15, 16, 3000]), st.integers(0, 2**64 - 1)), max_size=200
    ),
    runs=st.integers(1, 70),
)
def test_numbers_of_several_fields_keep_their_order(fields, runs):
    data = b""
    expected = {}
    for number, value in fields:
        for _ in range(runs):
            data += tag(number, 0) + varint(value)
            expected.setdefault(number, []).append(value)

    read = read_message(data, "test")

    for number, values in expected.items():
        assert read.integers(number).tolist() == np.array(values, np.uint64).view(np.int64).tolist()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_messages_are_read_or_refused(data):
    node = helper.make_node("N", ["x"], ["y"], a=[1.0] * 50, b=[*range(300)], c=["text"] * 5)
    whole = bytearray(node.SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])

    try:
        read = read_message(cut, "node")
        for attribute in read.messages(5, "attribute"):
            for number in range(20):
                assert number not in attribute or attribute.count(number) >= 0
            attribute.float32s(FLOATS)
            attribute.integers(INTS)
    except FormatError as error:
        assert "ONNX graph: " in str(error)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x08", "a number at byte 1 does not end"),
        (b"\x08\x80", "a number at byte 1 does not end"),
        (b"\x08" + b"\xff" * 11, "does not end"),
        (b"\x08" + b"\xff" * 9 + b"\x02", "above 64 bits"),
        (b"\x08\x01\x08" + b"\xff" * 9 + b"\x02", "above 64 bits"),
        (b"\x12\x05abc", "field 2 at byte 0 is 5 bytes long, there are 3"),
        (b"\x12" + varint(10**18), "field 2 at byte 0 is 1000000000000000000 bytes long"),
        (b"\x0d\x01\x02", "a number at byte 1 is cut"),
        (b"\x09\x01\x02", "a number at byte 1 is cut"),
        (b"\x0d\0\0\0\0\x0d\0", "a number at byte 6 is cut"),
        (b"\x0b", "field 1 at byte 0 is a group"),
        (b"\x0f", "field 1 at byte 0 is wire type 7"),
        (b"\x00\x01", "field number 0"),
        (varint(2**40), "field number"),
    ],
)
def test_what_is_no_message_is_refused(data, message):
    with pytest.raises(FormatError, match=message):
        read_message(data, "test")


def test_packed_numbers_that_do_not_fit_are_refused():
    for packed, message in [(b"\x80", "ends within a number"), (b"\xff" * 10 + b"\1", "64 bits")]:
        read = read_message(tag(1, 2) + varint(len(packed)) + packed, "test")
        with pytest.raises(FormatError, match=message):
            read.integers(1)
    read = read_message(tag(1, 2) + b"\5abcde", "test")
    with pytest.raises(FormatError, match="packs 5 bytes"):
        read.float32s(1)


def test_numbers_of_another_width_are_refused():
    read = read_message(b"\x0d\0\0\0\0\x10\x01", "test")

    with pytest.raises(FormatError, match="field 1 holds fixed-width"):
        read.integers(1)
    with pytest.raises(FormatError, match="field 1 holds other numbers"):
        read.float64s(1)
    with pytest.raises(FormatError, match="field 2 holds other numbers"):
        read.float32s(2)


@pytest.mark.parametrize(
    "pattern",
    [b"\x08\x01", b"\x08\x01\x10\x01", b"\x0d\0\0\0\0\x15\0\0\0\0", b"\x08\x01\x08\x01\x10\x01"],
)
def test_many_small_fields_take_memory_in_proportion(pattern):
    data = pattern * (200_000 // len(pattern))
    tracemalloc.start()

    read_message(data, "test")

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * len(data) + 10_000_000  # the least is for one stretch of a long run
