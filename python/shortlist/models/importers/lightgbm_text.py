"""The lines of LightGBM's text format: sections, keys and lists of numbers, all counted.

Source: LightGBM src/boosting/gbdt_model_text.cpp and src/io/tree.cpp.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError
from shortlist.models.importers.lightgbm_objective import shown

__all__ = ["Section", "TextModel", "read_sections"]

_INTEGER_BYTES = b"0123456789+- "
_NUMBER_BYTES = b"0123456789+-.eEinfatyINFATY "
_LARGEST = 2**62
# LightGBM 2 wrote no "end of trees" yet; what follows the trees is the table of importances.
_ENDS = (b"end of trees", b"feature importances:")


@dataclass(frozen=True)
class Section:
    """The keys of the header or of one tree; errors name it, the key, and what was expected."""

    name: str
    fields: Mapping[str, bytes]

    def reject(self, key: str, why: str) -> FormatError:
        """Return the error to raise for this key."""
        return FormatError(f"LightGBM model: {self.name}: {key} {why}")

    def required(self, key: str) -> bytes:
        """Return the text after ``key=``."""
        if key not in self.fields:
            raise self.reject(key, "is missing")
        return self.fields[key]

    def integer(self, key: str, *, least: int, default: int | None = None) -> int:
        """Return one integer of at least ``least``."""
        return int(self.integers(key, 1, low=least, high=_LARGEST, default=default)[0])

    def integers(
        self, key: str, n: int, *, low: int, high: int, default: int | None = None
    ) -> NDArray[np.int64]:
        """Return exactly n integers in [low, high); n times the default where the key is absent."""
        if key not in self.fields and default is not None:
            return np.full(n, default, dtype=np.int64)
        words = self._words(key, n, _INTEGER_BYTES)
        try:
            values = list(map(int, words))
        except ValueError:
            raise self.reject(key, f"holds what is no integer: {shown(self.fields[key])}") from None
        if values and not (low <= min(values) and max(values) < high):
            at = next(i for i, value in enumerate(values) if not low <= value < high)
            expected = f"at least {low}" if high == _LARGEST else f"{low} to {high - 1}"
            found = shown(words[at])
            raise self.reject(key, f"holds {found} at position {at}, expected {expected}")
        return np.array(values, dtype=np.int64)

    def numbers(self, key: str, n: int, *, finite: bool) -> NDArray[np.float64]:
        """Return exactly n numbers; NaN is refused, and infinity too if ``finite``."""
        words = self._words(key, n, _NUMBER_BYTES)
        try:
            values = np.fromiter(map(float, words), dtype=np.float64, count=n)
        except ValueError:
            raise self.reject(key, f"holds what is no number: {shown(self.fields[key])}") from None
        bad = ~np.isfinite(values) if finite else np.isnan(values)
        if bad.any():
            at = int(np.argmax(bad))
            expected = "a finite number" if finite else "a number"
            raise self.reject(
                key, f"holds {shown(words[at])} at position {at}, expected {expected}"
            )
        return values

    def _words(self, key: str, n: int, alphabet: bytes) -> list[bytes]:
        text = self.required(key)
        strange = text.translate(None, alphabet)
        if strange:
            raise self.reject(key, f"holds unexpected characters: {shown(strange)}")
        words = text.split()
        if len(words) != n:
            raise self.reject(key, f"has {len(words)} values, expected {n}")
        return words


class TextModel(NamedTuple):
    """A file in its parts; the trailer is what follows the trees, from the end of their line."""

    header: Section
    trees: list[Section]
    trailer: bytes


class _Lines:
    """The lines of a file, with the byte where each begins."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.start = 0  # of the next line

    def next(self) -> bytes | None:
        """Return the next line without its end, or None at the end of the file."""
        if self.start >= len(self._data):
            return None
        end = self._data.find(b"\n", self.start)
        end = len(self._data) if end < 0 else end
        line = self._data[self.start : end]
        self.start = end + 1
        return line

    def peek(self) -> bytes | None:
        """Return what next() will, and stay."""
        start = self.start
        line = self.next()
        self.start = start
        return line

    def skip_blank(self) -> None:
        """Move to the next line that is not empty."""
        while self.start < len(self._data) and self._data[self.start] == ord("\n"):
            self.start += 1


def read_sections(data: bytes) -> TextModel:
    """Split a file into its header, its trees up to the line "end of trees", and what follows.

    Raises
    ------
    FormatError
        Where a line is out of place, the sizes that the header gives are not those of the trees,
        or the file ends early.
    """
    lines = _Lines(data)
    if lines.next() != b"tree":
        raise FormatError('LightGBM model: the first line is not "tree"')
    header = _read_fields(lines, "header")
    trees: list[Section] = []
    starts: list[int] = []
    while True:
        lines.skip_blank()
        start = lines.start
        line = lines.next()
        starts.append(start)
        if line is None:
            raise FormatError(
                f'LightGBM model: truncated: no line "end of trees" after {len(trees)} trees'
            )
        if line in _ENDS:
            break
        if line != b"Tree=%d" % len(trees):
            raise FormatError(
                f'LightGBM model: expected "Tree={len(trees)}" or "end of trees", got {shown(line)}'
            )
        trees.append(_read_fields(lines, f"tree {len(trees)}"))
    bounds = np.array(starts, dtype=np.int64)
    _check_sizes(header, bounds[1:] - bounds[:-1])
    trailer = data[lines.start - 1 :]
    if b"\nparameters:\n" in trailer and b"\nend of parameters" not in trailer:
        raise FormatError('LightGBM model: truncated: no line "end of parameters"')
    return TextModel(header, trees, trailer)


def _read_fields(lines: _Lines, name: str) -> Section:
    """Read key=value lines up to an empty line, or to what begins the next section."""
    fields: dict[str, bytes] = {}
    while True:
        line = lines.peek()
        if not line or line.startswith(b"Tree=") or line in _ENDS:
            return Section(name, fields)
        lines.next()
        key, _, value = line.partition(b"=")
        text = key.decode("ascii", "backslashreplace")
        if text in fields:
            raise FormatError(f"LightGBM model: {name}: {shown(key)} stands there twice")
        fields[text] = value


def _check_sizes(header: Section, actual: NDArray[np.int64]) -> None:
    """LightGBM finds where trees begin by these sizes: the last one it never uses."""
    if "tree_sizes" not in header.fields:
        return
    declared = header.integers(
        "tree_sizes", len(header.fields["tree_sizes"].split()), low=0, high=_LARGEST
    )
    if len(declared) != len(actual):
        raise header.reject("tree_sizes", f"lists {len(declared)} trees, found {len(actual)}")
    wrong = np.flatnonzero(declared[:-1] != actual[:-1])
    if wrong.size:
        t = int(wrong[0])
        raise header.reject(
            "tree_sizes", f"gives tree {t} {declared[t]} bytes, found {actual[t]} (edited or cut?)"
        )
