"""The document that XGBoost saves as JSON or UBJSON, schemas 1.0 to 3.x, into a model.

Source: XGBoost src/learner.cc, src/gbm/gbtree_model.cc, src/gbm/gblinear_model.cc,
src/tree/tree_model.cc, src/tree/multi_target_tree_model.cc and src/data/cat_container.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import CategoryName, ImportedEnsemble
from shortlist.models.importers.xgboost_model import (
    NEWEST,
    XGBoostModel,
    feature_names_of,
    to_ensemble,
)
from shortlist.models.importers.xgboost_nodes import CategorySets, Nodes, Trees
from shortlist.models.importers.xgboost_numbers import integer_of, scores_of
from shortlist.models.importers.xgboost_schema import (
    Booster,
    BoosterModel,
    Categories,
    CategoryColumn,
    Document,
    Tree,
    VectorTree,
)

__all__ = ["ensemble_of"]

TreeT = TypeVar("TreeT")

_LARGEST = 2**31 - 1
_UNSIGNED_BITS = {10: 8, 12: 16, 14: 32, 16: 64}  # of category types that UBJSON holds as signed
_FLOATS = (7, 8)


@dataclass(frozen=True)
class _Source(Generic[TreeT]):
    name: str
    tree: Callable[[TreeT, type[Tree]], Tree]


def ensemble_of(
    document: Document[TreeT], source: str, tree: Callable[[TreeT, type[Tree]], Tree]
) -> ImportedEnsemble:
    """Return the ensemble of a document.

    Parameters
    ----------
    document : as the file's reader returns it.
    source : what messages call the format.
    tree : decodes one tree as the kind of tree that is asked for.

    Raises
    ------
    FormatError, UnsupportedError
    """
    return to_ensemble(_model(document, _Source(source, tree)))


def _model(document: Document[TreeT], source: _Source[TreeT]) -> XGBoostModel:
    learner, where = document.learner, source.name
    param, booster = learner.learner_model_param, learner.gradient_booster
    n_features = integer_of(param.num_feature, f"{where}: num_feature", 0, 2**32 - 1)
    n_classes = integer_of(param.num_class, f"{where}: num_class", 0, _LARGEST)
    n_targets = integer_of(param.num_target, f"{where}: num_target", 0, _LARGEST)
    if n_classes > 1 and n_targets > 1:
        raise FormatError(f"{where}: num_class is {n_classes} and num_target {n_targets}")
    common = {
        "source": where,
        "version": tuple(document.version) or NEWEST,
        "objective": learner.objective.name,
        "feature_names": feature_names_of(tuple(learner.feature_names), n_features, where),
        "n_outputs": max(n_classes, n_targets, 1),
        "base_scores": scores_of(param.base_score, f"{where}: base_score"),
    }
    if booster.name == "gblinear":
        if booster.model is None or booster.model.weights is None:
            raise FormatError(f"{where}: gradient_booster: the weights of gblinear are missing")
        weights = booster.model.weights.float32()
        return XGBoostModel(**common, linear_weights=weights)  # type: ignore[arg-type]
    inner, weight_drop = _tree_booster(booster, where)
    trees = _trees(inner, n_features, source)
    param_of_trees = inner.gbtree_model_param
    parallel = "1" if param_of_trees is None else param_of_trees.num_parallel_tree
    best = learner.attributes.get("best_iteration")
    return XGBoostModel(
        **common,  # type: ignore[arg-type]
        trees=trees,
        tree_outputs=None if inner.tree_info is None else inner.tree_info.values,
        round_offsets=None if inner.iteration_indptr is None else inner.iteration_indptr.values,
        trees_a_round=integer_of(parallel, f"{where}: num_parallel_tree", 1, _LARGEST),
        tree_weights=weight_drop,
        best_iteration=None
        if best is None
        else integer_of(best, f"{where}: attribute best_iteration", 0, _LARGEST),
        category_names=_category_names(inner.cats, n_features, where),
    )


def _tree_booster(
    booster: Booster[TreeT], where: str
) -> tuple[BoosterModel[TreeT], NDArray[np.float32] | None]:
    """Return the trees' model and their weights, which stand beside, around or in it."""
    if booster.name not in ("gbtree", "dart"):
        raise UnsupportedError(f"{where}: gradient_booster {booster.name[:60]!r} is not known")
    found = [booster.weight_drop]
    model = booster.model
    if booster.name == "dart":
        if booster.gbtree is None:
            raise FormatError(f"{where}: gradient_booster: the gbtree of dart is missing")
        model = booster.gbtree.model
    if model is None:
        raise FormatError(f"{where}: gradient_booster: the model of gbtree is missing")
    found.append(model.weight_drop)
    weights = next((weights.float32() for weights in found if weights is not None), None)
    if weights is not None and not weights.size:
        weights = None
    return model, weights


