"""Serving by several worker processes, which share the port and the counters."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection
from multiprocessing.util import Finalize
from pathlib import Path

from shortlist.errors import ShortlistError
from shortlist.serving.address import Address
from shortlist.serving.app import Application
from shortlist.serving.granian_options import granian_options
from shortlist.serving.http_counters import HttpCounters
from shortlist.serving.loader import DeploymentLoader
from shortlist.serving.native_threads import native_threads, wait_for_native_threads
from shortlist.serving.options import ServerOptions

__all__ = ["serve_by_workers"]

POLL_S = 0.02


def serve_by_workers(
    load: DeploymentLoader,
    options: ServerOptions,
    address: Address,
    on_ready: Callable[[str], None] | None,
) -> None:
    """Serve until SIGTERM or SIGINT; workers that die are replaced.

    Raises
    ------
    ShortlistError : workers die as soon as they start.
    """
    import granian

    ended = threading.Event()
    with tempfile.TemporaryDirectory(prefix="shortlist-", dir=_memory_folder()) as folder:
        server = granian.Granian(
            "shortlist",
            workers=options.workers,
            workers_kill_timeout=max(1, round(options.drain_timeout_s)),
            respawn_failed_workers=True,
            **granian_options(options, address),
        )
        if on_ready is not None:
            threading.Thread(target=_announce, args=(address, on_ready, ended), daemon=True).start()
        with _spawned_processes():
            try:
                server.serve(
                    target_loader=partial(_worker_application, load, options, Path(folder)),
                    wrap_loader=False,
                )
            except SystemExit as end:
                raise ShortlistError("a worker failed; the server's log says why") from end
            finally:
                ended.set()


def _announce(address: Address, on_ready: Callable[[str], None], ended: threading.Event) -> None:
    while not ended.wait(POLL_S):
        if address.accepts():
            on_ready(address.url)
            return


def _worker_application(
    load: DeploymentLoader, options: ServerOptions, counters_folder: Path
) -> Application:
    Finalize(None, wait_for_native_threads, args=(native_threads(),), exitpriority=-100)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # On a reload the new workers start before the old ones end: twice as many slots.
    counters = HttpCounters(counters_folder / "http.counters", n_slots=2 * options.workers)
    return Application(load(counters_folder), limits=options.limits, http_counters=counters)


def _end_with_parent() -> None:
    """End this worker as SIGTERM would, should its parent be killed without a chance to say so."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


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
