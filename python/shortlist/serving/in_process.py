"""Serving in the calling process, on an event loop of its own."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable

from shortlist.errors import ShortlistError
from shortlist.serving.address import Address
from shortlist.serving.app import Application
from shortlist.serving.granian_options import granian_options
from shortlist.serving.native_threads import native_threads, wait_for_native_threads
from shortlist.serving.options import ServerOptions

__all__ = ["serve_in_process"]

logger = logging.getLogger("shortlist.serving")

POLL_S = 0.02


def serve_in_process(
    application: Application,
    options: ServerOptions,
    address: Address,
    on_ready: Callable[[str], None] | None,
) -> None:
    """Serve until SIGTERM or SIGINT; to be called from the main thread.

    Raises
    ------
    ShortlistError : the server ended without a signal.
    """
    before = native_threads()
    try:
        asyncio.run(_serve(application, options, address, on_ready))
    finally:
        wait_for_native_threads(before)


async def _serve(
    application: Application,
    options: ServerOptions,
    address: Address,
    on_ready: Callable[[str], None] | None,
) -> None:
    from granian.server.embed import Server

    server = Server(application, **granian_options(options, address))
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


async def _announce(address: Address, on_ready: Callable[[str], None] | None) -> None:
    while not address.accepts():
        await asyncio.sleep(POLL_S)
    if on_ready is not None:
        on_ready(address.url)
