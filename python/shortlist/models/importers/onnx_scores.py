"""What the leaves of an ONNX tree operator add to which output, and what becomes of the sums."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shortlist.models.importers.ensemble import Aggregate, Transform
from shortlist.models.importers.onnx_attributes import TreeOperator
from shortlist.models.importers.onnx_forest import IntArray

__all__ = ["Scores", "make_scores"]

FloatArray = NDArray[np.float64]

_TRANSFORMS = {
    "NONE": Transform.IDENTITY,
    "LOGISTIC": Transform.FLOAT32_SIGNED_LOGISTIC,
    "SOFTMAX": Transform.FLOAT32_PLAIN_SOFTMAX,
    "SOFTMAX_ZERO": Transform.FLOAT32_NONZERO_SOFTMAX,
    "PROBIT": Transform.FLOAT32_PROBIT,
}
_AGGREGATES = {
    "SUM": Aggregate.SUM,
    "AVERAGE": Aggregate.SUM,
    "MIN": Aggregate.MIN,
    "MAX": Aggregate.MAX,
}
_NEUTRAL_SIGNS = {Aggregate.SUM: 0.0, Aggregate.MIN: 1.0, Aggregate.MAX: -1.0}
_FEW_VALUES = 1 << 20  # leaves times outputs that are written out whatever the number of weights
_MOST_VALUES_A_WEIGHT = 16


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The fields of ImportedEnsemble that are about outputs."""

    n_outputs: int
    leaf_values: FloatArray
    tree_outputs: IntArray | None
    bias: FloatArray | None
    transform: Transform
    aggregate: Aggregate
    average: bool


