"""``shortlist score``: a file of rows into a file of scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from shortlist.cli.console import notes
from shortlist.errors import ArgumentError

__all__ = ["progress", "score"]

LINE_EVERY_S = 10.0


def score(
    model: Annotated[
        Path, typer.Argument(help="A model file, or a bundle without features whose ranker is one.")
    ],
    data: Annotated[
        Path,
        typer.Argument(help="Rows: .parquet, .csv or .npy.", exists=True, dir_okay=False),
    ],
    *,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="File for the scores: .parquet, .csv or .npy."),
    ],
    raw_score: Annotated[
        bool, typer.Option("--raw-score", help="Scores without the objective's transform.")
    ] = False,
    iterations: Annotated[
        str | None,
        typer.Option(metavar="A:B", help="Boosting rounds from A up to, not including, B."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Column of the data to copy; may be repeated."),
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads that score.", min=1, max=1024)] = 1,
    chunk_rows: Annotated[
        int | None,
        typer.Option(help="Rows in memory at a time; by default those of 64 MB.", min=1),
    ] = None,
) -> None:
    """Score each row of a file, in chunks: memory does not grow with the file.

    Columns are found by their names, and other columns are ignored; a .npy file is a matrix in the
    order of the model's features. The output appears when it is complete.
    """
    from shortlist.batch.model import ScoredModel
    from shortlist.batch.scoring import check_paths, score_file

    columns = keep or []
    check_paths(data, output, columns)
    scored = ScoredModel.load(
        model,
        raw_score=raw_score,
        iteration_range=None if iterations is None else _range(iterations),
        n_threads=threads,
    )
    began = time.monotonic()
    console = notes()
    with progress(console, data.name) as advance:
        n_rows = score_file(
            scored, data, output, keep=columns, chunk_rows=chunk_rows, on_progress=advance
        )
    console.print(f"{output}: {n_rows:,} rows in {time.monotonic() - began:.1f} s")


def _range(text: str) -> tuple[int, int]:
    begin, colon, end = text.partition(":")
    if not (colon and begin.isascii() and begin.isdigit() and end.isascii() and end.isdigit()):
        raise ArgumentError(f"--iterations {text}: expected A:B, such as 0:100")
    return int(begin), int(end)


@contextmanager
def progress(console: Console, name: str) -> Iterator[Callable[[int, float], None]]:
    """Show a bar in a terminal; anywhere else a line now and then."""
    if console.is_terminal:
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[n_rows]:,} rows"),
            TimeRemainingColumn(),
            console=console,
        )
        with bar:
            task = bar.add_task(name, total=1.0, n_rows=0)
            yield lambda n_rows, done: bar.update(task, completed=done, n_rows=n_rows)
    else:
        yield _Lines(console, name)


class _Lines:
    """Progress in a log."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._shown = time.monotonic()

    def __call__(self, n_rows: int, done: float) -> None:
        now = time.monotonic()
        if now - self._shown >= LINE_EVERY_S:
            self._shown = now
            self._console.print(f"{self._name}: {done:4.0%}, {n_rows:,} rows")
