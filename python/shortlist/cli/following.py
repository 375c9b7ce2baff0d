"""A progress bar on stderr for the lines of a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rich.progress import Progress

from shortlist.cli.console import notes

__all__ = ["followed_lines"]


@contextmanager
def followed_lines(source: BinaryIO, path: Path | None) -> Iterator[Iterator[bytes]]:
    """Yield the lines of ``source``; a terminal shows how far a file is read."""
    console = notes()
    if path is None or not console.is_terminal:
        yield iter(source)
        return
    with Progress(console=console, transient=True) as progress:
        yield _advancing(source, progress, path)


def _advancing(source: BinaryIO, progress: Progress, path: Path) -> Iterator[bytes]:
    task = progress.add_task(path.name, total=path.stat().st_size)
    for line in source:
        yield line
        progress.advance(task, len(line))
