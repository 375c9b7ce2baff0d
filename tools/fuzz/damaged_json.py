"""Damage to a JSON document: nodes of the tree dropped, doubled, moved, retyped, renumbered."""

from __future__ import annotations

import json
from random import Random
from typing import TypeAlias

from .damaged_bytes import damage_bytes
from .interesting import INTEGERS, number_token

__all__ = ["Json", "damage_json", "damage_tree"]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
_MARK = "@raw@"
_MOST_BYTES = 2_000_000
_DEPTHS = (20, 40, 900, 1100, 20_000, 140_000)


def damage_json(data: bytes, other: bytes, rng: Random) -> bytes:
    """Return the document changed in one to four nodes, and sometimes in its bytes."""
    if rng.random() < 0.06:
        return damage_bytes(data, other, rng)
    tree = json.loads(data)
    raw: list[str] = []
    tree = damage_tree(tree, json.loads(other), rng, raw)
    text = json.dumps(tree, separators=(",", ":"), ensure_ascii=rng.random() < 0.5)
    for i, token in enumerate(raw):
        mark = f'"{_MARK}{i}"'
        if text.count(mark) * len(token) <= _MOST_BYTES:  # a deep one may have been copied often
            text = text.replace(mark, token)
    if rng.random() < 0.02:
        text = text.replace('"', '"\\ud800', 1)
    return text.encode("utf-8", "surrogatepass")


def damage_tree(tree: Json, other: Json, rng: Random, raw: list[str] | None = None) -> Json:
    """Return a decoded tree with changed nodes.

    Parameters
    ----------
    tree : changed in place, as far as possible.
    other : whose nodes may be copied.
    raw : takes tokens that no tree can hold; texts "@raw@0", ... stand for them. None: no tokens.
    """
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = _places(tree)
        if not places:
            return tree
        _change(places, other, rng, raw)
    return tree


_Place: TypeAlias = "tuple[dict[str, Json] | list[Json], str | int]"


def _places(tree: Json) -> list[_Place]:
    found: list[_Place] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found += [(node, key) for key in node]
            waiting += node.values()
        elif isinstance(node, list):
            found += [(node, i) for i in range(len(node))]
            waiting += node
    return found


def _chosen(places: list[_Place], rng: Random) -> _Place:
    """Choose any place, or as often one in an object: the few fields beside long lists."""
    if rng.random() < 0.5:
        fields = [place for place in places if isinstance(place[0], dict)]
        if fields:
            return rng.choice(fields)
    return rng.choice(places)


def _get(container: dict[str, Json] | list[Json], key: str | int) -> Json:
    return container[key]  # type: ignore[index]


def _put(container: dict[str, Json] | list[Json], key: str | int, value: Json) -> None:
    container[key] = value  # type: ignore[index]


def _change(places: list[_Place], other: Json, rng: Random, raw: list[str] | None) -> None:
    container, key = _chosen(places, rng)
    kind = rng.randrange(12)
    value = _get(container, key)
    if kind <= 3:
        _put(container, key, _renumbered(value, rng, raw))
    elif kind == 4:
        del container[key]  # type: ignore[arg-type]
    elif kind == 5 and isinstance(container, list):
        times = min(rng.choice((1, 1, 3, 300)), _most_copies(value))
        container[int(key) : int(key)] = [_copied(value)] * times
    elif kind == 5 and isinstance(container, dict):
        renamed = rng.choice((str(key) + "x", "", str(rng.choice(INTEGERS)), "\u0000", "a" * 3000))
        container[renamed] = value if rng.random() < 0.5 else container.pop(str(key))
    elif kind == 6:
        _put(container, key, _retyped(value, rng))
    elif kind == 7:
        _put(container, key, _copied(_get(*rng.choice(places))))
    elif kind == 8:
        elsewhere = _places(other)
        _put(container, key, _copied(_get(*rng.choice(elsewhere))) if elsewhere else None)
    elif kind == 9 and isinstance(value, list):
        _put(container, key, _resized(value, rng))
    elif kind == 10 and rng.random() < 0.15:
        _put(container, key, _deep(value, rng, raw))
    else:
        source, at = rng.choice(places)
        if _is_in(source, at) and _is_in(container, key):
            mine, theirs = _copied(_get(container, key)), _copied(_get(source, at))
            _put(container, key, theirs)
            _put(source, at, mine)


def _is_in(container: dict[str, Json] | list[Json], key: str | int) -> bool:
    return key in container if isinstance(container, dict) else int(key) < len(container)


def _renumbered(value: Json, rng: Random, raw: list[str] | None) -> Json:
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.4:
        return value + (rng.choice((1, -1, 2)) if isinstance(value, int) else 0.5)
    if isinstance(value, bool):
        return not value
    token = number_token(rng)
    if isinstance(value, str) and rng.random() < 0.8:
        return token if rng.random() < 0.6 or not value else _edited(value, rng)
    if raw is not None:
        raw.append(token)
        return f"{_MARK}{len(raw) - 1}"
    try:
        return int(token)
    except ValueError:
        return rng.choice((float("nan"), float("inf"), float("-inf"), 0.5, -0.0, 1e308))


def _edited(text: str, rng: Random) -> str:
    at = rng.randrange(len(text))
    taken = rng.choice(("", "0", "-", " ", ",", "||", "\n", "\u00e9", "\U0001f600", "1e999"))
    return text[:at] + taken + text[at + rng.choice((0, 1, 2)) :]


def _retyped(value: Json, rng: Random) -> Json:
    kinds: list[Json] = [None, True, False, 0, 1, -1, 1.5, "", "x", "0", [], {}, [[]], [value]]
    kinds += [{"x": value}, str(value)[:100], [0] * 7, ["0"] * 3, {"0": 0}]
    return rng.choice(kinds)


def _resized(value: list[Json], rng: Random) -> list[Json]:
    kind = rng.randrange(4)
    if kind == 0:
        return value[: rng.randrange(len(value) + 1)]
    if kind == 1:
        return value * min(rng.choice((2, 3, 50)), _most_copies(value))
    if kind == 2:
        return value + value[: rng.randrange(len(value) + 1)]
    return rng.sample(value, len(value))


def _deep(value: Json, rng: Random, raw: list[str] | None) -> Json:
    depth = rng.choice(_DEPTHS)
    if raw is None:
        return [[[[value]]]]
    opening, closing = rng.choice((("[", "]"), ('{"x":', "}"), ('{"left_child":', "}")))
    if isinstance(value, dict) and rng.random() < 0.5:
        members = {k: v for k, v in value.items() if not isinstance(v, dict | list)}
        key = rng.choice(["left_child", "right_child", "left", "children", "trees"])
        text = json.dumps(members)[:-1] + ("," if members else "") + f'"{key}":'
        opening, closing, depth = text, "}", min(depth, 200_000 // len(text))
    raw.append(opening * depth + "0" + closing * (depth if rng.random() < 0.9 else 0))
    return f"{_MARK}{len(raw) - 1}"


def _most_copies(value: Json) -> int:
    """Return how often a node may be repeated, so that several changes do not fill the memory."""
    return max(1, _MOST_BYTES // 10 // len(json.dumps(value)))


def _copied(value: Json) -> Json:
    return json.loads(json.dumps(value)) if isinstance(value, dict | list) else value
