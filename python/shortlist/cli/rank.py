"""``shortlist rank``: JSON lines in, JSON lines out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO, Protocol

import msgspec
import typer

from shortlist.cli.console import notes
from shortlist.cli.exit_code import ExitCode
from shortlist.cli.following import followed_lines
from shortlist.errors import ShortlistError

__all__ = ["rank"]


class Ranker(Protocol):
    """The part of an engine that this command uses."""

    def rank_json(self, body: bytes, *, timings: bool = False) -> bytes:
        """Answer one request."""
        ...


def rank(
    bundle: Annotated[Path, typer.Argument(help="Folder of versions, or one version.")],
    requests: Annotated[
        Path | None,
        typer.Argument(
            help="File with one request a line; by default stdin.", exists=True, dir_okay=False
        ),
    ] = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File for the answers; by default stdout."),
    ] = None,
    k: Annotated[
        int | None, typer.Option(help="Length of each list, whatever the requests say.")
    ] = None,
    timings: Annotated[
        bool, typer.Option("--timings", help="Add the microseconds of each stage.")
    ] = False,
) -> None:
    """Rank requests read as JSON lines; one answer a line, in the same order.

    A bad line is answered by {"error": ..., "line": number}, and makes the exit code 1. Empty lines
    are skipped.
    """
    import shortlist

    engine = shortlist.Engine.load(bundle)
    with ExitStack() as files:
        source = files.enter_context(requests.open("rb")) if requests else sys.stdin.buffer
        target = files.enter_context(output.open("wb")) if output else sys.stdout.buffer
        lines = files.enter_context(followed_lines(source, requests))
        n_bad = _rank_lines(engine, lines, target, k=k, timings=timings, live=requests is None)
    if n_bad:
        notes().print(f"{n_bad} bad line{'s' if n_bad > 1 else ''}", style="red")
        raise typer.Exit(ExitCode.PROBLEM_FOUND)


def _rank_lines(
    engine: Ranker,
    lines: Iterator[bytes],
    target: BinaryIO,
    *,
    k: int | None,
    timings: bool,
    live: bool,
) -> int:
    n_bad = 0
    for number, line in enumerate(lines, start=1):
        body = line.strip()
        if not body:
            continue
        try:
            answer = engine.rank_json(body if k is None else _with_k(body, k), timings=timings)
        except ShortlistError as error:
            n_bad += 1
            answer = msgspec.json.encode({"error": str(error), "line": number})
        target.write(answer + b"\n")
        if live:
            target.flush()
    target.flush()
    return n_bad


def _with_k(body: bytes, k: int) -> bytes:
    """Set the request's k; what is no JSON object stays as it is, for the engine to refuse."""
    try:
        request = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return body
    request["k"] = msgspec.Raw(b"%d" % k)
    return msgspec.json.encode(request)
