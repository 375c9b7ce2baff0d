"""CatBoost's CTRs as plain tables: derived columns, each computed from columns of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["EMPTY_SLOT", "NO_CTRS", "CtrElement", "CtrTables", "Projection", "build_ctr_tables"]

EMPTY_SLOT = 2**64 - 1
_Floats: TypeAlias = NDArray[np.float32]
_Keys: TypeAlias = NDArray[np.uint64]
_Unsigned = TypeVar("_Unsigned", np.uint32, np.uint64)


class CtrElement(IntEnum):
    """What a projection takes of a column; the values are those of the compiled form."""

    CATEGORY = 0  # the category's hash
    GREATER = 1  # whether the number, as float32, is above the border; of NaN: no
    GREATER_OR_NAN = 2  # the same; NaN counts as +inf
    EQUALS = 3  # whether the category's hash is the given one


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Columns joined into one key, and what each derived column of it says of each key.

    ``elements`` are (kind, feature, border, hash), in the order in which they are joined. Derived
    column c is ``columns[c][1][i]`` where the key is ``columns[c][0][i]``, its default elsewhere.
    """

    elements: tuple[tuple[CtrElement, int, float, int], ...]
    columns: tuple[tuple[_Keys, _Floats], ...]
    defaults: tuple[np.float32, ...]


@dataclass(frozen=True, kw_only=True)
class CtrTables:
    """Every projection's table one after another; csrc/trees/ctr.hpp documents the arrays."""

    element_offsets: NDArray[np.uint32]
    element_kinds: NDArray[np.uint8]
    element_features: NDArray[np.uint32]
    element_borders: NDArray[np.float32]
    element_hashes: NDArray[np.uint32]
    shifts: NDArray[np.uint8]
    slot_offsets: NDArray[np.uint64]
    slot_keys: NDArray[np.uint64]
    slot_rows: NDArray[np.uint32]
    column_offsets: NDArray[np.uint32]
    value_offsets: NDArray[np.uint64]
    values: NDArray[np.float32]
    defaults: NDArray[np.float32]

    @property
    def n_columns(self) -> int:
        """Number of derived columns."""
        return int(self.defaults.size)

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays under their names in the compiled form."""
        return {f"ctr_{field.name}": getattr(self, field.name) for field in fields(self)}


def build_ctr_tables(projections: Sequence[Projection]) -> CtrTables:
    """Return the tables; derived columns are numbered in order of projections and their columns."""
    elements = [element for projection in projections for element in projection.elements]
    slots, rows, shifts, values = [], [], [], []
    for projection in projections:
        keys = np.unique(np.concatenate([keys for keys, _ in projection.columns]))
        keys = keys[keys != EMPTY_SLOT]
        table = np.empty((keys.size, len(projection.columns)), np.float32)
        for c, (known, column) in enumerate(projection.columns):
            table[:, c] = projection.defaults[c]
            kept = known != EMPTY_SLOT
            table[np.searchsorted(keys, known[kept]), c] = column[kept]
        shift, placed, numbers = _place(keys)
        shifts.append(shift)
        slots.append(placed)
        rows.append(numbers)
        values.append(table.ravel())
    return CtrTables(
        element_offsets=_offsets([len(p.elements) for p in projections], np.uint32),
        element_kinds=np.array([e[0] for e in elements], np.uint8),
        element_features=np.array([e[1] for e in elements], np.uint32),
        element_borders=np.array([e[2] for e in elements], np.float32),
        element_hashes=np.array([e[3] for e in elements], np.uint32),
        shifts=np.array(shifts, np.uint8),
        slot_offsets=_offsets([s.size for s in slots], np.uint64),
        slot_keys=np.concatenate([np.zeros(0, np.uint64), *slots]),
        slot_rows=np.concatenate([np.zeros(0, np.uint32), *rows]),
        column_offsets=_offsets([len(p.columns) for p in projections], np.uint32),
        value_offsets=_offsets([v.size for v in values], np.uint64),
        values=np.concatenate([np.zeros(0, np.float32), *values]),
        defaults=np.array([d for p in projections for d in p.defaults], np.float32),
    )


def _place(keys: _Keys) -> tuple[int, _Keys, NDArray[np.uint32]]:
    """Slots of ascending keys: each in the first free one from its own, ``key >> shift``, on."""
    bits = max(1, int(keys.size * 4 // 3).bit_length())
    homes = (keys >> np.uint64(64 - bits)).astype(np.int64)
    order = np.arange(keys.size)
    places = order + np.maximum.accumulate(homes - order)
    n_slots = max(2**bits, int(places[-1]) + 1 if keys.size else 0) + 1
    slots = np.full(n_slots, EMPTY_SLOT, np.uint64)
    rows = np.zeros(n_slots, np.uint32)
    slots[places] = keys
    rows[places] = order
    return 64 - bits, slots, rows


def _offsets(counts: Sequence[int], dtype: type[_Unsigned]) -> NDArray[_Unsigned]:
    return np.concatenate(([0], np.cumsum(np.array(counts, np.int64)))).astype(dtype)


def _no_ctrs() -> CtrTables:
    """Return tables of no derived column, every array empty."""
    whole = build_ctr_tables(())
    return CtrTables(**{field.name: getattr(whole, field.name)[:0] for field in fields(whole)})


NO_CTRS = _no_ctrs()
