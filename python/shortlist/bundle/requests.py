"""Requests and rows that a new bundle is asked, so that its replies can be compared later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shortlist.bundle.frame import Columns, is_missing, n_rows
from shortlist.bundle.ids import Ids
from shortlist.bundle.manifest import Fallback

__all__ = ["Asked", "rank_requests", "score_rows"]

_PER_KIND = 8
_CANDIDATES = 20
_K = 10
_ABSENT = 0.1
_SEED = 20240229


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What requests can be made of.

    Attributes
    ----------
    items, users
        Ids of the tables; no users where there is no such table.
    vectors
        Vectors of the index, None without one.
    query, fallback
        As the bundle's settings.
    fields
        For "user" and "context" the attributes that features read.
    reference
        Columns with values for those, named by field; may be empty.
    """

    items: Ids
    users: Ids | None
    vectors: NDArray[np.float32] | None
    query: Sequence[str]
    fallback: Fallback
    fields: Mapping[str, Sequence[str]]
    reference: Columns


def rank_requests(asked: Asked) -> list[dict[str, object]]:
    """Make requests of every kind that the bundle answers, half of them with attributes."""
    requests = []
    for position, request in enumerate(_bare_requests(asked)):
        if position % 2 == 1:
            _attach_attributes(request, asked, position // 2)
        requests.append({**request, "k": min(_K, len(asked.items))})
    return requests


def score_rows(
    names: Sequence[str], reference: Columns, n: int = 2 * _PER_KIND
) -> list[dict[str, object]]:
    """Make rows of values for `names`: of the reference if there is one, else of random numbers."""
    if n_rows(reference):
        rows = _spread(n_rows(reference), n)
        return [_row_values(reference, names, row) for row in rows]
    random = np.random.default_rng(_SEED)
    scales = 10.0 ** random.integers(-1, 4, len(names))
    table = (random.standard_normal((n, len(names))) * scales).tolist()
    made: list[dict[str, object]] = [
        {name: value for name, value in zip(names, row, strict=True) if random.random() > _ABSENT}
        for row in table
    ]
    return [{}, *made]


def _bare_requests(asked: Asked) -> Iterator[dict[str, object]]:
    items = asked.items.tolist() if isinstance(asked.items, np.ndarray) else asked.items
    users = _ids(asked.users)
    if asked.vectors is None:
        user_of = [{"id": users[row]} for row in _spread(len(users), _PER_KIND)] or [{}]
        for position, first in enumerate(_spread(len(items), _PER_KIND)):
            user = user_of[position % len(user_of)]
            yield {"user": dict(user), "candidates": items[first : first + _CANDIDATES]}
        return
    if "users" in asked.query:
        for row in _spread(len(users), _PER_KIND):
            yield {"user": {"id": users[row]}}
    if "like" in asked.query:
        for row in _spread(len(items), _PER_KIND // 2):
            yield {"like": items[row : row + 2]}
    if "vector" in asked.query:
        for row in _spread(len(items), _PER_KIND // 2):
            vector = asked.vectors[row].tolist()
            yield {"vector": vector, "exclude": [items[row]]}
            yield {"vector": vector, "candidates": items[row : row + _CANDIDATES]}
    if asked.fallback == "popular":
        yield {"user": {"id": _unknown(users)}}
        yield {"user": {"id": _unknown(users)}}


def _ids(ids: Ids | None) -> list[int] | list[str]:
    if ids is None:
        return []
    return ids.tolist() if isinstance(ids, np.ndarray) else ids


def _unknown(users: list[int] | list[str]) -> int | str:
    """Find an id that no user has, of the type that users have."""
    known = set(users)
    if users and isinstance(users[0], str):
        return next(name for n in range(len(known) + 1) if (name := f"nobody-{n}") not in known)
    return next(-n for n in range(1, len(known) + 2) if -n not in known)


def _attach_attributes(request: dict[str, object], asked: Asked, position: int) -> None:
    if not n_rows(asked.reference):
        return
    row = position % n_rows(asked.reference)
    for source in ("user", "context"):
        names = [f"{source}.{field}" for field in asked.fields[source]]
        values = _row_values(asked.reference, names, row)
        attributes = {name.removeprefix(f"{source}."): value for name, value in values.items()}
        attributes.pop("id", None)
        if not attributes:
            continue
        known = request.get(source)
        request[source] = {**attributes, **(known if isinstance(known, dict) else {})}


def _row_values(columns: Columns, names: Sequence[str], row: int) -> dict[str, object]:
    """Values of one row that are there, as JSON has them."""
    values: dict[str, object] = {}
    for name in names:
        value = columns[name][row] if name in columns else None
        value = value.item() if isinstance(value, np.generic) else value
        finite = not isinstance(value, float) or np.isfinite(value)
        if isinstance(value, str | int | float) and not is_missing(value) and finite:
            values[name] = value
    return values


def _spread(n: int, wanted: int) -> list[int]:
    """Up to `wanted` of the numbers below n, evenly spread."""
    return sorted({n * i // wanted for i in range(wanted)}) if n else []