@dataclass(frozen=True, kw_only=True)
class _Weights:
    """The weights of leaves in order: leaf by leaf, and as the file has them within one."""

    n_outputs: int
    leaves: IntArray
    targets: IntArray
    values: FloatArray
    trees: IntArray  # of the leaves
    leaf_counts: IntArray  # of the trees

    def always(self) -> NDArray[np.bool_]:
        """Whether every row gets a weight for an output: some tree gives it at all its leaves."""
        pairs, counts = np.unique(
            self.trees[self.leaves] * self.n_outputs + self.targets, return_counts=True
        )
        whole = counts == self.leaf_counts[pairs // self.n_outputs]
        found = np.zeros(self.n_outputs, bool)
        found[pairs[whole] % self.n_outputs] = True
        return found

    def always_some(self) -> bool:
        """Whether every row gets a weight for some output."""
        weighty = np.unique(self.leaves)
        counts = np.bincount(self.trees[weighty], minlength=self.leaf_counts.size)
        return bool((counts == self.leaf_counts).any())

    def never(self) -> NDArray[np.bool_]:
        """Whether no leaf has a weight for an output."""
        found = np.ones(self.n_outputs, bool)
        found[self.targets] = False
        return found


def make_scores(
    operator: TreeOperator, leaf_sources: IntArray, leaf_offsets: IntArray, *, float32: bool
) -> Scores | None:
    """Distribute weights over leaves.

    Parameters
    ----------
    operator : as it was read.
    leaf_sources : the operator's leaf that each leaf of the ensemble is.
    leaf_offsets : of the ensemble.
    float32 : whether sums are in float32; a Scores for sums in float64 rounds what it returns,
        as all operators but TreeEnsemble do.

    Returns
    -------
    None where ONNX Runtime does what no ensemble does, such as another number of columns for rows
    that reach no weight of the second class.
    """
    weights = _sorted_weights(operator, leaf_sources, leaf_offsets)
    if weights is None:
        return None
    if operator.classes is not None and operator.n_outputs == 2:
        scores = _two_classes(operator, weights, len(leaf_sources))
    else:
        greatest = float(np.finfo(np.float32 if float32 else np.float64).max)
        scores = _each_output(operator, weights, len(leaf_sources), greatest)
    if scores is None or float32:
        return scores
    if scores.transform == Transform.FLOAT32_NONZERO_SOFTMAX:
        return None  # what is nearly 0 is multiplied in float64
    if scores.transform == Transform.IDENTITY and operator.name != "TreeEnsemble":
        return replace(scores, transform=Transform.FLOAT32_ROUNDED)
    return scores


def _sorted_weights(
    operator: TreeOperator, leaf_sources: IntArray, leaf_offsets: IntArray
) -> _Weights | None:
    forest = operator.forest
    order = np.argsort(forest.weight_leaves, kind="stable")
    counts = np.bincount(forest.weight_leaves, minlength=forest.leaf_ids.size)
    first = np.concatenate(([0], np.cumsum(counts)))[leaf_sources]
    counts = counts[leaf_sources]
    leaves = np.repeat(np.arange(leaf_sources.size), counts)
    within = np.arange(leaves.size) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = order[np.repeat(first, counts) + within]
    targets, values = forest.targets[chosen], forest.weights[chosen]
    if not np.isfinite(values).all():
        return None
    pairs = np.sort(leaves * operator.n_outputs + targets)
    if (pairs[1:] == pairs[:-1]).any():
        return None  # two weights for one output are added one after another
    leaf_counts = np.diff(leaf_offsets)
    return _Weights(
        n_outputs=operator.n_outputs,
        leaves=leaves,
        targets=targets,
        values=values,
        trees=np.repeat(np.arange(leaf_counts.size), leaf_counts),
        leaf_counts=leaf_counts,
    )


def _each_output(
    operator: TreeOperator, weights: _Weights, n_leaves: int, greatest: float
) -> Scores | None:
    """Return the scores of outputs that are made one like another.

    ``greatest`` is that of the numbers: it stands for no weight where the least counts.
    """
    base = operator.base
    aggregate = _AGGREGATES[operator.aggregate]
    transform = _TRANSFORMS[operator.transform]
    if operator.n_outputs == 1:
        if weights.leaves.size != n_leaves or base.size > 1:
            return None
        if transform != Transform.FLOAT32_PROBIT:  # the only one that is made of one number
            transform = Transform.IDENTITY
        return _scores(operator, weights.values, None, base, transform)
    always, never = weights.always(), weights.never()
    # Base values are left out of a regressor's outputs without a weight, as is what is no sum.
    if base.size and operator.classes is None:
        needed = np.ones(never.size, bool)
    else:
        needed = np.full(never.size, aggregate != Aggregate.SUM) & ~never
    refused = operator.classes is not None and not base.size and not weights.always_some()
    if refused or not always[needed].all():  # rows that score for no class are refused
        return None
    single = _single_outputs(weights, n_leaves) if aggregate == Aggregate.SUM else None
    if single is not None:
        return _scores(operator, weights.values, single, base, transform)
    values = _dense(weights, n_leaves, _NEUTRAL_SIGNS[aggregate] * greatest)
    if values is None:
        return None
    values[:, never] = 0.0
    return _scores(operator, values, None, base, transform)


def _two_classes(operator: TreeOperator, weights: _Weights, n_leaves: int) -> Scores | None:
    """Two columns of what ONNX Runtime makes from one sum, or from one for each class."""
    base = operator.base
    transform = _TRANSFORMS[operator.transform]
    if base.size == 2:
        return None  # then weights of the second class count nothing
    never, always = weights.never(), weights.always()
    if always[1] and (always[0] or base.size == 0):
        dense = _dense(weights, n_leaves, 0.0)
        two = np.append(base, 0.0) if base.size else base
        return None if dense is None else _scores(operator, dense, None, two, transform)
    if not never[1] or not operator.one_class or transform == Transform.FLOAT32_PROBIT:
        return None
    if base.size and not always[0]:
        return None  # a row without a weight gets no base value either
    sums = np.zeros(n_leaves)
    sums[weights.leaves] = weights.values
    if transform != Transform.FLOAT32_SIGNED_LOGISTIC:
        positive = not operator.any_negative
        transform = Transform.FLOAT32_COMPLEMENT if positive else Transform.IDENTITY
    two = np.concatenate((-base, base))
    return _scores(operator, np.column_stack((-sums, sums)), None, two, transform)


def _scores(
    operator: TreeOperator,
    leaf_values: FloatArray,
    tree_outputs: IntArray | None,
    base: FloatArray,
    transform: Transform,
) -> Scores:
    return Scores(
        n_outputs=operator.n_outputs,
        leaf_values=leaf_values,
        tree_outputs=tree_outputs,
        bias=base if base.any() else None,
        transform=transform,
        aggregate=_AGGREGATES[operator.aggregate],
        average=operator.aggregate == "AVERAGE",
    )


def _single_outputs(weights: _Weights, n_leaves: int) -> IntArray | None:
    """Return the output of each tree where all leaves of it give one number to the same."""
    if weights.leaves.size != n_leaves:
        return None
    first = np.cumsum(weights.leaf_counts) - weights.leaf_counts
    outputs = weights.targets[first]
    if not np.array_equal(weights.targets, outputs[weights.trees[weights.leaves]]):
        return None
    if not np.array_equal(weights.leaves, np.arange(n_leaves)):
        return None
    return np.asarray(outputs)


def _dense(weights: _Weights, n_leaves: int, fill: float) -> FloatArray | None:
    size = n_leaves * weights.n_outputs
    if size > max(_FEW_VALUES, _MOST_VALUES_A_WEIGHT * weights.values.size):
        return None
    values = np.full((n_leaves, weights.n_outputs), fill)
    values[weights.leaves, weights.targets] = weights.values
    return values
