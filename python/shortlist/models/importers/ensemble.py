"""What every importer makes of a model file: the trees as plain arrays, not yet checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["ImportedEnsemble", "Transform", "ViewKind"]

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]


class ViewKind(IntEnum):
    """How a node handles what is missing; the values are those of the compiled form."""

    NONE = 0
    NAN_LEFT = 1
    NAN_RIGHT = 2
    ZERO_LEFT = 3
    ZERO_RIGHT = 4
    CATEGORY = 5


class Transform(IntEnum):
    """From the sum of leaves to the prediction; the values are those of the compiled form."""

    IDENTITY = 0
    SIGMOID = 1
    SOFTMAX = 2
    EXPONENTIAL = 3
    SIGNED_SQUARE = 4
    SOFTPLUS = 5


@dataclass(frozen=True, kw_only=True)
class ImportedEnsemble:
    """Trees one after another; a node goes left where ``x <= threshold``, or x is in its set.

    Splits of tree t are ``[split_offsets[t], split_offsets[t + 1])``, leaves alike. A child
    ``c >= 0`` is split c of the same tree, ``c < 0`` its leaf ``~c``; the root is split 0, or leaf
    0 of a tree without splits. Split i of kind CATEGORY holds the categories
    ``[category_offsets[i], category_offsets[i + 1])``, which go left.
    """

    source: str
    objective: str
    feature_names: tuple[str, ...]
    n_outputs: int
    transform: Transform
    scale: float
    average: bool
    split_offsets: IntArray
    leaf_offsets: IntArray
    features: IntArray
    kinds: IntArray
    thresholds: FloatArray
    left: IntArray
    right: IntArray
    leaf_values: FloatArray
    category_offsets: IntArray
    categories: IntArray

    @property
    def n_trees(self) -> int:
        """Number of trees over all outputs."""
        return len(self.split_offsets) - 1
