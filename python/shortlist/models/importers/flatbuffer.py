"""Reading FlatBuffers, each access checked. Specification: FlatBuffers internals, flatbuffers.dev.

Nothing that is read goes beyond the buffer, and nothing is read much more often than it is long:
tables and vectors may be shared, so that a small buffer could stand for a huge tree of them.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError

__all__ = ["Table", "root_table"]

_READS_PER_BYTE = 4
_FREE_READS = 1 << 16
_NUMBERS = {name: struct.Struct("<" + code) for name, code in zip("biId", "biId", strict=True)}
_U16 = struct.Struct("<H")


class _Buffer:
    def __init__(self, data: memoryview, what: str) -> None:
        self.data = data
        self.what = what
        self.budget = _FREE_READS + _READS_PER_BYTE * len(data)

    def fail(self, why: str) -> FormatError:
        return FormatError(f"{self.what}: {why}")

    def number(self, at: int, number: struct.Struct) -> int | float:
        if at < 0 or at + number.size > len(self.data):
            raise self.fail(f"cut off, or an offset leads to byte {at} of {len(self.data)}")
        value: int | float = number.unpack_from(self.data, at)[0]
        return value

    def position(self, at: int) -> int:
        """Return where the offset at ``at`` leads to."""
        return at + int(self.number(at, _NUMBERS["I"]))

    def spend(self, n_bytes: int) -> None:
        self.budget -= n_bytes
        if self.budget < 0:
            raise self.fail("tables or vectors are shared too often")


class Table:
    """A table; fields are numbered as the schema lists them, and absent ones have defaults."""

    def __init__(self, buffer: _Buffer, at: int) -> None:
        self._buffer = buffer
        self._at = at
        vtable = at - int(buffer.number(at, _NUMBERS["i"]))
        size = int(buffer.number(vtable, _U16))
        if size < 4 or size % 2 or vtable + size > len(buffer.data):
            raise buffer.fail(f"a vtable of {size} bytes at byte {vtable}")
        buffer.spend(size + 4)
        self._offsets = struct.unpack_from(f"<{size // 2 - 2}H", buffer.data, vtable + 4)

    def _field(self, field: int) -> int | None:
        offset = self._offsets[field] if field < len(self._offsets) else 0
        return self._at + offset if offset else None

    def integer(self, field: int, default: int = 0, *, kind: str = "i") -> int:
        """Return an integer: kind "b", "i" or "I"."""
        at = self._field(field)
        return default if at is None else int(self._buffer.number(at, _NUMBERS[kind]))

    def real(self, field: int, default: float) -> float:
        """Return a float64."""
        at = self._field(field)
        return default if at is None else float(self._buffer.number(at, _NUMBERS["d"]))

    def real32(self, field: int, default: float) -> np.float32:
        """Return a float32."""
        at = self._field(field)
        if at is None:
            return np.float32(default)
        bits = int(self._buffer.number(at, _NUMBERS["I"]))
        return np.uint32(bits).view(np.float32)

    def table(self, field: int) -> Table | None:
        """Return a table, or None."""
        at = self._field(field)
        return None if at is None else Table(self._buffer, self._buffer.position(at))

    def vector(self, field: int, dtype: np.dtype[np.void] | str) -> NDArray[np.generic]:
        """Return the elements, copied; an absent vector has none."""
        at = self._field(field)
        wanted = np.dtype(dtype)
        if at is None:
            return np.zeros(0, wanted)
        start = self._buffer.position(at)
        count = int(self._buffer.number(start, _NUMBERS["I"]))
        if start + 4 + count * wanted.itemsize > len(self._buffer.data):
            raise self._buffer.fail(f"a vector of {count} elements at byte {start} is cut off")
        self._buffer.spend(count * wanted.itemsize)
        return np.frombuffer(self._buffer.data, wanted, count, start + 4).copy()

    def tables(self, field: int) -> list[Table]:
        """Return the tables of a vector."""
        return [Table(self._buffer, at) for at in self._positions(field)]

    def texts(self, field: int) -> list[str]:
        """Return the strings of a vector."""
        return [self._text(at) for at in self._positions(field)]

    def text(self, field: int) -> str:
        """Return a string; an absent one is empty."""
        at = self._field(field)
        return "" if at is None else self._text(self._buffer.position(at))

    def _positions(self, field: int) -> list[int]:
        at = self._field(field)
        if at is None:
            return []
        offsets = self.vector(field, "<u4").astype(np.int64)
        slots = self._buffer.position(at) + 4 + 4 * np.arange(offsets.size)
        return [int(position) for position in slots + offsets]

    def _text(self, at: int) -> str:
        size = int(self._buffer.number(at, _NUMBERS["I"]))
        if at + 4 + size > len(self._buffer.data):
            raise self._buffer.fail(f"a string of {size} bytes at byte {at} is cut off")
        self._buffer.spend(size)
        try:
            return bytes(self._buffer.data[at + 4 : at + 4 + size]).decode()
        except UnicodeDecodeError as error:
            raise self._buffer.fail(f"the string at byte {at}: {error}") from error


def root_table(data: memoryview, what: str) -> Table:
    """Return the root table; ``what`` names the buffer in errors (FormatError)."""
    buffer = _Buffer(data, what)
    return Table(buffer, buffer.position(0))
