"""Running the application under granian: one process by default, or several workers."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from shortlist.errors import ArgumentError, ShortlistError
from shortlist.serving.address import Address, claim_tcp, claim_uds
from shortlist.serving.app import Application, Limits
from shortlist.serving.http_counters import HttpCounters
from shortlist.serving.loader import BundleLoader, DeploymentLoader
from shortlist.serving.logs import LOGGING

__all__ = ["ServerOptions", "run", "serve"]

logger = logging.getLogger("shortlist.serving")

POLL_S = 0.02
# Connections that wait in the kernel, and that are open at once in each process.
BACKLOG = 2048
MAX_CONNECTIONS = 8192


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to listen and run.

    Parameters
    ----------
    host, port : the TCP address; port 0 takes a free one.
    uds : a Unix socket to listen on instead.
    workers : processes; one serves in this process itself.
    limits : bounds on requests, for each process.
    header_timeout_s : the most seconds for the headers of a request to arrive (HTTP/1).
    drain_timeout_s : the most seconds that accepted requests get to finish after SIGTERM.
    access_log : whether each request is written to stderr.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    uds: Path | None = None
    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    header_timeout_s: float = 30.0
    drain_timeout_s: float = 5.0
    access_log: bool = False


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
            asyncio.run(_serve_here(application, options, address, on_ready))
        else:
            _serve_workers(load.pinned(), options, address, on_ready)


def _claim(options: ServerOptions) -> AbstractContextManager[Address]:
    if options.uds is not None:
        return claim_uds(options.uds)
    return claim_tcp(options.host, options.port)


async def _serve_here(
    application: Application, options: ServerOptions, address: Address, on_ready: OnReady | None
) -> None:
    from granian.server.embed import Server

    server = Server(application, **_granian_options(options, address))
    loop = asyncio.get_running_loop()
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    serving = loop.create_task(server.serve())
    ready = loop.create_task(_announce(address, on_ready))
    stop = loop.create_task(told_to_stop.wait())
    await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    stop.cancel()
    if told_to_stop.is_set():
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait({serving}, timeout=options.drain_timeout_s)
        if not serving.done():
            logger.warning(
                "requests were still unfinished %g s after the signal to stop; "
                "their connections are closed",
                options.drain_timeout_s,
            )
            serving.cancel()
            return
    await serving
    if not told_to_stop.is_set():
        raise ShortlistError("the server stopped by itself; its log says why")


async def _announce(address: Address, on_ready: OnReady | None) -> None:
    while not address.accepts():
        await asyncio.sleep(POLL_S)
    if on_ready is not None:
        on_ready(address.url)


def _serve_workers(
    load: DeploymentLoader, options: ServerOptions, address: Address, on_ready: OnReady | None
) -> None:
    import granian

    with tempfile.TemporaryDirectory(prefix="shortlist-", dir=_memory_folder()) as folder:
        server = granian.Granian(
            "shortlist",
            workers=options.workers,
            workers_kill_timeout=max(1, round(options.drain_timeout_s)),
            respawn_failed_workers=True,
            **_granian_options(options, address),
        )
        if on_ready is not None:
            threading.Thread(
                target=_announce_from_thread, args=(address, on_ready), daemon=True
            ).start()
        with _spawned_processes():
            try:
                server.serve(
                    target_loader=partial(_worker_application, load, options, Path(folder)),
                    wrap_loader=False,
                )
            except SystemExit as end:
                raise ShortlistError("a worker failed; the server's log says why") from end


def _announce_from_thread(address: Address, on_ready: OnReady) -> None:
    while not address.accepts():
        time.sleep(POLL_S)
    on_ready(address.url)


def _worker_application(
    load: DeploymentLoader, options: ServerOptions, counters_folder: Path
) -> Application:
    # On a reload the new workers start before the old ones end: twice as many slots.
    counters = HttpCounters(counters_folder / "http.counters", n_slots=2 * options.workers)
    return Application(load(counters_folder), limits=options.limits, http_counters=counters)


def _granian_options(options: ServerOptions, address: Address) -> dict[str, Any]:
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    return {
        "address": address.host or "127.0.0.1",
        "port": address.port,
        "uds": address.uds,
        "interface": Interfaces.ASGI,
        "websockets": False,
        "backlog": BACKLOG,
        "backpressure": MAX_CONNECTIONS,
        "http1_settings": HTTP1Settings(header_read_timeout=round(options.header_timeout_s * 1000)),
        "log_level": LogLevels.warning,
        "log_dictconfig": LOGGING,
        "log_access": options.access_log,
    }


@contextmanager
def _spawned_processes() -> Iterator[None]:
    """Start workers afresh on every platform: a fork would copy locks that threads hold."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    try:
        yield
    finally:
        multiprocessing.set_start_method(before, force=True)


def _memory_folder() -> Path | None:
    """Return where files are memory only, as counters should be; None is the usual place."""
    shared = Path("/dev/shm")  # noqa: S108 - the folder in it is ours alone
    return shared if os.access(shared, os.W_OK) else None
