"""The protobuf wire format, read one message at a time: no schema, no recursion, no copies.

Source: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError

__all__ = ["Message", "read_message"]

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_WIRE_NAMES = {0: "a varint", 1: "8 bytes", 2: "a length", 3: "a group", 4: "a group", 5: "4 bytes"}
_MAX_VARINT_BYTES = 10
_MAX_FIELD = 2**29 - 1
_FIRST_RUN_BYTES = 256
_LAST_RUN_BYTES = 1 << 18  # at a time, which bounds what is beside the numbers in memory
_LONG_RUN = 64
_FEW = 32  # numbers that are taken one by one before arrays pay


@dataclass
class _Field:
    """What one field number held: stretches of bytes by wire type, in order of the file."""

    # Length-delimited values lie at [spans[2i], spans[2i + 1]) of the file.
    spans: array[int] = field(default_factory=lambda: array("q"))
    # Few numbers are gathered, many under the same tag stay the array they came as.
    varints: list[array[int] | NDArray[np.uint64]] = field(default_factory=list)
    fixed32: list[bytearray | NDArray[np.uint8]] = field(default_factory=list)
    fixed64: list[bytearray | NDArray[np.uint8]] = field(default_factory=list)

    def add_varints(self, values: NDArray[np.uint64]) -> None:
        if values.size >= _LONG_RUN:
            self.varints.append(values)
        else:
            self._gathered_varints().extend(values.tolist())

    def add_varint(self, value: int) -> None:
        self._gathered_varints().append(value)

    def add_fixed(self, width: int, number: bytes) -> None:
        parts = self.fixed32 if width == 4 else self.fixed64
        last = parts[-1] if parts else None
        if not isinstance(last, bytearray):
            last = bytearray()
            parts.append(last)
        last.extend(number)

    def add_fixed_run(self, width: int, numbers: NDArray[np.uint8]) -> None:
        """Add numbers of 4 or 8 bytes; ``numbers`` is of shape (n, width)."""
        if len(numbers) < _LONG_RUN:
            self.add_fixed(width, numbers.tobytes())
        else:
            (self.fixed32 if width == 4 else self.fixed64).append(numbers)

    def _gathered_varints(self) -> array[int]:
        last = self.varints[-1] if self.varints else None
        if not isinstance(last, array):
            last = array("Q")
            self.varints.append(last)
        return last


class Message:
    """One message's fields; embedded messages are read when they are asked for.

    Parameters
    ----------
    data : the whole file.
    begin, end : where the message lies in it.
    name : what errors call it.

    Raises
    ------
    FormatError
        Truncated, or no message.
    """

    def __init__(self, data: bytes, begin: int, end: int, name: str):
        self.name = name
        self._data = data
        self._bytes = np.frombuffer(data, np.uint8)
        self._fields: dict[int, _Field] = {}
        self._scan(begin, end)

    def reject(self, what: str) -> FormatError:
        """Return the error that says what is wrong with this message."""
        return FormatError(f"ONNX graph: {self.name}: {what}")

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def messages(self, number: int, name: str) -> Iterator[Message]:
        """Return every message of a field, one after another."""
        for begin, end in self._spans(number):
            yield Message(self._data, begin, end, name)

    def message(self, number: int, name: str) -> Message | None:
        """Return the message of a field that may stand once."""
        spans = list(self._spans(number))
        if len(spans) > 1:
            raise self.reject(f"{name} stands there {len(spans)} times")
        return Message(self._data, *spans[0], name) if spans else None

    def count(self, number: int) -> int:
        """Return how many length-delimited values a field has."""
        return sum(1 for _ in self._spans(number))

    def chunks(self, number: int) -> Iterator[bytes]:
        """Return every string of a field, as bytes."""
        for begin, end in self._spans(number):
            yield self._data[begin:end]

    def text(self, number: int) -> str:
        """Return the string of a field, "" where it is absent."""
        spans = list(self._spans(number))
        if not spans:
            return ""
        begin, end = spans[-1]
        try:
            return self._data[begin:end].decode("utf-8")
        except UnicodeDecodeError:
            raise self.reject(f"field {number} is not UTF-8") from None

    def raw(self, number: int) -> NDArray[np.uint8]:
        """Return the bytes of a field, without a copy; none where it is absent."""
        spans = list(self._spans(number))
        return self._bytes[spans[-1][0] : spans[-1][1]] if spans else self._bytes[:0]

    def integer(self, number: int, default: int = 0) -> int:
        """Return the last integer of a field, as int64."""
        values = self.integers(number)
        return int(values[-1]) if values.size else default

    def integers(self, number: int) -> NDArray[np.int64]:
        """Return the integers of a field, packed or not, as int64."""
        found = self._fields.get(number)
        if found is None:
            return np.zeros(0, np.int64)
        if found.fixed32 or found.fixed64:
            raise self.reject(f"field {number} holds fixed-width numbers, expected varints")
        parts = [np.asarray(part, np.uint64) for part in found.varints]
        for begin, end in self._spans(number):
            parts.extend(self._packed_varints(begin, end, number))
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts or [np.zeros(0, np.uint64)])
        found.varints, found.spans = [joined], array("q")  # so that the parts are let go
        return joined.view(np.int64)

    def float32s(self, number: int) -> NDArray[np.float32]:
        """Return the float numbers of a field, packed or not."""
        return self._fixed(number, np.dtype("<f4")).astype(np.float32, copy=False)

    def float64s(self, number: int) -> NDArray[np.float64]:
        """Return the double numbers of a field, packed or not."""
        return self._fixed(number, np.dtype("<f8")).astype(np.float64, copy=False)

    def _fixed(self, number: int, dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
        found = self._fields.get(number)
        if found is None:
            return np.zeros(0, dtype)
        right, wrong = found.fixed32, found.fixed64
        if dtype.itemsize == 8:
            right, wrong = wrong, right
        if wrong or found.varints:
            raise self.reject(f"field {number} holds other numbers than {dtype.name}")
        parts = [
            np.frombuffer(part, dtype) if isinstance(part, bytearray) else _as_numbers(part, dtype)
            for part in right
        ]
        for begin, end in self._spans(number):
            if (end - begin) % dtype.itemsize != 0:
                raise self.reject(
                    f"field {number} packs {end - begin} bytes, no multiple of {dtype.itemsize}"
                )
            parts.append(np.frombuffer(self._data, dtype, (end - begin) // dtype.itemsize, begin))
        return parts[0] if len(parts) == 1 else np.concatenate(parts or [np.zeros(0, dtype)])

    def _spans(self, number: int) -> Iterator[tuple[int, int]]:
        found = self._fields.get(number)
        if found is None:
            return
        spans = found.spans
        for i in range(0, len(spans), 2):
            yield spans[i], spans[i + 1]

    def _scan(self, at: int, end: int) -> None:
        data = self._data
        while at < end:
            begin = at
            tag, at = self._varint(at, end)
            number, wire = tag >> 3, tag & 7
            if not 0 < number <= _MAX_FIELD:
                raise self.reject(f"field number {number} at byte {begin}")
            found = self._fields.get(number)
            if found is None:
                found = self._fields[number] = _Field()
            if wire == _LENGTH:
                size = data[at] if at < end else 0x80
                if size < 0x80:
                    at += 1
                else:
                    size, at = self._varint(at, end)
                if size > end - at:
                    raise self.reject(
                        f"field {number} at byte {begin} is {size} bytes long, there are {end - at}"
                    )
                found.spans.append(at)
                at += size
                found.spans.append(at)
            elif wire == _VARINT:
                at = self._varint_run(found, data[begin:at], at, end)
            elif wire in (_FIXED32, _FIXED64):
                at = self._fixed_run(found, data[begin:at], at, end, 4 if wire == _FIXED32 else 8)
            else:
                name = _WIRE_NAMES.get(wire, f"wire type {wire}")
                raise self.reject(f"field {number} at byte {begin} is {name}, which is not read")

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = 0
        for i in range(_MAX_VARINT_BYTES):
            if at + i >= end:
                break
            byte = self._data[at + i]
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                if value >= 2**64:
                    raise self.reject(f"a number at byte {at} is above 64 bits")
                return value, at + i + 1
        raise self.reject(f"a number at byte {at} does not end")

    def _fixed_run(self, found: _Field, tag: bytes, at: int, end: int, width: int) -> int:
        """Take a number and those that follow it under the same tag; return the place behind."""
        step = len(tag) + width
        for _ in range(_FEW):
            if at + width > end:
                raise self.reject(f"a number at byte {at} is cut")
            found.add_fixed(width, self._data[at : at + width])
            at += width
            if at + step > end or self._data[at : at + len(tag)] != tag:
                return at
            at += len(tag)
        at -= len(tag)
        window = _FIRST_RUN_BYTES
        pattern = np.frombuffer(tag, np.uint8)
        while True:  # look ever further, so that the work is in proportion to what is taken
            most = min(window, end - at) // step
            rows = self._bytes[at : at + most * step].reshape(most, step)
            same = (rows[:, : len(tag)] == pattern).all(axis=1)
            n = most if same.all() else int(same.argmin())
            if n < most or window >= min(end - at, _LAST_RUN_BYTES):
                break
            window *= 2
        found.add_fixed_run(width, rows[:n, len(tag) :])
        return at + n * step

    def _varint_run(self, found: _Field, tag: bytes, at: int, end: int) -> int:
        for _ in range(_FEW):
            value, at = self._varint(at, end)
            found.add_varint(value)
            if len(tag) != 1 or at >= end or self._data[at] != tag[0]:
                return at
            at += 1
        at -= 1
        window = _FIRST_RUN_BYTES
        while True:
            stop = min(at + window, end)
            ends = np.flatnonzero(self._bytes[at:stop] < 0x80) + at + 1
            n = ends.size // 2  # tag, value, tag, value, ...
            begins = np.concatenate(([at], ends[:-1]))[: 2 * n : 2] if n else ends[:0]
            same = (self._bytes[begins] == tag[0]) & (ends[: 2 * n : 2] == begins + 1)
            taken = n if same.all() else int(same.argmin())
            if taken < n or stop == end or window >= _LAST_RUN_BYTES:
                break
            window *= 2
        if taken == 0:
            return at
        values = _decode(self._bytes, ends[: 2 * taken : 2], ends[1 : 2 * taken : 2])
        if values is None:
            raise self.reject(f"a number behind byte {at} is above 64 bits")
        found.add_varints(values)
        return int(ends[2 * taken - 1])

    def _packed_varints(self, begin: int, end: int, number: int) -> Iterator[NDArray[np.uint64]]:
        at = begin
        while at < end:
            ends = np.flatnonzero(self._bytes[at : min(at + _LAST_RUN_BYTES, end)] < 0x80) + at + 1
            if ends.size == 0:
                raise self.reject(f"field {number} ends within a number, or in one above 64 bits")
            values = _decode(self._bytes, np.concatenate(([at], ends[:-1])), ends)
            if values is None:
                raise self.reject(f"field {number} holds a number above 64 bits")
            yield values
            at = int(ends[-1])


def read_message(data: bytes, name: str) -> Message:
    """Return the message that a whole file is."""
    return Message(data, 0, len(data), name)


def _as_numbers(run: NDArray[np.uint8], dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    return np.ascontiguousarray(run).reshape(-1).view(dtype)


def _decode(
    data: NDArray[np.uint8], begins: NDArray[np.intp], ends: NDArray[np.intp]
) -> NDArray[np.uint64] | None:
    """Decode varints that lie at [begin, end); None where one does not fit 64 bits."""
    lengths = ends - begins
    values = np.zeros(begins.size, np.uint64)
    longest = int(lengths.max(initial=0))
    if longest > _MAX_VARINT_BYTES:
        return None
    if longest == 1:
        return data[begins].astype(np.uint64)
    for i in range(longest):
        here = np.flatnonzero(lengths > i)
        septets = (data[begins[here] + i] & 0x7F).astype(np.uint64)
        if i == _MAX_VARINT_BYTES - 1 and (septets > 1).any():
            return None
        values[here] |= septets << np.uint64(7 * i)
    return values
