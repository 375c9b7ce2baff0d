"""JSON of files that nobody vouches for: RFC 8259, without duplicate keys, NaN or deep nesting."""

from __future__ import annotations

import json

from shortlist.errors import FormatError

__all__ = ["decode"]

_MAX_DEPTH = 32


def decode(data: bytes, where: str) -> object:
    """Parse one JSON document.

    Parameters
    ----------
    data
        UTF-8 text.
    where
        What messages call it, such as the file's name.

    Raises
    ------
    FormatError
        The text is not valid UTF-8 or JSON, holds a key twice, half a surrogate pair, NaN or
        Infinity, or nests deeper than 32 levels.
    """
    try:
        document = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique_members, parse_constant=_refuse_constant
        )
        _check_depth(document)
        if b"\\u" in data:  # only an escape can spell half a surrogate pair
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{where}: not valid JSON at byte {error.start}: not valid UTF-8"
        ) from None
    except UnicodeEncodeError:
        raise FormatError(
            f"{where}: not valid JSON: half of a surrogate pair in a string"
        ) from None
    except RecursionError:
        raise FormatError(f"{where}: not valid JSON: {_TOO_DEEP}") from None
    except ValueError as error:  # JSONDecodeError, and integers with thousands of digits
        raise FormatError(f"{where}: not valid JSON: {error}") from None
    return document


_TOO_DEEP = f"nested too deep, at most {_MAX_DEPTH} levels are taken"


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f'member "{key}" occurs twice')
            seen.add(key)
    return members


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON value")


def _check_depth(document: object) -> None:
    level = [document]
    for _ in range(_MAX_DEPTH):
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    if any(isinstance(value, dict | list) for value in level):
        raise ValueError(_TOO_DEEP)


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
