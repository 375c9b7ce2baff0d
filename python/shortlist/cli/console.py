"""What people read: results' tables on stdout, everything else on stderr."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

__all__ = ["fail", "notes", "results"]


def results() -> Console:
    """Return the console of results; a pipe or file gets lines of any length, unfolded."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = 10_000
    return console


def notes() -> Console:
    """Return the console of progress, notices and errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def fail(message: str) -> None:
    """Print an error as one red line."""
    one_line = " ".join(message.split())
    notes().print(Text(f"error: {one_line}", style="red"))
