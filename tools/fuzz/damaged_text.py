"""Damage to lines ``key=number number ...``: numbers changed, words and lines moved or dropped."""

from __future__ import annotations

from random import Random

from .damaged_bytes import damage_bytes
from .interesting import number_token

__all__ = ["damage_text"]


def damage_text(data: bytes, other: bytes, rng: Random) -> bytes:
    """Return the text with one to four lines changed, and sometimes its bytes."""
    if rng.random() < 0.06:
        return damage_bytes(data, other, rng)
    lines = data.decode().split("\n")
    donors = other.decode().split("\n")
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _damage(lines, donors, rng)
    if rng.random() < 0.9:  # else the sizes that the header declares no longer fit
        lines = [line for line in lines if not line.startswith("tree_sizes=")]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _damage(lines: list[str], donors: list[str], rng: Random) -> None:
    if not lines:
        return
    at = rng.randrange(len(lines))
    kind = rng.randrange(12)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, lines[rng.randrange(len(lines))])
    elif kind == 2:
        key = lines[at].partition("=")[0]
        same = [line for line in donors if line.partition("=")[0] == key]
        lines[at] = rng.choice(same or donors)
    elif kind == 3:
        to = rng.randrange(len(lines))
        lines[at], lines[to] = lines[to], lines[at]
    else:
        lines[at] = _line(lines[at], rng)


def _line(line: str, rng: Random) -> str:
    key, equals, text = line.partition("=")
    if not equals:
        return line[: rng.randrange(len(line) + 1)] + rng.choice(("", "=", "x", "\r", "\0"))
    words = text.split(" ")
    at = rng.randrange(len(words))
    kind = rng.randrange(12)
    if kind <= 6:
        words[at] = number_token(rng)
    elif kind == 7:
        del words[at]
    elif kind == 8:
        words[at:at] = [words[at]] * rng.choice((1, 1, 2, 1000))
    elif kind == 9:
        to = rng.randrange(len(words))
        words[at], words[to] = words[to], words[at]
    elif kind == 10:
        cut = rng.randrange(len(words[at]) + 1)
        words[at] = words[at][:cut] + rng.choice(("", ":", "-", ".", " ")) + words[at][cut + 1 :]
    else:
        key += rng.choice(("x", " ", "=", ""))
    return key + "=" + " ".join(words)
