"""Ids of a table as tensors, and the hash table from an id to its row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shortlist.bundle.hashing import hash_records
from shortlist.errors import MismatchError
from shortlist.frames import encoded_texts
from shortlist.ids import Ids, read_ids
from shortlist.safetensors import Array

__all__ = ["Ids", "id_tensors", "pack_texts", "read_ids", "rows_in_order"]

_EXAMPLES = 3


def id_tensors(ids: Ids) -> dict[str, Array]:
    """Tensors of a bundle's table: ``ids`` or ``id_offsets`` and ``id_bytes``; ``id_slots``."""
    if isinstance(ids, np.ndarray):
        starts = np.arange(len(ids) + 1, dtype=np.int64) * 8
        hashes = hash_records(ids.astype("<i8").tobytes(), starts)
        return {"ids": ids, "id_slots": _hash_slots(hashes)}
    offsets, data = pack_texts(ids)
    hashes = hash_records(data.tobytes(), offsets)
    return {"id_offsets": offsets, "id_bytes": data, "id_slots": _hash_slots(hashes)}


def rows_in_order(ids: Ids, order: Ids, what: str, order_what: str) -> NDArray[np.intp]:
    """Rows of `ids` in the order of `order`.

    Raises
    ------
    MismatchError
        The two are not the same set of ids; the message has examples.
    """
    if isinstance(ids, np.ndarray) != isinstance(order, np.ndarray):
        kinds = ["integers" if isinstance(side, np.ndarray) else "texts" for side in (ids, order)]
        raise MismatchError(f"ids of {what} are {kinds[0]}, those of {order_what} are {kinds[1]}")
    row_of = {value: row for row, value in enumerate(_plain(ids))}
    wanted = _plain(order)
    absent = [value for value in wanted if value not in row_of]
    known = set(wanted)
    surplus = [value for value in row_of if value not in known]
    if absent or surplus:
        raise MismatchError(
            f"ids of {what} and {order_what} disagree: "
            + "; ".join(
                f"{len(values)} of {have} not in {lack}, such as "
                + ", ".join(repr(value) for value in values[:_EXAMPLES])
                for values, have, lack in (
                    (absent, order_what, what),
                    (surplus, what, order_what),
                )
                if values
            )
        )
    return np.array([row_of[value] for value in wanted], dtype=np.intp)


def pack_texts(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Offsets (one more than texts) and UTF-8 bytes, one text after another."""
    data, offsets = encoded_texts(texts)
    return offsets, np.frombuffer(data, dtype=np.uint8)


def _plain(ids: Ids) -> list[int] | list[str]:
    return ids.tolist() if isinstance(ids, np.ndarray) else ids


def _hash_slots(hashes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Open addressing with linear probing: row + 1 at hash & mask or after it, 0 is empty.

    Rows advance together, a round a step; of those that meet in an empty slot the lowest row stays.
    A row moves on from taken slots only, which is all that a look-up relies on.
    """
    size = 1
    while size < 2 * len(hashes):
        size *= 2
    mask = np.uint64(size - 1)
    slots = np.zeros(size, dtype=np.uint32)
    rows = np.arange(len(hashes), dtype=np.uint32)
    at = (hashes & mask).astype(np.int64)
    while rows.size:
        free = slots[at] == 0
        # Of repeated indices NumPy keeps the last value, so the lowest row is written last.
        slots[at[free][::-1]] = rows[free][::-1] + np.uint32(1)
        waiting = slots[at] != rows + np.uint32(1)
        rows = rows[waiting]
        at = (at[waiting] + 1) & np.int64(size - 1)
    return slots
