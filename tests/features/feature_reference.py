"""The feature specification (docs/features.md) in plain Python, written without the native code."""

from __future__ import annotations

import math
from decimal import Decimal

MASK = 2**64 - 1
P1, P2, P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P4, P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def _rotate(x: int, bits: int) -> int:
    return ((x << bits) | (x >> (64 - bits))) & MASK


def _round(lane: int, word: int) -> int:
    return _rotate((lane + word * P2) & MASK, 31) * P1 & MASK


def xxh64(data: bytes, seed: int = 0) -> int:
    at = 0

    def take(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(data[at - size : at], "little")

    if len(data) >= 32:
        lanes = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
        while len(data) - at >= 32:
            lanes = [_round(lane, take(8)) for lane in lanes]
        h = (
            sum(_rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True))
            & MASK
        )
        for lane in lanes:
            h = ((h ^ _round(0, lane)) * P1 + P4) & MASK
    else:
        h = (seed + P5) & MASK
    h = (h + len(data)) & MASK
    while len(data) - at >= 8:
        h = (_rotate(h ^ _round(0, take(8)), 27) * P1 + P4) & MASK
    if len(data) - at >= 4:
        h = (_rotate(h ^ (take(4) * P1 & MASK), 23) * P2 + P3) & MASK
    while at < len(data):
        h = _rotate(h ^ (take(1) * P5 & MASK), 11) * P1 & MASK
    h = (h ^ (h >> 33)) * P2 & MASK
    h = (h ^ (h >> 29)) * P3 & MASK
    return h ^ (h >> 32)


def canonical_text(x: float) -> str:
    """The shorter of fixed and scientific notation of repr's digits, fixed on a tie."""
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    if abs(x) < 2**53 and x == int(x):
        return str(int(x))
    sign, digits, exponent = Decimal(repr(x)).normalize().as_tuple()
    assert isinstance(exponent, int)
    minus = "-" if sign else ""
    text = "".join(map(str, digits))
    point = len(text) + exponent  # digits before the decimal point
    power = point - 1
    mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
    scientific = f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if point <= 0:
        fixed = "0." + "0" * -point + text
    elif exponent >= 0:
        fixed = str(abs(int(x)))  # every digit, exactly
    else:
        fixed = text[:point] + "." + text[point:]
    return minus + (fixed if len(fixed) <= len(scientific) else scientific)


def text_of(value: object) -> str | None:
    """Canonical text of a raw value, None where it is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return value if isinstance(value, str) else canonical_text(float(value))  # type: ignore[arg-type]


def hashed(value: object, buckets: int, seed: int = 0) -> int:
    text = text_of(value)
    return 0 if text is None else 1 + xxh64(text.encode(), seed) % (buckets - 1)


def field_hash(value: object) -> int:
    text = text_of(value)
    return 0 if text is None else max(xxh64(text.encode()), 1)


def crossed(values: list[object], buckets: int, seed: int = 0) -> int:
    hashes = [field_hash(value) for value in values]
    if 0 in hashes:
        return 0
    mixed = b"".join(h.to_bytes(8, "little") for h in hashes)
    return 1 + xxh64(mixed, seed) % (buckets - 1)
