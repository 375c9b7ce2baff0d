"""Damage to protocol buffers: fields at any depth, with the lengths around them put right again."""

from __future__ import annotations

from random import Random
from typing import TypeAlias

from .damaged_bytes import damage_bytes
from .interesting import INTEGERS, number_bytes

__all__ = ["damage_protobuf"]

_Field: TypeAlias = tuple[int, int, bytes]  # number, wire type, payload without its length
_FIXED = {1: 8, 5: 4}


def damage_protobuf(data: bytes, other: bytes, rng: Random) -> bytes:
    """Return the message with one to four fields changed, or as damaged bytes."""
    if rng.random() < 0.25:
        return damage_bytes(data, other, rng, aligned=0.0)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = _damaged(data, other, rng, 0)
    return data


def _damaged(data: bytes, other: bytes, rng: Random, depth: int) -> bytes:
    """Return data with one field changed: here, or more often within one of its messages."""
    fields = _fields(data)
    if not fields:
        return _payload(data, other, rng)
    at = rng.randrange(len(fields))
    number, wire, payload = fields[at]
    inner = wire == 2 and depth < 6 and payload and rng.random() < 0.9
    if inner:
        fields[at] = number, wire, _damaged(payload, other, rng, depth + 1)
        return _joined(fields)
    kind = rng.randrange(8)
    if kind == 0:
        del fields[at]
    elif kind == 1:
        fields[at:at] = [fields[at]] * rng.choice((1, 1, 3, 200))
    elif kind == 2:
        fields[at] = number + rng.choice((1, -1, 5, 1000)), wire, payload
    elif kind == 3:
        to = rng.randrange(len(fields))
        fields[at], fields[to] = fields[to], fields[at]
    else:
        fields[at] = number, wire, _value(wire, payload, other, rng)
    return _joined(fields)


def _value(wire: int, payload: bytes, other: bytes, rng: Random) -> bytes:
    if wire == 0:
        return _varint(rng.choice(INTEGERS) * rng.choice((1, 1, 1, -1)) % (1 << 64))
    if wire in _FIXED:
        return number_bytes(rng, _FIXED[wire])
    return _payload(payload, other, rng)


def _payload(payload: bytes, other: bytes, rng: Random) -> bytes:
    """Change bytes that are no message: text, or packed numbers of 1, 4 or 8 bytes."""
    if not payload or rng.random() < 0.3:
        return damage_bytes(payload, other, rng)
    size = rng.choice((1, 4, 4, 8))
    at = rng.randrange(len(payload)) // size * size
    return payload[:at] + number_bytes(rng, size) + payload[at + size :]


def _fields(data: bytes) -> list[_Field]:
    """Return the fields of a message, or none where these bytes are none."""
    fields: list[_Field] = []
    at = 0
    while at < len(data):
        tag, at = _read(data, at)
        number, wire = tag >> 3, tag & 7
        begin = at
        if wire == 0:
            _, at = _read(data, at)
        elif wire == 2:
            size, begin = _read(data, at)
            at = begin + size
        elif wire in _FIXED:
            at += _FIXED[wire]
        else:
            return []
        if not 0 < number < 1 << 16 or at > len(data):
            return []
        fields.append((number, wire, data[begin:at]))
    return fields


def _joined(fields: list[_Field]) -> bytes:
    made = bytearray()
    for number, wire, payload in fields:
        made += _varint(max(number, 0) << 3 | wire)
        made += _varint(len(payload)) if wire == 2 else b""
        made += payload
    return bytes(made)


def _read(data: bytes, at: int) -> tuple[int, int]:
    """Return a varint and the position behind it; that is beyond the end where there is none."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    return 0, len(data) + 1


def _varint(value: int) -> bytes:
    made = bytearray()
    while value >= 0x80:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
