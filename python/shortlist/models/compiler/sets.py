"""The sets of categorical splits as bitsets over the codes of their features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import UnsupportedError
from shortlist.models.compiler.segments import Segments
from shortlist.models.importers.ensemble import ImportedEnsemble, ViewKind

__all__ = ["Sets", "pack_sets"]

_MAX_SETS = 65535  # of one tree


@dataclass
class Sets:
    """Which splits ask for a set, and the number of that set within the tree."""

    is_set: NDArray[np.bool_]
    number: NDArray[np.int64]
    tensors: dict[str, NDArray[np.generic]]


def pack_sets(ensemble: ImportedEnsemble, segments: Segments) -> Sets:
    """Give the sets of each tree numbers, and write down their codes, a bit each.

    Raises
    ------
    UnsupportedError
        A tree with more than 65,535 categorical splits.
    """
    n_splits = ensemble.kinds.size
    tree_of = np.repeat(np.arange(ensemble.n_trees), np.diff(ensemble.split_offsets))
    is_set = ensemble.kinds >= ViewKind.CATEGORY
    per_tree = np.bincount(tree_of[is_set], minlength=ensemble.n_trees)
    if per_tree.max(initial=0) > _MAX_SETS:
        raise UnsupportedError(
            f"tree {int(np.argmax(per_tree))} has {per_tree.max()} categorical splits; "
            f"{_MAX_SETS:,} are handled"
        )
    tree_bitsets = np.concatenate(([0], np.cumsum(per_tree)))
    number = np.zeros(n_splits, dtype=np.int64)
    number[is_set] = np.arange(is_set.sum()) - tree_bitsets[tree_of[is_set]]

    n_words = np.zeros(n_splits, dtype=np.int64)
    np.maximum.at(n_words, segments.set_splits, segments.set_codes // 32 + 1)
    bitset_offsets = np.concatenate(([0], np.cumsum(n_words[is_set])))
    start = np.zeros(n_splits, dtype=np.int64)
    start[is_set] = bitset_offsets[:-1]
    words = np.zeros(bitset_offsets[-1], dtype=np.uint32)
    bits = np.left_shift(np.uint32(1), (segments.set_codes % 32).astype(np.uint32))
    np.bitwise_or.at(words, start[segments.set_splits] + segments.set_codes // 32, bits)
    return Sets(
        is_set,
        number,
        {
            "tree_bitsets": tree_bitsets.astype(np.uint32),
            "bitset_offsets": bitset_offsets.astype(np.uint32),
            "bitset_words": words,
        },
    )
