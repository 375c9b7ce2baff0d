"""Damage to bytes of no known structure: bits, numbers, lengths, runs that move or end."""

from __future__ import annotations

from random import Random

from .interesting import number_bytes, number_token

__all__ = ["damage_bytes"]


def damage_bytes(data: bytes, other: bytes, rng: Random, *, aligned: float = 0.5) -> bytes:
    """Return data changed in one to four places.

    Parameters
    ----------
    other : of which a run may be copied over.
    aligned : how often a number is put at a multiple of its size.
    """
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _damage(made, other, rng, aligned)
    return bytes(made)


def _damage(made: bytearray, other: bytes, rng: Random, aligned: float) -> None:
    kind = rng.randrange(10)
    at = rng.randrange(len(made) + 1)
    run = min(rng.choice((1, 2, 4, 8, 16, 100, 1000)), len(made) - at)
    if kind <= 4:
        size = rng.choice((1, 2, 4, 4, 4, 8, 8))
        if rng.random() < aligned:
            at -= at % size
        made[at : at + size] = number_bytes(rng, size, big_endian=rng.random() < 0.3)
    elif kind == 5 and at < len(made):
        made[at] ^= 1 << rng.randrange(8)
    elif kind == 6:
        del made[at : at + run]
    elif kind == 7:
        made[at:at] = made[at : at + run] * rng.choice((1, 1, 2, 50))
    elif kind == 8:
        begin = rng.randrange(len(other) + 1)
        taken = other[begin : begin + rng.choice((4, 8, 16, 64, 500))]
        made[at : at + rng.choice((0, len(taken)))] = taken
    elif rng.random() < 0.5:
        del made[at:]
    elif rng.random() < 0.5:
        token = number_token(rng).encode()[:16]
        made[at : at + len(token)] = token
    elif at < len(made):
        made[at] = rng.choice(b'\0\1\x7f\x80\xff{}[]",:-.eE0919$#@/ ')
