"""Imported trees into the compiled form: ranks instead of thresholds, children side by side.

csrc/trees/forest.hpp documents the arrays.
"""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import ImportedEnsemble, ViewKind

__all__ = ["MAX_THRESHOLDS", "MAX_VIEWS", "Tensors", "compile_ensemble"]

Tensors = dict[str, NDArray[np.generic]]

FORMAT = 1
MAX_THRESHOLDS = 65534
MAX_CATEGORIES = 65534
MAX_VIEWS = 32767
MAX_NODES = 2**31
_LEAF_RANK = 65535


def compile_ensemble(ensemble: ImportedEnsemble) -> tuple[Tensors, dict[str, str]]:
    """Return the tensors of the compiled form and its metadata, ready to be saved.

    Raises
    ------
    FormatError
        Where the children of a tree are no tree: a cycle, a node with two parents or with none.
    UnsupportedError
        Above 65,534 distinct thresholds or categories of one feature, 32,767 views, or 2^31 nodes.
    """
    tree_of_split = _owners(ensemble.split_offsets)
    ranks, thresholds, threshold_offsets = _rank_thresholds(ensemble)
    views, view_features, view_kinds = _make_views(ensemble)
    categorical = ensemble.kinds == ViewKind.CATEGORY
    per_tree = np.bincount(tree_of_split[categorical], minlength=ensemble.n_trees)
    tree_bitsets = _offsets(per_tree)
    ranks[categorical] = np.arange(categorical.sum()) - tree_bitsets[tree_of_split[categorical]]
    if per_tree.max(initial=0) > _LEAF_RANK:
        raise UnsupportedError(
            f"a tree with {per_tree.max()} categorical splits; 65,535 are handled"
        )
    nodes, values, tree_roots = _lay_out(ensemble, tree_of_split, ranks, views)
    n_rounds = ensemble.n_trees // ensemble.n_outputs
    tensors: Tensors = {
        "header": np.array(
            [
                FORMAT,
                len(ensemble.feature_names),
                ensemble.n_outputs,
                int(ensemble.transform),
                n_rounds if ensemble.average else 0,
            ],
            dtype=np.uint32,
        ),
        "scale": np.array([ensemble.scale], dtype=np.float64),
        "thresholds": thresholds,
        "threshold_offsets": threshold_offsets,
        **_code_categories(ensemble),
        "view_features": view_features,
        "view_kinds": view_kinds,
        "tree_roots": tree_roots,
        "nodes": nodes,
        "values": values,
        "tree_bitsets": tree_bitsets.astype(np.uint32),
    }
    metadata = {
        "kind": "forest",
        "source": ensemble.source,
        "objective": ensemble.objective,
        "feature_names": json.dumps(ensemble.feature_names, ensure_ascii=False),
    }
    return tensors, metadata


def _rank_thresholds(
    ensemble: ImportedEnsemble,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint32]]:
    """Position of each split's threshold among the distinct ones of its feature."""
    numeric = np.flatnonzero(ensemble.kinds != ViewKind.CATEGORY)
    thresholds = ensemble.thresholds[numeric]
    features = ensemble.features[numeric]
    order = np.lexsort((thresholds, features))
    sorted_features, sorted_thresholds = features[order], thresholds[order]
    fresh = np.ones(order.size, dtype=bool)
    fresh[1:] = (sorted_features[1:] != sorted_features[:-1]) | (
        sorted_thresholds[1:] != sorted_thresholds[:-1]
    )
    counts = np.bincount(sorted_features[fresh], minlength=len(ensemble.feature_names))
    _check_limit(ensemble, counts, MAX_THRESHOLDS, "thresholds")
    offsets = _offsets(counts)
    ranks = np.zeros(ensemble.features.size, dtype=np.int64)
    ranks[numeric[order]] = np.cumsum(fresh) - 1 - offsets[sorted_features]
    return ranks, sorted_thresholds[fresh], offsets.astype(np.uint32)


