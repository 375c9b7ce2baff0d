"""CatBoost's CTRs, as its model files store them, into derived columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ctr_tables import (
    CtrElement,
    CtrTables,
    Projection,
    build_ctr_tables,
)

__all__ = ["CTR_TYPES", "CtrBase", "CtrFeature", "CtrTable", "derive_columns"]

# The enumerators of the format, in order.
CTR_TYPES = (
    "Borders",
    "Buckets",
    "BinarizedTargetMeanValue",
    "FloatTargetMeanValue",
    "Counter",
    "FeatureFreq",
)
_MEANS = ("BinarizedTargetMeanValue", "FloatTargetMeanValue")
_COUNTERS = ("Counter", "FeatureFreq")
_FREE_VALUES = 1 << 16
_VALUES_PER_BYTE = 2

_Element: TypeAlias = tuple[CtrElement, int, float, int]


@dataclass(frozen=True)
class CtrBase:
    """What a table is of: columns joined, and what is counted."""

    cat_features: tuple[int, ...]  # numbers among the categorical features
    float_splits: tuple[tuple[int, float], ...]  # number among the float features, border
    one_hot_splits: tuple[tuple[int, int], ...]  # number among the categorical features, hash
    ctr_type: str
    target_classifier: int = 0

    @property
    def projection(self) -> tuple[object, ...]:
        """The columns alone."""
        return (self.cat_features, self.float_splits, self.one_hot_splits)

    def __str__(self) -> str:
        return f"CTR {self.ctr_type} of categorical features {list(self.cat_features)}"


@dataclass(frozen=True, kw_only=True)
class CtrFeature:
    """A derived column: how its values are made of a table's counts, and its borders."""

    base: CtrBase
    target_border: int
    prior: np.float32
    prior_weight: np.float32
    shift: np.float32
    scale: np.float32
    borders: NDArray[np.float32]

    def value(self, good: NDArray[np.generic], total: NDArray[np.generic]) -> NDArray[np.float32]:
        """As CatBoost computes it, in float32 at each step."""
        with np.errstate(all="ignore"):
            ratio = (good.astype(np.float32) + self.prior) / (
                total.astype(np.float32) + self.prior_weight
            )
            return np.asarray((ratio + self.shift) * self.scale, np.float32)


@dataclass(frozen=True, kw_only=True)
class CtrTable:
    """Counts of each key of training: (n, classes), (n, 1) of counters, or sums beside counts."""

    keys: NDArray[np.uint64]
    counts: NDArray[np.int32]
    sums: NDArray[np.float32] | None = None
    denominator: int = 0


def derive_columns(
    ctrs: Sequence[CtrFeature],
    tables: Mapping[CtrBase, CtrTable],
    elements: Mapping[CtrBase, tuple[_Element, ...]],
    n_bytes: int,
) -> tuple[CtrTables | None, NDArray[np.int64]]:
    """Return the tables of the derived columns, and the column of each CTR feature.

    Parameters
    ----------
    ctrs : the CTR features, in the model's order.
    tables : of each base that occurs.
    elements : of each base that occurs, with features numbered as columns of a row.
    n_bytes : size of the model file; what the columns take is bounded by it.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    n_values = 0
    for i, ctr in enumerate(ctrs):
        if ctr.base not in tables:
            raise FormatError(f"CatBoost model: no table for {ctr.base}")
        groups.setdefault(ctr.base.projection, []).append(i)
        n_values += tables[ctr.base].keys.size
    if n_values > _FREE_VALUES + _VALUES_PER_BYTE * n_bytes:
        raise UnsupportedError(
            f"CatBoost model: {n_values} values of CTRs from a file of {n_bytes} bytes"
        )
    column = np.zeros(len(ctrs), np.int64)
    projections = []
    n_columns = 0
    for members in groups.values():
        columns = [_column(ctrs[i], tables[ctrs[i].base]) for i in members]
        projections.append(
            Projection(
                elements=elements[ctrs[members[0]].base],
                columns=tuple((keys, values) for keys, values, _ in columns),
                defaults=tuple(default for _, _, default in columns),
            )
        )
        column[members] = n_columns + np.arange(len(members))
        n_columns += len(members)
    return (build_ctr_tables(projections) if projections else None), column


def _column(
    ctr: CtrFeature, table: CtrTable
) -> tuple[NDArray[np.uint64], NDArray[np.float32], np.float32]:
    """Keys, the value of each, and the value of every other key."""
    counts = table.counts
    classes = counts.shape[1]
    none = np.zeros(1, np.int32)
    if ctr.base.ctr_type in _MEANS:
        if table.sums is None:
            raise FormatError(f"CatBoost model: the table of {ctr.base} has no sums")
        return table.keys, ctr.value(table.sums, counts[:, 0]), ctr.value(none, none)[0]
    if ctr.base.ctr_type in _COUNTERS:
        total = np.full(1, table.denominator, np.int32)
        return table.keys, ctr.value(counts[:, 0], total), ctr.value(none, total)[0]
    if not 0 <= ctr.target_border < classes - (ctr.base.ctr_type == "Borders"):
        raise FormatError(
            f"CatBoost model: {ctr.base} has target border {ctr.target_border}, but its table has "
            f"{classes} classes"
        )
    total = counts.sum(axis=1, dtype=np.int64)
    if ctr.base.ctr_type == "Buckets":
        good = counts[:, ctr.target_border].astype(np.int64)
    elif classes > 2:
        good = counts[:, ctr.target_border + 1 :].sum(axis=1, dtype=np.int64)
    else:
        good = counts[:, 1].astype(np.int64)
    return table.keys, ctr.value(good, total), ctr.value(none, none)[0]
