"""Replies counted by route and status, in a mapping that the worker processes share.

Each process owns one slot of the mapping and is its only writer; a scrape in any process adds up
all slots. A slot is held by a lock on its bytes, which ends with the process: a worker that takes a
dead one's place takes its slot and counts on, so that no counter ever falls.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from pathlib import Path

import numpy as np

from shortlist.errors import ArgumentError

__all__ = ["ROUTES", "STATUSES", "HttpCounters"]

ROUTES = ("rank", "score", "models", "live", "ready", "metrics", "unknown")
# 499: the client left before its request was complete, so that nothing was sent. 0: any other.
STATUSES = (200, 400, 404, 405, 408, 411, 413, 415, 499, 500, 501, 503, 0)

_SLOT_CELLS = len(ROUTES) * len(STATUSES)
_SLOT_BYTES = _SLOT_CELLS * 8


class HttpCounters:
    """Counts of replies, one uint64 for each route and status in each slot.

    Parameters
    ----------
    path : the file that the processes share; None keeps the counts in this process.
    n_slots : how many processes share the file, the same number in each of them.
    """

    def __init__(self, path: Path | None = None, *, n_slots: int = 1) -> None:
        n_bytes = n_slots * _SLOT_BYTES
        self._file: int | None = None
        if path is None:
            slot = 0
            mapping = mmap.mmap(-1, n_bytes)
        else:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.ftruncate(self._file, n_bytes)
            slot = _claim_slot(self._file, n_slots, path)
            mapping = mmap.mmap(self._file, n_bytes)
        cells = np.frombuffer(mapping, dtype=np.uint64)
        self._all = cells.reshape(n_slots, len(ROUTES), len(STATUSES))
        self._own = memoryview(mapping)[slot * _SLOT_BYTES : (slot + 1) * _SLOT_BYTES].cast("Q")
        self._cell_of_status = {status: position for position, status in enumerate(STATUSES)}
        self._row_of_route = {
            route: position * len(STATUSES) for position, route in enumerate(ROUTES)
        }

    def add(self, route: str, status: int) -> None:
        """Count one reply; ``route`` is one of `ROUTES`."""
        cell = self._cell_of_status.get(status, len(STATUSES) - 1)
        self._own[self._row_of_route[route] + cell] += 1

    def snapshot(self) -> dict[tuple[str, int], int]:
        """Return the counts of all processes that are not zero, by route and status."""
        totals = self._all.sum(axis=0)
        return {
            (ROUTES[row], STATUSES[cell]): int(totals[row, cell])
            for row, cell in np.argwhere(totals).tolist()
        }


def _claim_slot(file: int, n_slots: int, path: Path) -> int:
    for slot in range(n_slots):
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SLOT_BYTES, slot * _SLOT_BYTES)
        except OSError:  # held by another process
            continue
        return slot
    raise ArgumentError(f"{path}: all {n_slots} slots are taken; expected one for each process")