def _make_views(
    ensemble: ImportedEnsemble,
) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint8]]:
    """One view for each feature and way of handling what is missing that occurs, by feature."""
    keys, views = np.unique(ensemble.features * 8 + ensemble.kinds, return_inverse=True)
    if keys.size > MAX_VIEWS:
        raise UnsupportedError(
            f"{keys.size} pairs of feature and missing type; {MAX_VIEWS} are handled"
        )
    return views.astype(np.int64), (keys // 8).astype(np.uint32), (keys % 8).astype(np.uint8)


def _code_categories(ensemble: ImportedEnsemble) -> Tensors:
    """Distinct categories of each feature, and the set of each split as a bitset of codes."""
    counts = np.diff(ensemble.category_offsets)
    split_of = np.repeat(np.arange(counts.size), counts)
    keys = ensemble.features[split_of] * 2**32 + ensemble.categories.astype(np.int64)
    distinct, inverse = np.unique(keys, return_inverse=True)
    per_feature = np.bincount(distinct >> 32, minlength=len(ensemble.feature_names))
    _check_limit(ensemble, per_feature, MAX_CATEGORIES, "categories")
    offsets = _offsets(per_feature)
    codes = inverse - offsets[ensemble.features[split_of]]

    categorical = np.flatnonzero(ensemble.kinds == ViewKind.CATEGORY)
    n_words = np.zeros(counts.size, dtype=np.int64)
    np.maximum.at(n_words, split_of, codes // 32 + 1)
    bitset_offsets = _offsets(n_words[categorical])
    start = np.zeros(counts.size, dtype=np.int64)
    start[categorical] = bitset_offsets[:-1]
    words = np.zeros(bitset_offsets[-1], dtype=np.uint32)
    bits = np.left_shift(np.uint32(1), (codes % 32).astype(np.uint32))
    np.bitwise_or.at(words, start[split_of] + codes // 32, bits)
    return {
        "categories": (distinct & 0xFFFFFFFF).astype(np.uint32),
        "category_offsets": offsets.astype(np.uint32),
        "bitset_offsets": bitset_offsets.astype(np.uint32),
        "bitset_words": words,
    }


def _lay_out(
    ensemble: ImportedEnsemble,
    tree_of_split: NDArray[np.int64],
    ranks: NDArray[np.int64],
    views: NDArray[np.int64],
) -> tuple[NDArray[np.uint64], NDArray[np.float64], NDArray[np.uint32]]:
    """Nodes of each tree level by level, the two children of a split side by side."""
    left, right = _global_children(ensemble, tree_of_split)
    _check_parents(ensemble, left, right)
    n_splits = np.diff(ensemble.split_offsets)
    sizes = n_splits + np.diff(ensemble.leaf_offsets)
    roots = _offsets(sizes)
    if roots[-1] >= MAX_NODES:
        raise UnsupportedError(f"{roots[-1]} nodes; 2^31 are handled")
    nodes = np.arange(roots[-1], dtype=np.uint64) << np.uint64(32) | np.uint64(_LEAF_RANK)
    values = np.zeros(roots[-1], dtype=np.float64)

    free = roots[:-1] + 1  # where the next children of each tree go
    has_splits = n_splits > 0
    refs = np.where(has_splits, ensemble.split_offsets[:-1], ~ensemble.leaf_offsets[:-1])
    places = roots[:-1].copy()
    n_placed = 0
    while refs.size:
        n_placed += refs.size
        leaf = refs < 0
        values[places[leaf]] = ensemble.leaf_values[~refs[leaf]]
        splits, places = refs[~leaf], places[~leaf]
        trees = tree_of_split[splits]
        pairs = np.bincount(trees, minlength=ensemble.n_trees)
        nth = np.arange(trees.size) - (np.cumsum(pairs) - pairs)[trees]
        children = free[trees] + 2 * nth
        free += 2 * pairs
        packed = ranks[splits] | views[splits] << 16
        nodes[places] = packed.astype(np.uint64) | children.astype(np.uint64) << np.uint64(32)
        refs = np.column_stack((left[splits], right[splits])).ravel()
        places = np.column_stack((children, children + 1)).ravel()
    if n_placed != roots[-1]:
        t = int(np.argmax(free != roots[1:]))
        raise FormatError(f"tree {t}: its splits hold a cycle that the root does not reach")
    return nodes, values, roots.astype(np.uint32)


def _global_children(
    ensemble: ImportedEnsemble, tree_of_split: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    splits = ensemble.split_offsets[tree_of_split]
    leaves = ensemble.leaf_offsets[tree_of_split]

    def to_global(child: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(child >= 0, child + splits, ~(~child + leaves))

    return to_global(ensemble.left), to_global(ensemble.right)


def _check_parents(
    ensemble: ImportedEnsemble, left: NDArray[np.int64], right: NDArray[np.int64]
) -> None:
    """Each node but the root has one parent; with that, a walk from the root ends."""
    children = np.concatenate((left, right))
    for what, offsets, ids in (
        ("split", ensemble.split_offsets, children[children >= 0]),
        ("leaf", ensemble.leaf_offsets, ~children[children < 0]),
    ):
        parents = np.bincount(ids, minlength=int(offsets[-1]))
        is_root = np.zeros(int(offsets[-1]), dtype=bool)
        rooted = np.diff(offsets) > 0 if what == "split" else np.diff(ensemble.split_offsets) == 0
        is_root[offsets[:-1][rooted]] = True
        wrong = np.flatnonzero(parents != ~is_root)
        if wrong.size:
            node = int(wrong[0])
            t = int(np.searchsorted(offsets, node, side="right")) - 1
            raise FormatError(
                f"tree {t}: {what} {node - offsets[t]} has {parents[node]} parents, "
                f"expected {int(not is_root[node])} (left_child, right_child)"
            )


def _check_limit(
    ensemble: ImportedEnsemble, counts: NDArray[np.int64], limit: int, what: str
) -> None:
    if counts.max(initial=0) > limit:
        f = int(np.argmax(counts))
        raise UnsupportedError(
            f"feature {ensemble.feature_names[f]!r} has {counts[f]} distinct {what}; "
            f"at most {limit} are handled"
        )


def _owners(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.repeat(np.arange(offsets.size - 1), np.diff(offsets))


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
