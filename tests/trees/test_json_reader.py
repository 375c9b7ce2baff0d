"""The JSON reader reads what Python's json reads, however deep, and large lists piece by piece."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.errors import FormatError
from shortlist.models.importers.json_reader import JsonReader

DEEP = 1500  # beyond Python's own stack
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_a_value_is_read_alike_at_any_depth(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    data = text.encode("utf-8", "surrogatepass")
    deep = b"[" * DEEP + data + b" ]" * DEEP
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        with pytest.raises(FormatError, match="is not UTF-8"):
            JsonReader(data, "file")
        return

    found = JsonReader(deep, "file").value()

    for _ in range(DEEP):
        (found,) = found
    assert found == value
    assert JsonReader(data, "file").value() == value


def test_members_and_items_are_read_piece_by_piece():
    reader = JsonReader(b' { "a" : [ 1 , {"b": []} ] , "c" : [ ] , "d":{} , "e": NaN } ', "file")
    found = []

    for key in reader.members():
        if key in ("a", "c"):
            found.extend((key, i, reader.value()) for i in reader.items())
        elif key == "d":
            assert list(reader.members()) == []
        else:
            assert reader.value() != reader
    reader.end()

    assert found == [("a", 0, 1), ("a", 1, {"b": []})]


@pytest.mark.parametrize(
    "inner", [b"[1 2]", b'{"a" 1}', b'{"a": 1,}', b"[1,]", b"{1:2}", b'"', b"tru", b"[1}"]
)
def test_what_is_wrong_in_the_depth_is_refused_there(inner):
    for depth in (1, DEEP):
        data = b"[" * depth + inner + b"]" * depth
        with pytest.raises(FormatError, match=r"file: (truncated: )?.*character"):
            JsonReader(data, "file").value()
