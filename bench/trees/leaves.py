"""How full a model's trees are, read from its file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Shape:
    """Counts over all trees of a model."""

    n_trees: int
    n_leaves: int
    n_categorical_splits: int

    def __str__(self) -> str:
        mean = self.n_leaves / self.n_trees
        text = f"{self.n_trees} trees of {mean:.1f} leaves on average"
        if self.n_categorical_splits:
            text += f", {self.n_categorical_splits} categorical splits"
        return text


def shape_of(path: Path, library: str) -> Shape:
    """Counts of a LightGBM text, an XGBoost JSON or a CatBoost binary file."""
    return {"lightgbm": _lightgbm, "xgboost": _xgboost, "catboost": _catboost}[library](path)


def _lightgbm(path: Path) -> Shape:
    text = path.read_text()
    leaves = [int(n) for n in re.findall(r"^num_leaves=(\d+)$", text, re.MULTILINE)]
    categorical = re.findall(r"^num_cat=(\d+)$", text, re.MULTILINE)
    return Shape(len(leaves), sum(leaves), sum(map(int, categorical)))


def _xgboost(path: Path) -> Shape:
    booster = json.loads(path.read_text())["learner"]["gradient_booster"]
    trees = booster.get("model", booster)["trees"]
    leaves = [tree["left_children"].count(-1) for tree in trees]
    return Shape(len(trees), sum(leaves), sum(len(t.get("categories_nodes", ())) for t in trees))


def _catboost(path: Path) -> Shape:
    from catboost import CatBoost

    leaves = CatBoost().load_model(str(path)).get_tree_leaf_counts()
    return Shape(len(leaves), int(leaves.sum()), 0)
