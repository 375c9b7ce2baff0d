"""The members of XGBoost's JSON and UBJSON documents that predictions need, schemas 1.0 to 3.x.

Whatever else stands in a document is passed over.

Source: XGBoost doc/model.schema, and the sources that importers/xgboost_document.py names.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from shortlist.models.importers.xgboost_numbers import Integers, Numbers

__all__ = [
    "Booster",
    "BoosterModel",
    "BoosterParam",
    "Categories",
    "CategoryColumn",
    "Document",
    "Learner",
    "LearnerParam",
    "Objective",
    "Tree",
    "TreeBooster",
    "TreeParam",
    "VectorTree",
]

TreeT = TypeVar("TreeT")


class TreeParam(msgspec.Struct):
    """Sizes of a tree, as text."""

    num_nodes: str
    num_deleted: str | None = None  # since 1.3
    size_leaf_vector: str = "0"


class Tree(msgspec.Struct):
    """One tree; statistics that do not take part in predictions are passed over."""

    tree_param: TreeParam
    left_children: Integers
    right_children: Integers
    split_indices: Integers
    split_conditions: Numbers
    default_left: Integers
    id: int | None = None
    split_type: Integers | None = None
    categories: Integers | None = None
    categories_nodes: Integers | None = None
    categories_segments: Integers | None = None
    categories_sizes: Integers | None = None


class VectorTree(Tree, kw_only=True):
    """A tree with vectors in its leaves: before 3.2 they are the base_weights of the leaves."""

    base_weights: Numbers
    leaf_weights: Numbers | None = None


class CategoryColumn(msgspec.Struct):
    """The categories of a feature in order of their codes: integers, or cut out of bytes."""

    values: Integers
    offsets: Integers | None = None
    type: int | None = None


class Categories(msgspec.Struct):
    """The categories of all features, since 3.1."""

    enc: list[CategoryColumn] = []


class BoosterParam(msgspec.Struct):
    """Counts of trees, as text."""

    num_trees: str
    num_parallel_tree: str = "1"


class BoosterModel(msgspec.Struct, Generic[TreeT]):
    """Of gbtree, or, with weights alone, of gblinear."""

    gbtree_model_param: BoosterParam | None = None
    trees: list[TreeT] | None = None
    tree_info: Integers | None = None
    iteration_indptr: Integers | None = None
    weight_drop: Numbers | None = None
    cats: Categories | None = None
    weights: Numbers | None = None


class TreeBooster(msgspec.Struct, Generic[TreeT]):
    """What dart has around the trees' model."""

    model: BoosterModel[TreeT]
    weight_drop: Numbers | None = None


class Booster(msgspec.Struct, Generic[TreeT]):
    """One of gbtree, dart and gblinear; gbtree has taken dart's weights in since 3.4."""

    name: str
    model: BoosterModel[TreeT] | None = None
    gbtree: TreeBooster[TreeT] | None = None
    weight_drop: Numbers | None = None


class LearnerParam(msgspec.Struct):
    """Sizes and the base scores, as text."""

    base_score: str
    num_feature: str
    num_class: str = "0"
    num_target: str = "1"


class Objective(msgspec.Struct):
    """The objective; its parameters do not take part in predictions."""

    name: str


class Learner(msgspec.Struct, Generic[TreeT]):
    """Everything but the version."""

    learner_model_param: LearnerParam
    gradient_booster: Booster[TreeT]
    objective: Objective
    attributes: dict[str, str] = {}
    feature_names: list[str] = []


class Document(msgspec.Struct, Generic[TreeT]):
    """The whole file; how trees stand in it before they are decoded depends on the format."""

    learner: Learner[TreeT]
    version: list[int] = []
