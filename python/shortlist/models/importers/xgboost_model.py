"""What every format of XGBoost's models says, and the ensemble that it makes.

Scores are those of the version that wrote the file: in float32 from the base margin on, tree after
tree; before 1.3, and before 1.4 with dart, from 0, and the base margin is added last.

Source: XGBoost src/learner.cc, src/gbm/ and src/predictor/cpu_predictor.cc of 0.90 to 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import CategoryName, ImportedEnsemble, Transform
from shortlist.models.importers.xgboost_nodes import SplitsAndLeaves, Trees
from shortlist.models.importers.xgboost_objective import base_margins, classes_of, transform_of

__all__ = ["MAX_NAMELESS_FEATURES", "NEWEST", "XGBoostModel", "feature_names_of", "to_ensemble"]

IntArray = NDArray[np.int64]

MAX_NAMELESS_FEATURES = 2**20
NEWEST = (2**31 - 1,)  # the version where a file does not tell
_BASE_FIRST_SINCE, _BASE_FIRST_IN_DART_SINCE = (1, 3), (1, 4)


@dataclass(frozen=True, kw_only=True)
class XGBoostModel:
    """A model as read: sizes agree with the file's bytes, numbers are not checked yet."""

    source: str  # the format, for messages
    version: tuple[int, ...]
    objective: str
    feature_names: tuple[str, ...]
    n_outputs: int
    base_scores: NDArray[np.float32]  # one, or one an output
    base_is_margin: bool = False  # or in the scale of predictions
    trees: Trees | None = None
    tree_outputs: IntArray | None = None
    round_offsets: IntArray | None = None
    trees_a_round: int = 1  # of each output, where round_offsets is None
    tree_weights: NDArray[np.float32] | None = None
    linear_weights: NDArray[np.float32] | None = None  # features by outputs, then the biases
    best_iteration: int | None = None
    category_names: Mapping[int, tuple[CategoryName, ...]] = field(default_factory=dict)


def feature_names_of(names: tuple[str, ...], n_features: int, source: str) -> tuple[str, ...]:
    """Return the names of the features: f0, f1, ... where the file has none.

    Raises
    ------
    FormatError, UnsupportedError
    """
    if names:
        if len(names) != n_features:
            raise FormatError(
                f"{source}: feature_names lists {len(names)} names, "
                f"expected num_feature = {n_features}"
            )
        return names
    if n_features < 1:
        raise FormatError(f"{source}: num_feature is {n_features}, expected at least 1")
    if n_features > MAX_NAMELESS_FEATURES:
        raise UnsupportedError(
            f"{source}: num_feature is {n_features} without feature_names; "
            f"{MAX_NAMELESS_FEATURES} are handled"
        )
    return tuple(f"f{i}" for i in range(n_features))


def to_ensemble(model: XGBoostModel) -> ImportedEnsemble:
    """Return the ensemble.

    Raises
    ------
    FormatError, UnsupportedError
    """
    scores = model.base_scores
    if not np.isfinite(scores).all():
        raise FormatError(f"{model.source}: base_score is not finite")
    if scores.size not in (1, model.n_outputs):
        raise FormatError(
            f"{model.source}: base_score has {scores.size} values, expected 1 or {model.n_outputs}"
        )
    if model.trees is None:
        return _linear(model)
    return _boosted(model, model.trees)


def _boosted(model: XGBoostModel, trees: Trees) -> ImportedEnsemble:
    source = model.source
    if not len(trees):
        raise FormatError(f"{source}: it holds no trees")
    parts = trees.splits_and_leaves()
    vectors = parts.leaf_values.ndim == 2
    if vectors and parts.leaf_values.shape[1] != model.n_outputs:
        raise FormatError(
            f"{source}: leaves have {parts.leaf_values.shape[1]} values, expected one for each of "
            f"{model.n_outputs} outputs"
        )
    if not vectors and model.n_outputs > len(trees):
        raise FormatError(f"{source}: {model.n_outputs} outputs, yet {len(trees)} trees")
    outputs = _tree_outputs(model, len(trees))
    rounds = _round_offsets(model, outputs)
    if model.best_iteration is not None and not 0 <= model.best_iteration < rounds.size - 1:
        raise FormatError(
            f"{source}: attribute best_iteration is {model.best_iteration}, "
            f"expected one of {rounds.size - 1} rounds from 0"
        )
    margins = np.broadcast_to(_margins(model), model.n_outputs).astype(np.float64)
    dart = model.tree_weights is not None
    base_first = model.version >= (_BASE_FIRST_IN_DART_SINCE if dart else _BASE_FIRST_SINCE)
    return ImportedEnsemble(
        source="xgboost",
        objective=model.objective,
        feature_names=model.feature_names,
        n_outputs=model.n_outputs,
        transform=transform_of(model.objective, model.version),
        split_offsets=parts.split_offsets,
        leaf_offsets=parts.leaf_offsets,
        features=parts.features,
        kinds=parts.kinds,
        thresholds=parts.thresholds,
        left=parts.left,
        right=parts.right,
        leaf_values=_weighted(model, parts),
        category_offsets=parts.category_offsets,
        categories=parts.categories.astype(np.float64),
        missing_left=parts.missing_left,
        round_offsets=rounds,
        tree_outputs=None if vectors else outputs,
        leaf_ids=parts.leaf_ids,
        float32=True,
        float32_input=True,
        base=margins if base_first else None,
        bias=None if base_first else margins,
        absent=np.nan,
        best_iteration=model.best_iteration,
        category_names=model.category_names,
        classes=classes_of(model.objective, model.n_outputs),
    )


