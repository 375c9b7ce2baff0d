"""``shortlist demo``: from real data to a served engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]


def demo(
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the data set's files, instead of a download.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option(help="Where the bundle is written.", file_okay=False)
    ] = Path("bundles/movies"),
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the bundle at the end.")
    ] = True,
    port: Annotated[int, typer.Option(help="Port to serve on.", min=0, max=65535)] = 8080,
) -> None:
    """Train on real ratings, pack, verify, measure and serve a ranking engine."""
    import shortlist.demo

    shortlist.demo.run(data=data, output=output, serve=serve, port=port)
