"""Imported trees into the compiled form: ranks instead of thresholds, children side by side.

csrc/trees/forest_arrays.hpp documents the arrays.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.errors import FormatError
from shortlist.models.compiler.layout import lay_out
from shortlist.models.compiler.segments import make_segments
from shortlist.models.compiler.sets import pack_sets
from shortlist.models.importers.ctr_tables import NO_CTRS
from shortlist.models.importers.ensemble import ImportedEnsemble

__all__ = ["FORMAT", "Tensors", "compile_ensemble"]

Tensors = dict[str, NDArray[np.generic]]

FORMAT = 2
_FLAGS = (
    "float32",
    "float32_input",
    "average",
    "average_raw",
    "oblivious",
    "bias_of_first_round",
)


def compile_ensemble(ensemble: ImportedEnsemble) -> tuple[Tensors, dict[str, str]]:
    """Return the tensors of the compiled form and its metadata, ready to be saved.

    Raises
    ------
    FormatError
        Where the children of a tree are no tree (a cycle, a node with two parents or with none),
        or a threshold is NaN.
    UnsupportedError
        A tree that reads more than 32,767 features, or more than 2^31 nodes.
    """
    if np.isnan(ensemble.thresholds).any():
        split = int(np.argmax(np.isnan(ensemble.thresholds)))
        tree = int(np.searchsorted(ensemble.split_offsets, split, side="right")) - 1
        raise FormatError(f"tree {tree}: a threshold is NaN")
    segments = make_segments(ensemble)
    sets = pack_sets(ensemble, segments)
    layout = lay_out(ensemble, np.where(sets.is_set, sets.number, segments.ranks), segments.views)
    order = layout.leaves
    width = 1 if ensemble.leaf_values.ndim == 1 else ensemble.n_outputs
    tensors: Tensors = {
        "header": _header(ensemble, width),
        "scales": np.array([ensemble.scale, ensemble.sum_scale, ensemble.absent]),
        "base": _per_output(ensemble.base, ensemble.n_outputs),
        "bias": _per_output(ensemble.bias, ensemble.n_outputs),
        **segments.tensors,
        "tree_roots": layout.roots,
        "tree_leaves": ensemble.leaf_offsets.astype(np.uint32),
        "tree_outputs": _tree_outputs(ensemble, width),
        "round_trees": _round_offsets(ensemble).astype(np.uint32),
        "nodes": layout.nodes,
        "leaf_values": ensemble.leaf_values[order].astype(np.float64).ravel(),
        "leaf_ids": _leaf_ids(ensemble)[order].astype(np.uint32),
        **sets.tensors,
        **_linear_leaves(ensemble, order),
        "weights": _weights(ensemble),
        **(NO_CTRS if ensemble.ctrs is None else ensemble.ctrs).tensors(),
        "description": np.frombuffer(_description(ensemble), dtype=np.uint8),
    }
    tensors |= _core.compile_bitslice(tensors)
    metadata = {
        "kind": "forest",
        "source": ensemble.source,
        "objective": ensemble.objective,
    }
    return tensors, metadata


def _header(ensemble: ImportedEnsemble, width: int) -> NDArray[np.uint32]:
    flags = sum(1 << bit for bit, name in enumerate(_FLAGS) if getattr(ensemble, name))
    n_rounds = len(_round_offsets(ensemble)) - 1
    values = [
        FORMAT,
        len(ensemble.feature_names),
        ensemble.n_outputs,
        width,
        int(ensemble.transform),
        int(ensemble.aggregate),
        flags,
        n_rounds if ensemble.default_rounds is None else ensemble.default_rounds,
    ]
    return np.array(values, dtype=np.uint32)


def _per_output(values: NDArray[np.float64] | None, n_outputs: int) -> NDArray[np.float64]:
    return np.zeros(n_outputs) if values is None else values.astype(np.float64)


def _tree_outputs(ensemble: ImportedEnsemble, width: int) -> NDArray[np.uint32]:
    if width > 1 or ensemble.n_outputs == 1:
        return np.zeros(ensemble.n_trees, dtype=np.uint32)
    if ensemble.tree_outputs is None:
        return (np.arange(ensemble.n_trees) % ensemble.n_outputs).astype(np.uint32)
    return ensemble.tree_outputs.astype(np.uint32)


def _round_offsets(ensemble: ImportedEnsemble) -> NDArray[np.int64]:
    if ensemble.round_offsets is not None:
        return ensemble.round_offsets
    return np.arange(0, ensemble.n_trees + 1, ensemble.n_outputs)


def _leaf_ids(ensemble: ImportedEnsemble) -> NDArray[np.signedinteger[Any]]:
    if ensemble.leaf_ids is not None:
        return ensemble.leaf_ids
    counts = np.diff(ensemble.leaf_offsets)
    return np.arange(ensemble.leaf_offsets[-1]) - np.repeat(ensemble.leaf_offsets[:-1], counts)


def _linear_leaves(ensemble: ImportedEnsemble, order: NDArray[np.int64]) -> Tensors:
    linear = ensemble.linear_leaves
    if linear is None:
        return {
            "linear_constants": np.zeros(0),
            "linear_offsets": np.zeros(0, dtype=np.uint32),
            "linear_features": np.zeros(0, dtype=np.uint32),
            "linear_coefficients": np.zeros(0),
        }
    counts = np.diff(linear.offsets)[order]
    offsets = np.concatenate(([0], np.cumsum(counts)))
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    terms = np.repeat(linear.offsets[:-1][order], counts) + within
    return {
        "linear_constants": linear.constants[order],
        "linear_offsets": offsets.astype(np.uint32),
        "linear_features": linear.features[terms].astype(np.uint32),
        "linear_coefficients": linear.coefficients[terms],
    }


def _weights(ensemble: ImportedEnsemble) -> NDArray[np.float32]:
    if ensemble.linear_weights is None:
        return np.zeros(0, dtype=np.float32)
    return np.ascontiguousarray(ensemble.linear_weights, dtype=np.float32).ravel()


def _description(ensemble: ImportedEnsemble) -> bytes:
    """Return what a caller must know of a model's inputs and outputs, as JSON."""
    return json.dumps(
        {
            "feature_names": ensemble.feature_names,
            "category_names": {str(f): names for f, names in ensemble.category_names.items()},
            "hashed_features": ensemble.hashed_features,
            "classes": ensemble.classes,
            "best_iteration": ensemble.best_iteration,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode("utf-8", "surrogatepass")
