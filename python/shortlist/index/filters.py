"""Which rows may be found: masks, names for masks, and their combination by and, or, not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import ArgumentError, NotFoundError

__all__ = ["Bitmap", "check_filter_name", "evaluate", "packed"]

_NAME = re.compile(r"[A-Za-z_]\w*")
_TOKEN = re.compile(r"\s*(?:([A-Za-z_]\w*)|([()]))")
_WORDS = frozenset({"and", "or", "not"})
_MOST_TOKENS = 1000


class Bitmap(NamedTuple):
    """A bit for each row, in 64-bit words, and how many are set."""

    words: NDArray[np.uint64]
    n_set: int


def packed(passing: NDArray[np.bool_]) -> Bitmap:
    """Pack a mask."""
    words = np.zeros((len(passing) + 63) // 64 * 8, dtype=np.uint8)
    bits = np.packbits(passing, bitorder="little")
    words[: len(bits)] = bits
    return Bitmap(words.view(np.uint64), int(np.count_nonzero(passing)))


def check_filter_name(name: object) -> str:
    """Take a name that expressions can hold.

    Raises
    ------
    ArgumentError
    """
    if not isinstance(name, str) or _NAME.fullmatch(name) is None or name in _WORDS:
        raise ArgumentError(
            f"name: got {name!r}, expected letters, digits and underscores, not and, or, not"
        )
    return name


def evaluate(expression: str, masks: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Combine masks: ``in_stock and not (adult or hidden)``; `not` binds closest, then `and`.

    Raises
    ------
    ArgumentError
        The expression is malformed; the message has the place.
    NotFoundError
        A name that no filter has.
    """
    return _Expression(expression, masks).value()


class _Expression:
    def __init__(self, text: str, masks: Mapping[str, NDArray[np.bool_]]) -> None:
        self._text = text
        self._masks = masks
        self._tokens = self._read()
        self._next = 0

    def value(self) -> NDArray[np.bool_]:
        mask = self._either()
        if self._next < len(self._tokens):
            raise self._error()
        return mask

    def _read(self) -> list[tuple[str, int]]:
        tokens: list[tuple[str, int]] = []
        end = len(self._text.rstrip())
        at = 0
        while at < end:
            match = _TOKEN.match(self._text, at)
            if match is None or len(tokens) == _MOST_TOKENS:
                raise ArgumentError(
                    f"filter: unexpected {self._text[at:].lstrip()[:20]!r} at {at}, "
                    "expected a name, and, or, not or a parenthesis"
                )
            tokens.append((match[1] or match[2], match.start(match.lastindex or 0)))
            at = match.end()
        return tokens

    def _peek(self) -> str:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    def _take(self, token: str) -> bool:
        taken = self._peek() == token
        self._next += taken
        return taken

    def _either(self) -> NDArray[np.bool_]:
        mask = self._both()
        while self._take("or"):
            mask = mask | self._both()
        return mask

    def _both(self) -> NDArray[np.bool_]:
        mask = self._negation()
        while self._take("and"):
            mask = mask & self._negation()
        return mask

    def _negation(self) -> NDArray[np.bool_]:
        negated = False
        while self._take("not"):
            negated = not negated
        mask = self._operand()
        return ~mask if negated else mask

    def _operand(self) -> NDArray[np.bool_]:
        if self._take("("):
            mask = self._either()
            if not self._take(")"):
                raise self._error()
            return mask
        name = self._peek()
        if not name or name in _WORDS or name == ")":
            raise self._error()
        if name not in self._masks:
            known = ", ".join(sorted(self._masks)) or "none"
            raise NotFoundError(f"filter: {name!r} is not defined; filters: {known}")
        self._next += 1
        return self._masks[name]

    def _error(self) -> ArgumentError:
        if self._next < len(self._tokens):
            token, at = self._tokens[self._next]
            return ArgumentError(f"filter: unexpected {token!r} at {at} in {self._text!r}")
        return ArgumentError(f"filter: {self._text!r} ends where a name or ')' is expected")
