"""Pages of documentation taken apart: blocks of code, links, headings, names in code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its first line of text."""

    language: str
    line: int
    text: str


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Page:
        return cls(path, path.read_text("utf-8"))

    @property
    def prose(self) -> str:
        """The page without its blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self) -> Iterator[Block]:
        for match in _FENCE.finditer(self.text):
            line = self.text.count("\n", 0, match.start(2)) + 1
            yield Block(match[1], line, match[2])

    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    def anchors(self) -> set[str]:
        """What GitHub makes of the headings."""
        headings = _HEADING.findall(self.prose)
        return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}

    def code(self) -> str:
        """All that stands in backticks or in a block of Python or of commands."""
        spans = re.findall(r"`([^`\n]+)`", self.prose)
        runs = [block.text for block in self.blocks() if block.language in ("python", "console")]
        return "\n".join(spans + runs)


def matches(shown: str, found: str) -> bool:
    """Whether an output is the one a page shows.

    Numbers may differ; `...` in a page stands for anything in its line, or alone for any lines.
    """
    pattern = ""
    for line in _plain(shown):
        if line == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("...")) + "\n"
    text = "".join(f"{line}\n" for line in _plain(found))
    return re.fullmatch(pattern, text) is not None


def _plain(text: str) -> list[str]:
    """Lines with one blank between words and 0 for every number, version and checksum."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "0", text)
    text = re.sub(r"\bv\d+\b", "v0", text)
    text = re.sub(r"(?<![\w.,\[])\d{1,3}(,\d{3})+(?![\w,])", "0", text)  # thousands, not lists
    text = re.sub(r"(?<![\w.])-?\d+(\.\d+)?(e[+-]?\d+)?(?!\w)", "0", text)
    return [" ".join(line.split()) for line in text.strip().splitlines()]
