"""Checks that the attributes of all tree operators of ONNX need, and what is made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shortlist.models.importers.ensemble import CategoryName
from shortlist.models.importers.onnx_forest import IntArray, OnnxForest
from shortlist.models.importers.onnx_graph import Attributes

__all__ = [
    "AGGREGATES",
    "MOST_FEATURES",
    "TRANSFORMS",
    "TreeOperator",
    "check_length",
    "checked_features",
    "checked_numbers",
    "checked_targets",
    "offsets_of",
    "tracks_true",
    "widened",
]

TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")
MOST_FEATURES = 1 << 20
_LEAST_OUTPUTS = 64  # that a graph may declare without weights for them


@dataclass(frozen=True, kw_only=True)
class TreeOperator:
    """A tree operator's attributes, checked; ``n_outputs`` are targets or classes."""

    name: str
    forest: OnnxForest
    n_outputs: int
    transform: str
    aggregate: str
    base: NDArray[np.float64]  # empty where there is none
    classes: tuple[CategoryName, ...] | None = None  # of a classifier
    # Of all weights, those of leaves that no row reaches too:
    one_class: bool = False  # they are all for the same output
    any_negative: bool = False


def tracks_true(attributes: Attributes, n: int) -> NDArray[np.bool_]:
    """Return whether NaN makes a node's rule true."""
    tracks = attributes.integers("nodes_missing_value_tracks_true")
    if tracks.size == 0:
        return np.zeros(n, bool)
    check_length(attributes, "nodes_missing_value_tracks_true", tracks.size, n)
    if ((tracks != 0) & (tracks != 1)).any():
        raise attributes.reject(
            "nodes_missing_value_tracks_true", "holds another number than 0 and 1"
        )
    return np.asarray(tracks == 1)


def checked_features(attributes: Attributes, features: IntArray) -> IntArray:
    """Return the features of nodes, none out of range."""
    if features.size and not 0 <= features.min() <= features.max() < MOST_FEATURES:
        at = int(((features < 0) | (features >= MOST_FEATURES)).argmax())
        raise attributes.reject(
            "nodes_featureids",
            f"holds {features[at]}, expected 0 to {MOST_FEATURES - 1}",
        )
    return features


def checked_targets(
    attributes: Attributes, name: str, targets: IntArray, n_outputs: int
) -> IntArray:
    """Return the outputs of weights, none out of range."""
    if not 0 < n_outputs <= max(_LEAST_OUTPUTS, targets.size):
        raise attributes.reject(
            "n_targets", f"is {n_outputs}, there are {targets.size} weights of leaves"
        )
    if targets.size and not 0 <= targets.min() <= targets.max() < n_outputs:
        at = int(((targets < 0) | (targets >= n_outputs)).argmax())
        raise attributes.reject(
            name, f"holds {targets[at]} at position {at}, expected 0 to {n_outputs - 1}"
        )
    return targets


def checked_numbers(
    attributes: Attributes,
    name: str,
    numbers: NDArray[np.float64],
    counts: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return the numbers, none of which is NaN; 0 where ``counts`` says that they do not count."""
    missing = np.isnan(numbers) if counts is None else np.isnan(numbers) & counts
    if missing.any():
        raise attributes.reject(name, "holds nan, expected numbers")
    return numbers if counts is None else np.where(counts, numbers, 0.0)


def widened(numbers: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return float64 numbers; a NaN that signals becomes one that does not, without a warning."""
    with np.errstate(invalid="ignore"):
        return numbers.astype(np.float64)


def check_length(attributes: Attributes, name: str, size: int, expected: int) -> None:
    """Refuse a list of another length."""
    if size != expected:
        raise attributes.reject(name, f"has {size} values, expected {expected}")


def offsets_of(counts: NDArray[np.generic]) -> IntArray:
    """Return where each of some stretches of these lengths begins, and the last ends."""
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