def _trees(model: BoosterModel[TreeT], n_features: int, source: _Source[TreeT]) -> Trees:
    where = source.name
    if model.trees is None or model.gbtree_model_param is None:
        raise FormatError(f"{where}: model: trees or gbtree_model_param are missing")
    declared = integer_of(model.gbtree_model_param.num_trees, f"{where}: num_trees", 0, _LARGEST)
    if declared != len(model.trees):
        raise FormatError(
            f"{where}: num_trees is {declared}, yet there are {len(model.trees)} trees"
        )
    trees = Trees(where, n_features)
    for t, raw in enumerate(model.trees):
        trees.add(_nodes(raw, t, source))
    return trees


def _nodes(raw: TreeT, t: int, source: _Source[TreeT]) -> Nodes:
    where = f"{source.name}: tree {t}"
    try:
        tree = source.tree(raw, Tree)
        width = integer_of(
            tree.tree_param.size_leaf_vector, f"{where}: size_leaf_vector", 0, _LARGEST
        )
        if width > 1:
            tree = source.tree(raw, VectorTree)
    except msgspec.MsgspecError as error:
        raise FormatError(f"{where}: {error}") from None
    if tree.id is not None and tree.id != t:
        raise FormatError(f"{where}: id is {tree.id}, expected {t}")
    n_nodes = integer_of(tree.tree_param.num_nodes, f"{where}: num_nodes", 1, _LARGEST)
    if tree.left_children.values.size != n_nodes:
        raise FormatError(
            f"{where}: left_children has {tree.left_children.values.size} values, "
            f"expected num_nodes = {n_nodes}"
        )
    vectors, rows = _vectors(tree, width, where)
    deleted = tree.tree_param.num_deleted
    return Nodes(
        left=tree.left_children.values,
        right=tree.right_children.values,
        features=tree.split_indices.values,
        conditions=tree.split_conditions.float32(),
        default_left=tree.default_left.values == 1,
        split_types=None if tree.split_type is None else tree.split_type.values,
        sets=_sets(tree),
        vectors=vectors,
        vector_rows=rows,
        n_deleted=None
        if deleted is None
        else integer_of(deleted, f"{where}: num_deleted", 0, _LARGEST),
    )


def _sets(tree: Tree) -> CategorySets | None:
    if tree.categories_nodes is None:
        return None
    none = np.zeros(0, dtype=np.int64)
    begins, sizes, values = (
        none if part is None else part.values
        for part in (tree.categories_segments, tree.categories_sizes, tree.categories)
    )
    return CategorySets(
        nodes=tree.categories_nodes.values, begins=begins, sizes=sizes, values=values
    )


def _vectors(
    tree: Tree, width: int, where: str
) -> tuple[NDArray[np.float32] | None, NDArray[np.int64] | None]:
    if not isinstance(tree, VectorTree):
        return None, None
    n_nodes = tree.left_children.values.size
    if tree.leaf_weights is not None:  # a leaf's right child is the row of its vector
        name, numbers, rows = (
            "leaf_weights",
            tree.leaf_weights.float32(),
            tree.right_children.values,
        )
        n_rows = int(np.count_nonzero(tree.left_children.values == -1))
    else:
        name, numbers, rows = "base_weights", tree.base_weights.float32(), np.arange(n_nodes)
        n_rows = n_nodes
    if numbers.size != n_rows * width:
        raise FormatError(
            f"{where}: {name} has {numbers.size} values, expected {n_rows} vectors of "
            f"size_leaf_vector = {width}"
        )
    return numbers.reshape(n_rows, width), rows


def _category_names(
    cats: Categories | None, n_features: int, where: str
) -> dict[int, tuple[CategoryName, ...]]:
    names: dict[int, tuple[CategoryName, ...]] = {}
    if cats is None:
        return names
    if len(cats.enc) not in (0, n_features):
        raise FormatError(
            f"{where}: cats lists {len(cats.enc)} features, expected num_feature = {n_features}"
        )
    for feature, column in enumerate(cats.enc):
        found = _names_of(column, f"{where}: cats of feature {feature}")
        if found:
            names[feature] = found
    return names


def _names_of(column: CategoryColumn, where: str) -> tuple[CategoryName, ...]:
    """Return the categories in the order of their codes.

    XGBoost 3.1 and 3.2 cut text that is not ASCII; a feature with such a category has no names.
    """
    values = column.values.values
    if column.offsets is None:
        if column.type in _FLOATS:
            raise UnsupportedError(f"{where}: categories that are real numbers are not handled")
        bits = _UNSIGNED_BITS.get(-1 if column.type is None else column.type, 0)
        return tuple(int(value) % (1 << bits) if bits else int(value) for value in values)
    offsets = column.offsets.values
    if not offsets.size:
        return ()
    if offsets[0] != 0 or offsets[-1] != values.size or (np.diff(offsets) < 0).any():
        raise FormatError(f"{where}: offsets do not ascend from 0 to {values.size}, the bytes")
    if ((values < -128) | (values > 255)).any():
        raise FormatError(f"{where}: values are not all bytes")
    text = (values & 0xFF).astype(np.uint8).tobytes()
    pairs = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    try:
        return tuple(text[begin:end].decode() for begin, end in pairs)
    except UnicodeDecodeError:
        return ()
