"""``shortlist serve``: bundles over HTTP."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shortlist.cli.console import notes

__all__ = ["serve"]


class Verify(StrEnum):
    """How thoroughly a bundle's files are checked before it is served."""

    FULL = "full"
    FAST = "fast"


def serve(
    bundles: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of versions, of which the latest is served, or single versions. "
            "Of several versions of one model the first is its default."
        ),
    ],
    *,
    host: Annotated[str, typer.Option(help="Address or name to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = 8080,
    uds: Annotated[Path | None, typer.Option(help="Unix socket to listen on instead.")] = None,
    workers: Annotated[
        int, typer.Option(help="Processes; 1 serves in this process itself.", min=1)
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(
            help="Threads for calls of a millisecond or more, in each process. "
            "By default one for each CPU.",
            min=1,
        ),
    ] = None,
    max_body_bytes: Annotated[int, typer.Option(help="Largest request body.", min=1)] = 16 * 2**20,
    body_timeout: Annotated[
        float, typer.Option(help="Most seconds for a body to arrive.", min=0.001)
    ] = 10.0,
    drain_timeout: Annotated[
        float, typer.Option(help="Most seconds for requests to finish after SIGTERM.", min=0.0)
    ] = 5.0,
    verify: Annotated[
        Verify, typer.Option(help="full: SHA-256 of every file; fast: sizes and bounds.")
    ] = Verify.FULL,
    parity: Annotated[
        bool, typer.Option(help="Compute the stored sample scores again and compare.")
    ] = True,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="Write each request to stderr.")
    ] = False,
) -> None:
    """Serve bundles over HTTP/1.1 and HTTP/2 until SIGTERM or Ctrl-C."""
    from shortlist.serving import Limits, ServerOptions
    from shortlist.serving import serve as serve_bundles

    options = ServerOptions(
        host=host,
        port=port,
        uds=uds,
        workers=workers,
        limits=Limits(body_bytes=max_body_bytes, body_timeout_s=body_timeout, n_threads=threads),
        drain_timeout_s=drain_timeout,
        access_log=access_log,
    )
    serve_bundles(
        bundles,
        options,
        verify="fast" if verify is Verify.FAST else "full",
        parity=parity,
        on_ready=lambda url: notes().print(f"serving on {url} (Ctrl-C stops)"),
    )
