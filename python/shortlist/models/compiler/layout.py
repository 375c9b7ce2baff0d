"""Nodes of each tree in the order in which they are walked: by level, siblings side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.errors import FormatError
from shortlist.models.importers.ensemble import ImportedEnsemble

__all__ = ["Layout", "lay_out"]

MAX_LEVELS = 28  # of an oblivious tree

IntArray = NDArray[np.int64]


@dataclass
class Layout:
    """Packed nodes, where each tree's begin, and the leaves in the order of their nodes."""

    nodes: NDArray[np.uint64]
    roots: NDArray[np.uint32]
    leaves: IntArray


def lay_out(ensemble: ImportedEnsemble, ranks: IntArray, views: IntArray) -> Layout:
    """Pack the nodes of all trees.

    Raises
    ------
    FormatError
        Where children are no tree: a cycle, a node with two parents or with none.
    UnsupportedError
        Above 2^31 nodes.
    """
    decisions = ranks.astype(np.uint32) | views.astype(np.uint32) << np.uint32(16)
    if ensemble.oblivious:
        _check_oblivious(ensemble)
        roots = ensemble.split_offsets.astype(np.uint32)
        leaves = np.arange(ensemble.leaf_offsets[-1])
        return Layout(decisions.astype(np.uint64), roots, leaves)
    nodes, tree_roots, leaves = _core.lay_out(
        ensemble.split_offsets.astype(np.int64),
        ensemble.leaf_offsets.astype(np.int64),
        ensemble.left.astype(np.int64),
        ensemble.right.astype(np.int64),
        decisions,
    )
    return Layout(nodes, tree_roots, leaves)


def _check_oblivious(ensemble: ImportedEnsemble) -> None:
    depths, n_leaves = np.diff(ensemble.split_offsets), np.diff(ensemble.leaf_offsets)
    wrong = np.flatnonzero(
        (depths > MAX_LEVELS) | (n_leaves != 1 << np.minimum(depths, MAX_LEVELS))
    )
    if wrong.size:
        t = int(wrong[0])
        raise FormatError(
            f"tree {t}: {n_leaves[t]} leaves for {depths[t]} levels, expected 2^levels, "
            f"{MAX_LEVELS} levels at most"
        )
