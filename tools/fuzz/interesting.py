"""Numbers that break code which trusts them: limits of widths, signs, what is no number."""

from __future__ import annotations

import struct
from random import Random

__all__ = ["INTEGERS", "TOKENS", "number_bytes", "number_token"]

INTEGERS = (
    *(0, 1, 2, 3, 5, 8, 16, 31, 32, 33, 64, 127, 128, 255, 256, 257, 1000, 4096, 32767, 32768),
    *(65534, 65535, 65536, 10**6, 2**24, 2**30, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, 2**32),
    *(2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64),
)
_FLOATS = (0.0, -0.0, 0.5, -1.0, 1e-45, 5e-324, 1e-35, 1e35, 3.5e38, 1.8e308, 16777217.0)
# JSON and text that a reader may take for a number.
TOKENS = (
    *("NaN", "Infinity", "-Infinity", "nan", "-nan", "inf", "-inf", "1e999", "-1e999", "1e-999"),
    *("1e400000000", "-0", "-0.0", "1E5", "0x10", "1_000", "+1", ".5", "1.", "00012", "1e", "--1"),
    *("9" * 30, "9" * 400, "9" * 5000, "0." + "3" * 400, "1" + "0" * 309, "", "\u0661", "true"),
)


def number_token(rng: Random) -> str:
    """Return a number as text, or what looks like one."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(TOKENS)
    if kind == 1:
        return repr(rng.choice(_FLOATS))
    if kind == 2:
        return repr(rng.gauss(0.0, 3.0))
    return str(rng.choice(INTEGERS) * rng.choice((1, 1, 1, -1)) + rng.choice((0, 0, 0, 1, -1)))


def number_bytes(rng: Random, size: int, *, big_endian: bool = False) -> bytes:
    """Return a number of 1, 2, 4 or 8 bytes, an integer or a float."""
    order = ">" if big_endian else "<"
    if size >= 4 and rng.random() < 0.05:  # a NaN that signals when it is converted
        signalling = {4: 0x7F800001, 8: 0x7FF0000000000001}[size]
        return signalling.to_bytes(size, "big" if big_endian else "little")
    if size >= 4 and rng.random() < 0.3:
        specials = (*_FLOATS, float("inf"), float("-inf"), float("nan"))
        value = rng.choice(specials)
        if size == 4 and abs(value) > 3.4e38:
            value = float("inf")
        return struct.pack(order + {4: "f", 8: "d"}[size], value)
    number = rng.choice(INTEGERS) * rng.choice((1, 1, -1)) + rng.choice((0, 0, 1, -1))
    return (number % (1 << 8 * size)).to_bytes(size, "big" if big_endian else "little")
