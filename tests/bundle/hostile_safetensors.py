"""Files that no safetensors reader may take, each with a part of the message that says why."""

from __future__ import annotations

import json
from dataclasses import dataclass

__all__ = ["Hostile", "file_of", "hostile_files"]


@dataclass(frozen=True)
class Hostile:
    """One file; `fragment` is in the message of whoever refuses it."""

    name: str
    content: bytes
    fragment: str


def file_of(header: object, data: bytes = b"") -> bytes:
    """A file with this header (JSON text, or what becomes it) and data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 8)
    return len(text).to_bytes(8, "little") + text + data


def hostile_files() -> list[Hostile]:
    """Every case, in a fixed order."""
    return [*_sizes(), *_json(), *_entries(), *_layouts()]


def _tensor(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> object:
    shape = list(shape) if isinstance(shape, tuple) else shape
    offsets = list(offsets) if isinstance(offsets, tuple) else offsets
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def _sizes() -> list[Hostile]:
    whole = file_of({"a": _tensor()}, bytes(8))
    huge = [2**23 + 8, 2**31, 2**32, 2**63 - 8, 2**63, 2**64 - 8, 2**64 - 1]
    return [
        Hostile("empty file", b"", "shorter than its 8-byte header size"),
        Hostile("one byte", b"\x00", "shorter than its 8-byte header size"),
        Hostile("seven bytes", bytes(7), "shorter than its 8-byte header size"),
        Hostile("no header", bytes(8), "not valid JSON"),
        *(
            Hostile(f"header of {size} bytes", size.to_bytes(8, "little") + whole[8:], "8 MiB")
            for size in huge
        ),
        Hostile(
            "header beyond the file",
            (len(whole) - 7).to_bytes(8, "little") + whole[8:],
            "the file is shorter",
        ),
        Hostile("cut within the header", whole[:40], "the file is shorter"),
        Hostile("cut before the data", whole[:-8], "lies outside the data"),
        Hostile("cut within the data", whole[:-1], "lies outside the data"),
        Hostile("one byte more", whole + b"\x00", "goes on after the last tensor"),
        Hostile("data and no tensor", file_of({}, bytes(8)), "goes on after the last tensor"),
        Hostile("data at an odd place", _misaligned_data(), "multiple of 8"),
    ]


def _misaligned_data() -> bytes:
    text = json.dumps({"a": _tensor()}).encode()
    text += b" " * (-(8 + len(text)) % 8 + 3)
    return len(text).to_bytes(8, "little") + text + bytes(8)


def _json() -> list[Hostile]:
    entry = b'{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    not_json = {
        "spaces alone": b" " * 8,
        "half an object": b'{"a":',
        "no closing brace": b'{"a":' + entry,
        "two documents": b'{"a":' + entry + b"}{}",
        "trailing comma": b'{"a":' + entry + b",}",
        "single quotes": b"{'a':1}",
        "comment": b'{"a":' + entry + b"/* x */}",
        "NaN": b'{"a":NaN}',
        "Infinity": b'{"a":{"dtype":"F32","shape":[Infinity],"data_offsets":[0,8]}}',
        "zero in a name": b'{"a\x00":' + entry + b"}",
        "not UTF-8": b'{"\xff\xfe":' + entry + b"}",
        "overlong UTF-8": b'{"\xc0\xaf":' + entry + b"}",
        "half a surrogate pair": b'{"\\ud800":' + entry + b"}",
        "byte order mark": b"\xef\xbb\xbf" + b'{"a":' + entry + b"}",
        "nested arrays": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
        "nested objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
        "33 levels": b"[" * 33 + b"]" * 33,
        "a million open brackets": b"[" * 1_000_000,
    }
    twice = b'{"a":' + entry + b',"a":' + entry + b"}"
    return [
        *(
            Hostile(name, file_of(text, bytes(8)), "not valid JSON")
            for name, text in not_json.items()
        ),
        Hostile("one name twice", file_of(twice, bytes(8)), "occurs twice"),
        Hostile(
            "one name twice, once escaped",
            file_of(b'{"a":' + entry + b',"\\u0061":' + entry + b"}", bytes(8)),
            "occurs twice",
        ),
        Hostile("array", file_of([], b""), "the header is not an object"),
        Hostile("text", file_of("tensors", b""), "the header is not an object"),
        Hostile("number", file_of(b"1234567890", b""), "the header is not an object"),
        Hostile("null", file_of(b"null", b""), "the header is not an object"),
    ]


def _entries() -> list[Hostile]:
    needs = "needs dtype, shape and data_offsets"
    wrong = "an invalid shape or data_offsets"
    cases: list[tuple[str, object, str]] = [
        ("entry is a number", 1, "is not an object"),
        ("entry is null", None, "is not an object"),
        ("entry is a list", [], "is not an object"),
        ("entry is empty", {}, needs),
        ("no dtype", {"shape": [2], "data_offsets": [0, 8]}, needs),
        ("no shape", {"dtype": "F32", "data_offsets": [0, 8]}, needs),
        ("no offsets", {"dtype": "F32", "shape": [2]}, needs),
        (
            "one member more",
            {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], "path": "/etc"},
            needs,
        ),
        ("dtype is a number", _tensor(dtype=32), needs),
        ("dtype is null", _tensor(dtype=None), needs),
        *(
            (f"dtype {dtype!r}", _tensor(dtype=dtype), "which is not taken")
            for dtype in ("", "f32", "F16", "BF16", "I8", "BOOL", "object", "F32 ", "<f4")
        ),
        ("shape is a number", _tensor(shape=2), wrong),
        ("shape is null", _tensor(shape=None), wrong),
        ("shape is text", _tensor(shape="2"), wrong),
        ("shape of text", _tensor(shape=["2"]), wrong),
        ("shape of fractions", _tensor(shape=[2.0]), wrong),
        ("shape of truth values", _tensor(shape=[True, 2]), wrong),
        ("shape of lists", _tensor(shape=[[2]]), wrong),
        ("negative size", _tensor(shape=[-2]), wrong),
        ("two negative sizes", _tensor(shape=[-2, -1]), wrong),
        ("nine axes", _tensor(shape=[1] * 8 + [2]), wrong),
        ("size 2**63", _tensor(shape=[2**63]), wrong),
        ("size 2**64 + 2", _tensor(shape=[2**64 + 2]), wrong),
        ("product 2**64 + 2", _tensor(shape=[2**63 + 1, 2]), wrong),
        ("product that wraps to 0", _tensor(shape=[2**32, 2**32]), wrong),
        ("product that wraps to 8 bytes", _tensor(shape=[2**62 - 1 + 2**62 - 1, 2, 2]), wrong),
        ("bytes that wrap", _tensor(dtype="F64", shape=[2**61 + 1], offsets=(0, 8)), wrong),
        ("sizes multiplied past 2**500", _tensor(shape=[2**62] * 8), wrong),
        ("offsets are a number", _tensor(offsets=8), wrong),
        ("one offset", _tensor(offsets=(0,)), wrong),
        ("three offsets", _tensor(offsets=(0, 8, 8)), wrong),
        ("offsets of text", _tensor(offsets=["0", "8"]), wrong),
        ("offsets of fractions", _tensor(offsets=[0.0, 8.0]), wrong),
        ("negative offset", _tensor(offsets=(-8, 0)), wrong),
        ("offset 2**64", _tensor(offsets=(2**64, 2**64 + 8)), wrong),
        ("offsets backwards", _tensor(offsets=(8, 0)), "lies outside the data"),
        ("end beyond the file", _tensor(shape=(4,), offsets=(0, 16)), "lies outside the data"),
        ("far beyond the file", _tensor(offsets=(2**62, 2**62 + 8)), "lies outside the data"),
        ("shape too small", _tensor(shape=(1,)), "does not match its data_offsets"),
        ("shape too large", _tensor(shape=(3,)), "does not match its data_offsets"),
        ("no element", _tensor(shape=(0,)), "does not match its data_offsets"),
        ("scalar of eight bytes", _tensor(shape=()), "does not match its data_offsets"),
    ]
    metadata: list[tuple[str, object, str]] = [
        ("metadata is a list", [], "is not an object"),
        ("metadata is text", "x", "is not an object"),
        ("metadata of numbers", {"format": 1}, "is not a string"),
        ("metadata of objects", {"format": {"a": "b"}}, "is not a string"),
        ("metadata of null", {"format": None}, "is not a string"),
    ]
    twice = b'{"__metadata__":{"k":"1","k":"2"},"a":' + json.dumps(_tensor()).encode() + b"}"
    both = b'{"__metadata__":{},"__metadata__":{},"a":' + json.dumps(_tensor()).encode() + b"}"
    return [
        *(Hostile(name, file_of({"a": entry}, bytes(8)), why) for name, entry, why in cases),
        *(
            Hostile(name, file_of({"__metadata__": entry, "a": _tensor()}, bytes(8)), why)
            for name, entry, why in metadata
        ),
        Hostile("metadata key twice", file_of(twice, bytes(8)), "occurs twice"),
        Hostile("metadata twice", file_of(both, bytes(8)), "occurs twice"),
    ]


def _layouts() -> list[Hostile]:
    seam = "overlap or leave a gap"
    first, second = _tensor(), _tensor(offsets=(8, 16))
    cases: list[tuple[str, dict[str, object], int, str]] = [
        ("gap at the start", {"a": second}, 16, seam),
        ("gap between", {"a": first, "b": _tensor(offsets=(16, 24))}, 24, seam),
        ("gap at the end", {"a": first}, 16, "goes on after the last tensor"),
        ("the same bytes twice", {"a": first, "b": first}, 8, seam),
        ("overlap by half", {"a": first, "b": _tensor(offsets=(4, 12))}, 12, seam),
        ("one inside another", {"a": _tensor(shape=(4,), offsets=(0, 16)), "b": second}, 16, seam),
        ("overlap in disorder", {"b": second, "a": _tensor(shape=(3,), offsets=(0, 12))}, 16, seam),
        (
            "an empty tensor inside another",
            {"a": _tensor(shape=(4,), offsets=(0, 16)), "b": _tensor(shape=(0,), offsets=(8, 8))},
            16,
            seam,
        ),
        (
            "float64 at four bytes",
            {
                "a": _tensor(shape=(1,), offsets=(0, 4)),
                "b": _tensor(dtype="F64", shape=(1,), offsets=(4, 12)),
            },
            12,
            "not aligned to its element size",
        ),
        (
            "float32 at one byte",
            {"a": _tensor("U8", (1,), (0, 1)), "b": _tensor("F32", (1,), (1, 5))},
            5,
            "not aligned to its element size",
        ),
    ]
    return [Hostile(name, file_of(header, bytes(size)), why) for name, header, size, why in cases]
