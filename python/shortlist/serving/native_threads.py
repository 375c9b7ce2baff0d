"""Waiting for native threads to end.

The HTTP server's own threads outlive its last coroutine by some milliseconds, and release Python
objects as they end. A thread that does so while the interpreter is being torn down aborts the
process, so whoever leaves soon after serving waits for them first.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

__all__ = ["native_threads", "wait_for_native_threads"]

TASKS = Path("/proc/self/task")
POLL_S = 0.001
# Where the system does not list threads, this long is waited instead.
BLIND_WAIT_S = 0.1


def native_threads() -> frozenset[int]:
    """Return the ids of all threads of this process, or nothing where they are not listed."""
    if not TASKS.is_dir():
        return frozenset()
    return frozenset(int(task.name) for task in TASKS.iterdir())


def wait_for_native_threads(before: frozenset[int], *, timeout_s: float = 2.0) -> bool:
    """Wait until no thread is left that neither was there ``before`` nor is known to Python.

    Returns
    -------
    Whether all of them ended within ``timeout_s`` seconds.
    """
    if not TASKS.is_dir():
        time.sleep(BLIND_WAIT_S)
        return True
    deadline = time.monotonic() + timeout_s
    while True:
        known = {thread.native_id for thread in threading.enumerate()}
        if not native_threads() - before - known:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
