"""JSON read piece by piece: large lists an item at a time, and values nested as deep as trees are.

Tokens NaN, Infinity and -Infinity are numbers, as Python's own writer has them. Source: RFC 8259.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from shortlist.errors import FormatError

__all__ = ["JsonReader"]

_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\n\r]*")
_MAX_DEPTH = 131_200  # LightGBM grows 131,072 leaves at most; other libraries' trees are flatter


class JsonReader:
    """A cursor over a document; each method reads what stands there, or raises FormatError.

    Parameters
    ----------
    data : the whole document, UTF-8.
    name : what the document is, as messages begin.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._name = name
        self._at = 0
        try:
            self._text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise FormatError(f"{name}: byte {error.start} is not UTF-8") from None

    def members(self) -> Iterator[str]:
        """Yield the keys of an object; its value must be read before the next key is asked for."""
        self._expect("{")
        seen: set[str] = set()
        if self._take("}"):
            return
        while True:
            key = self._key()
            if key in seen:
                raise self.reject(f"key {key[:60]!r} stands there twice")
            seen.add(key)
            yield key
            if self._take("}"):
                return
            self._expect(",")

    def items(self) -> Iterator[int]:
        """Yield 0, 1, ... for the items of a list; each must be read before the next."""
        self._expect("[")
        if self._take("]"):
            return
        n = 0
        while True:
            yield n
            n += 1
            if self._take("]"):
                return
            self._expect(",")

    def value(self) -> object:
        """Return the value here; as Python's json does, of an object's equal keys the last."""
        start = self._skip()
        try:
            return self._scan(start)
        except RecursionError:
            return self._deep_value()

    def end(self) -> None:
        """Check that nothing follows."""
        if self._skip() != len(self._text):
            raise self.reject("expected the end")

    def reject(self, why: str) -> FormatError:
        """Return the error to raise for what stands here."""
        if self._at >= len(self._text):
            return FormatError(f"{self._name}: truncated: {why} at character {self._at}")
        found = self._text[self._at : self._at + 20]
        return FormatError(f"{self._name}: character {self._at}: {why}, found {found!r}")

    def _scan(self, start: int) -> object:
        try:
            value, self._at = _DECODER.raw_decode(self._text, start)
        except json.JSONDecodeError as error:
            self._at = error.pos
            raise self.reject(error.msg) from None
        except ValueError as error:  # an integer of thousands of digits
            raise self.reject(str(error)) from None
        return value

    def _deep_value(self) -> object:
        """Read a value with a stack of our own, for those nested deeper than Python's."""
        keys: list[str | None] = []
        opened: list[dict[str, object] | list[object]] = []
        while True:
            value: object
            if self._take("{"):
                value = {}
                key = None if self._take("}") else self._key()
                closed = key is None
            elif self._take("["):
                value, key = [], None
                closed = self._take("]")
            else:
                value, key, closed = self._scan(self._skip()), None, True
            if not closed and isinstance(value, dict | list):
                if len(opened) == _MAX_DEPTH:
                    raise self.reject(f"expected at most {_MAX_DEPTH} levels of nesting")
                opened.append(value)
                keys.append(key)
                continue
            while True:
                if not opened:
                    return value
                if self._ends(opened[-1], keys, value):
                    value = opened.pop()
                    keys.pop()
                else:
                    break

    def _ends(
        self, container: dict[str, object] | list[object], keys: list[str | None], value: object
    ) -> bool:
        """Put a value into what is open; return whether that closes, else read the next key."""
        key = keys[-1]
        if isinstance(container, dict):
            container[str(key)] = value
            if self._take("}"):
                return True
            self._expect(",")
            keys[-1] = self._key()
            return False
        container.append(value)
        if self._take("]"):
            return True
        self._expect(",")
        return False

    def _key(self) -> str:
        start = self._skip()
        if not self._text.startswith('"', start):
            raise self.reject("expected a key in quotes")
        key = self._scan(start)
        self._expect(":")
        return str(key)

    def _take(self, char: str) -> bool:
        at = self._skip()
        if not self._text.startswith(char, at):
            return False
        self._at = at + 1
        return True

    def _expect(self, char: str) -> None:
        if not self._take(char):
            raise self.reject(f"expected {char!r}")

    def _skip(self) -> int:
        match = _BLANKS.match(self._text, self._at)
        self._at = match.end() if match is not None else self._at
        return self._at
