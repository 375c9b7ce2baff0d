"""Serving bundles: an address, a loader, and one process or several workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

from shortlist.errors import ArgumentError
from shortlist.serving.address import Address, claim_tcp, claim_uds
from shortlist.serving.app import Application
from shortlist.serving.in_process import serve_in_process
from shortlist.serving.loader import BundleLoader, DeploymentLoader
from shortlist.serving.options import ServerOptions
from shortlist.serving.workers import serve_by_workers

__all__ = ["run", "serve"]

OnReady = Callable[[str], None]


def serve(
    paths: Sequence[Path],
    options: ServerOptions | None = None,
    *,
    verify: Literal["full", "fast"] = "full",
    parity: bool = True,
    on_ready: OnReady | None = None,
) -> None:
    """Serve bundles until SIGTERM or SIGINT; accepted requests are then answered before it returns.

    Parameters
    ----------
    paths : bundles, as for ``shortlist.Engine.load``; of several versions of one model the first is
        its default.
    options : how to listen and run.
    verify, parity : how thoroughly the bundles are checked, as for ``shortlist.Engine.load``.
    on_ready : called with the server's URL once it accepts connections.

    Raises
    ------
    ShortlistError : a bundle is refused, or the address cannot be listened on (`ListenError`).
    ImportError : granian is not installed (``pip install "shortlist[serve]"``).
    RuntimeError : called from a thread other than the main one, which signals cannot reach.
    """
    run(BundleLoader(tuple(paths), verify=verify, parity=parity), options, on_ready=on_ready)


def run(
    load: DeploymentLoader,
    options: ServerOptions | None = None,
    *,
    on_ready: OnReady | None = None,
) -> None:
    """Serve what ``load`` makes; see `serve`. With several workers ``load`` must be picklable."""
    import granian  # noqa: F401 - a missing extra is told before anything is bound or loaded

    options = options or ServerOptions()
    if options.workers < 1:
        raise ArgumentError(f"workers is {options.workers}; expected at least 1")
    with _claim(options) as address:
        if options.workers == 1:
            application = Application(load(), limits=options.limits)
            serve_in_process(application, options, address, on_ready)
        else:
            serve_by_workers(load.pinned(), options, address, on_ready)


def _claim(options: ServerOptions) -> AbstractContextManager[Address]:
    if options.uds is not None:
        return claim_uds(options.uds)
    return claim_tcp(options.host, options.port)
