"""A compiled forest in a few lines for people to read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from shortlist.models.importers.ensemble import Aggregate, Transform, ViewKind

__all__ = ["summary"]

_MISSING = {
    ViewKind.NONE: "NaN as 0",
    ViewKind.NAN_LEFT: "NaN left",
    ViewKind.NAN_RIGHT: "NaN right",
    ViewKind.ZERO_LEFT: "NaN and 0 left",
    ViewKind.ZERO_RIGHT: "NaN and 0 right",
}


def summary(
    tensors: Mapping[str, NDArray[np.generic]], metadata: Mapping[str, str], kernels: str
) -> str:
    """Return one line a property: what the model is, its sizes, and how it is scored."""
    header = tensors["header"].astype(np.int64)
    leaves: NDArray[np.int64] = np.diff(tensors["tree_leaves"].astype(np.int64)).astype(np.int64)
    n_rounds = len(tensors["round_trees"]) - 1
    segments = len(tensors["segment_views"]) - 1
    used = np.unique(tensors["column_features"]).size
    rounds = f"{n_rounds:,}"
    if header[7] != n_rounds:
        rounds += f" (the first {header[7]:,} are used)"
    lines = {
        "source": metadata.get("source", ""),
        "objective": metadata.get("objective", ""),
        "transform": Transform(int(header[4])).name.lower(),
        "rounds": rounds,
        "trees": f"{leaves.size:,}" + (", oblivious" if header[6] & 16 else ""),
        "leaves a tree": _range(leaves) + _leaf_kind(tensors, int(header[3])),
        "features": f"{header[1]:,} ({used:,} used)",
        "outputs": str(header[2]),
        "thresholds": f"{tensors['thresholds'].size:,} distinct",
        "categories": f"{tensors['keys'].size:,} distinct",
        "missing": _missing(tensors),
        "sums": _sums(header),
        "kernels": kernels + (f"; {segments} segments of features" if segments > 1 else ""),
    }
    return "\n".join(f"{name:<14} {value}" for name, value in lines.items())


def _range(leaves: NDArray[np.int64]) -> str:
    if leaves.size == 0:
        return "none (a linear model)"
    return f"{leaves.min():,} to {leaves.max():,}, mean {leaves.mean():.1f}"


def _leaf_kind(tensors: Mapping[str, NDArray[np.generic]], width: int) -> str:
    if tensors["linear_constants"].size:
        return ", linear"
    return f", vectors of {width}" if width > 1 else ""


def _missing(tensors: Mapping[str, NDArray[np.generic]]) -> str:
    kinds = [ViewKind(int(kind)) for kind in np.unique(tensors["view_kinds"])]
    rules = [_MISSING[kind] for kind in kinds if kind in _MISSING]
    if len(rules) < len(kinds):
        rules.append("by category")
    return "; ".join(rules) or "nothing is asked"


def _sums(header: NDArray[np.int64]) -> str:
    width = "float32" if header[6] & 1 else "float64"
    aggregate = Aggregate(int(header[5]))
    how = "added in tree order" if aggregate is Aggregate.SUM else aggregate.name.lower()
    mean = ", then the mean" if header[6] & 4 else ""
    return f"{width}, {how}{mean}"