def _linear(model: XGBoostModel) -> ImportedEnsemble:
    source, n_features = model.source, len(model.feature_names)
    weights = model.linear_weights
    if weights is None or weights.size != (n_features + 1) * model.n_outputs:
        raise FormatError(
            f"{source}: gblinear has {0 if weights is None else weights.size} weights, expected "
            f"(num_feature + 1) x {model.n_outputs} = {(n_features + 1) * model.n_outputs}"
        )
    if not np.isfinite(weights).all():
        raise FormatError(f"{source}: weights of gblinear are not all finite")
    table = weights.reshape(n_features + 1, model.n_outputs)
    none = np.zeros(0, dtype=np.int64)
    offsets = np.zeros(1, dtype=np.int64)
    # gblinear takes the first base score for every output.
    with np.errstate(over="ignore"):
        base = table[-1] + _margins(model)[0]
    if not np.isfinite(base).all():
        raise FormatError(f"{source}: bias and base_score of gblinear add up to no finite number")
    return ImportedEnsemble(
        source="xgboost",
        objective=model.objective,
        feature_names=model.feature_names,
        n_outputs=model.n_outputs,
        transform=transform_of(model.objective, model.version),
        split_offsets=offsets,
        leaf_offsets=offsets,
        features=none,
        kinds=none,
        thresholds=np.zeros(0),
        left=none,
        right=none,
        leaf_values=np.zeros(0),
        category_offsets=offsets,
        categories=np.zeros(0),
        round_offsets=np.zeros(2, dtype=np.int64),  # all in one round
        linear_weights=np.ascontiguousarray(table[:-1]),
        float32=True,
        float32_input=True,
        base=base.astype(np.float64),
        absent=np.nan,
        category_names=model.category_names,
        classes=classes_of(model.objective, model.n_outputs),
    )


def _margins(model: XGBoostModel) -> NDArray[np.float32]:
    scores = model.base_scores
    if model.base_is_margin:
        return scores
    if transform_of(model.objective, model.version) is Transform.FLOAT32_SOFTPLUS_STEPS:
        scores = np.broadcast_to(scores, model.n_outputs).astype(np.float32)
    return base_margins(scores, model.objective, model.version, model.source)


def _tree_outputs(model: XGBoostModel, n_trees: int) -> IntArray:
    outputs = model.tree_outputs
    if outputs is None:
        return np.arange(n_trees) % model.n_outputs
    if outputs.size != n_trees:
        raise FormatError(
            f"{model.source}: tree_info has {outputs.size} values, expected {n_trees}, one a tree"
        )
    bad = (outputs < 0) | (outputs >= model.n_outputs)
    if bad.any():
        t = int(np.argmax(bad))
        raise FormatError(
            f"{model.source}: tree_info gives tree {t} output {outputs[t]} of {model.n_outputs}"
        )
    return outputs


def _round_offsets(model: XGBoostModel, outputs: IntArray) -> IntArray:
    n_trees = outputs.size
    offsets = model.round_offsets
    if offsets is None:
        each = model.trees_a_round * (int(outputs.max()) + 1)
        if n_trees % each != 0:
            raise FormatError(
                f"{model.source}: {n_trees} trees are no multiple of num_parallel_tree x outputs "
                f"= {each}"
            )
        return np.arange(0, n_trees + 1, each)
    if (
        not offsets.size
        or offsets[0] != 0
        or offsets[-1] != n_trees
        or (np.diff(offsets) < 0).any()
    ):
        raise FormatError(
            f"{model.source}: iteration_indptr does not ascend from 0 to num_trees = {n_trees}"
        )
    return offsets


def _weighted(model: XGBoostModel, parts: SplitsAndLeaves) -> NDArray[np.float64]:
    """Leaves times the weight of their tree, rounded as XGBoost does before it adds them."""
    values = parts.leaf_values
    weights = model.tree_weights
    if weights is not None:
        counts = np.diff(parts.leaf_offsets)
        if weights.size != counts.size:
            raise FormatError(
                f"{model.source}: weight_drop has {weights.size} values, "
                f"expected {counts.size}, one a tree"
            )
        factors = np.repeat(weights, counts)
        with np.errstate(all="ignore"):
            values = values * (factors if values.ndim == 1 else factors[:, None])
        if not np.isfinite(values).all():
            raise FormatError(f"{model.source}: weight_drop makes leaf values that are not finite")
    return values.astype(np.float64)
