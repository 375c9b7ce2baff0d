"""What every importer makes of a model file: the trees as plain arrays, not yet checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist.models.importers.ctr_tables import CtrTables

__all__ = [
    "Aggregate",
    "AnyIntArray",
    "CategoryName",
    "ImportedEnsemble",
    "LinearLeaves",
    "Transform",
    "ViewKind",
    "as_less_or_equal",
]

IntArray: TypeAlias = NDArray[np.int64]
AnyIntArray: TypeAlias = NDArray[np.signedinteger[Any]]
FloatArray: TypeAlias = NDArray[np.float64]
CategoryName: TypeAlias = str | int | float | bool


class ViewKind(IntEnum):
    """How a node reads its feature; the values are those of the compiled form.

    The first five compare numbers and differ in what they take for missing. The others ask whether
    the feature's value, turned into a key, is in the node's set; a value that has no key is
    unknown, and NaN is missing.
    """

    NONE = 0  # NaN counts as 0.0
    NAN_LEFT = 1  # NaN goes left
    NAN_RIGHT = 2  # NaN goes right
    ZERO_LEFT = 3  # NaN and |x| <= 1e-35f go left
    ZERO_RIGHT = 4  # NaN and |x| <= 1e-35f go right
    CATEGORY = 5  # key: x truncated, of -1 < x < 2^31 (LightGBM)
    CATEGORY_24 = 6  # key: x truncated, of 0 <= x < 2^24 (XGBoost)
    VALUE = 7  # key: x itself
    HASHED = 8  # key: CatBoost's hash of the category; x from 2^53 up is 2^53 + 2 * that hash


class Transform(IntEnum):
    """From the sums of leaves to the prediction; the values are those of the compiled form."""

    IDENTITY = 0
    SIGMOID = 1
    SOFTMAX = 2
    EXPONENTIAL = 3
    SIGNED_SQUARE = 4
    SOFTPLUS = 5
    # In float32, as XGBoost computes them.
    FLOAT32_LOGISTIC = 16
    FLOAT32_SOFTMAX = 17
    FLOAT32_EXPONENTIAL = 18
    FLOAT32_STEP = 19  # 1 where the sum is above 0
    FLOAT32_ASCENDING = 20  # the outputs of a row, sorted
    FLOAT32_SOFTPLUS_STEPS = 21  # each output but the first is a step up from the one before it
    # In float32, as ONNX Runtime computes them.
    FLOAT32_SIGNED_LOGISTIC = 32
    FLOAT32_PLAIN_SOFTMAX = 33
    FLOAT32_NONZERO_SOFTMAX = 34  # of what is not 0
    FLOAT32_PROBIT = 35
    FLOAT32_ROUNDED = 36  # the sum itself, rounded
    FLOAT32_COMPLEMENT = 37  # the first output is 1 less the last
    CATBOOST_SOFTMAX = 48  # these by CatBoost's own approximation of exp
    CATBOOST_EXPONENTIAL = 49
    CATBOOST_MEAN_AND_VARIANCE = 50  # of two outputs, the second a logarithm of a deviation
    SOFTMAX_BY_BLOCKS = 64  # the sum as NumPy adds contiguous numbers


class Aggregate(IntEnum):
    """How the leaves of a row become one number an output; the values are those of the form."""

    SUM = 0
    MIN = 1
    MAX = 2


@dataclass(frozen=True, kw_only=True)
class LinearLeaves:
    """Leaves that are linear functions, one for each leaf of the ensemble, in the same order.

    Leaf i is ``constants[i]``, then plus ``coefficients[j] * x[features[j]]`` for j in
    ``[offsets[i], offsets[i + 1])`` in order, in float64; |x| <= 1e-35f counts as 0. Where one of
    those features is NaN the leaf's plain value stands instead.
    """

    constants: FloatArray
    offsets: IntArray
    features: IntArray
    coefficients: FloatArray


@dataclass(frozen=True, kw_only=True)
class ImportedEnsemble:
    """Trees one after another; a node goes left where ``x <= threshold``, or x is in its set.

    Splits of tree t are ``[split_offsets[t], split_offsets[t + 1])``, leaves alike. A child
    ``c >= 0`` is split c of the same tree, ``c < 0`` its leaf ``~c``; the root is split 0, or leaf
    0 of a tree without splits. Split i of a set kind (CATEGORY and above) has the keys
    ``categories[category_offsets[i]:category_offsets[i + 1]]``, which go left; what is missing goes
    left where ``missing_left[i]``, what is unknown (without a key, or with a key that neither a
    set of the feature nor ``known_categories`` names) where ``unknown_left[i]``.

    Where ``oblivious``, a tree has d splits, one a level, and 2^d leaves: split j decides bit j of
    the leaf's number, 1 for right; ``left`` and ``right`` are not looked at.

    A score is made so, in float32 throughout where ``float32``, else in float64: ``base``, then
    the leaves of each tree added in order (or the aggregate of them); divided by the number of
    rounds where ``average`` (in raw scores only where ``average_raw``); times ``sum_scale`` plus
    ``bias`` where these are not 1 and 0; then the transform.
    """

    source: str
    objective: str
    feature_names: tuple[str, ...]
    n_outputs: int
    transform: Transform
    scale: float = 1.0  # of the transform
    average: bool = False
    average_raw: bool = False

    split_offsets: IntArray
    leaf_offsets: IntArray
    features: AnyIntArray
    kinds: AnyIntArray
    thresholds: FloatArray
    left: AnyIntArray
    right: AnyIntArray
    leaf_values: FloatArray  # (n_leaves,), or (n_leaves, n_outputs) where leaves are vectors
    category_offsets: IntArray
    categories: FloatArray
    missing_left: NDArray[np.bool_] | None = None  # (n_splits,); None: nowhere
    unknown_left: NDArray[np.bool_] | None = None  # (n_splits,); None: nowhere
    known_categories: Mapping[int, FloatArray] = field(default_factory=dict)  # feature -> keys
    oblivious: bool = False

    round_offsets: IntArray | None = None  # (n_rounds + 1,) into trees; None: n_outputs trees each
    tree_outputs: IntArray | None = None  # (n_trees,); None: tree t adds to output t % n_outputs
    leaf_ids: AnyIntArray | None = (
        None  # (n_leaves,) as the library numbers them; None: within a tree
    )
    linear_leaves: LinearLeaves | None = None
    # Derived columns: split features from len(feature_names) on are their columns, in float32.
    ctrs: CtrTables | None = None
    # A linear model beside the trees: base + sum of weights[f, output] * x[f] over features that
    # are not NaN, in order of the features, in float32. Shape (n_features, n_outputs).
    linear_weights: NDArray[np.float32] | None = None

    float32: bool = False  # sums and transforms; and predictions are float32
    float32_input: bool = False  # values are rounded to float32 before anything else
    base: FloatArray | None = None  # (n_outputs,) where the sums begin; None: 0
    sum_scale: float = 1.0
    bias: FloatArray | None = None  # (n_outputs,); None: 0
    bias_of_first_round: bool = False  # bias is left out of ranges that do not begin with round 0
    aggregate: Aggregate = Aggregate.SUM
    absent: float = 0.0  # what an entry that a sparse row lacks stands for: 0.0 or NaN

    default_rounds: int | None = None  # rounds that predictions take unless told; None: all
    best_iteration: int | None = None  # the round that early stopping chose, from 0
    category_names: Mapping[int, tuple[CategoryName, ...]] = field(default_factory=dict)
    # feature -> the category whose code is 0, 1, ...
    hashed_features: tuple[int, ...] = ()  # whose categories are hashed (HASHED, or in CTRs)
    classes: tuple[CategoryName, ...] | None = None  # labels of a classifier

    @property
    def n_trees(self) -> int:
        """Number of trees over all outputs."""
        return len(self.split_offsets) - 1


def as_less_or_equal(
    thresholds: FloatArray,
    left: IntArray,
    right: IntArray,
    default_left: NDArray[np.bool_],
    *,
    float32: bool,
) -> tuple[FloatArray, IntArray, IntArray, NDArray[np.bool_]]:
    """Rewrite splits that go left where ``x < threshold`` so that ``x <= threshold`` says the same.

    Parameters
    ----------
    thresholds : none may be NaN.
    left, right : children.
    default_left : whether a missing value goes left.
    float32 : whether x and thresholds are float32 numbers.

    Returns
    -------
    The four arrays anew. Nothing is below -inf: such a split gets the threshold +inf and its
    children change sides.
    """
    dtype = np.float32 if float32 else np.float64
    with np.errstate(all="ignore"):
        below = np.nextafter(thresholds.astype(dtype), dtype(-np.inf)).astype(np.float64)
    never = thresholds == -np.inf
    below[never] = np.inf
    return (
        below,
        np.where(never, right, left),
        np.where(never, left, right),
        default_left ^ never,
    )
