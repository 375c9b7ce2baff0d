"""Steps of the demonstration, each shown with a bar and the time it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

__all__ = ["Steps"]


class Steps:
    """Shows one bar a step on a console.

    Parameters
    ----------
    console
        Where; a console that is no terminal gets each step once, when it is done.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, title: str, n_parts: int | None = None) -> Iterator[Callable[[], None]]:
        """Show a step while it runs.

        Parameters
        ----------
        title
            What is done.
        n_parts
            Parts of equal work, or None where they are not known.

        Yields
        ------
        A function to call after each part.
        """
        bar = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description:<38}"),
            BarColumn(bar_width=24),
            _Seconds(),
            console=self._console,
        )
        with bar:
            task = bar.add_task(title, total=n_parts)
            yield lambda: bar.advance(task)
            bar.update(task, total=n_parts or 1, completed=n_parts or 1)


class _Seconds(ProgressColumn):
    """Seconds since a step began, or that it took."""

    def render(self, task: Task) -> Text:
        seconds = task.finished_time if task.finished else task.elapsed
        return Text(f"{seconds or 0.0:5.1f} s", style="cyan")
