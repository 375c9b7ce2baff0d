"""The ranker: LightGBM's LambdaMART, taught at earlier moments what people liked next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from shortlist.demo.attributes import Columns, item_columns, user_columns
from shortlist.demo.dataset import Dataset
from shortlist.demo.definition import categorical_names, frame
from shortlist.demo.split import Moment
from shortlist.demo.vectors import Vectors
from shortlist.features import FeatureSet

__all__ = ["N_TREES", "Examples", "Scene", "examples", "train"]

N_TREES = 120
#: Films a person has not rated, drawn beside those they liked. They are drawn from the whole
#: catalogue: were they the retrieved ones alone, being retrieved would speak against a film.
N_NEGATIVES = 300
SEED = 7
PARAMETERS: dict[str, object] = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 30,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 50,
    "max_bin": 63,
    "lambda_l2": 5.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    # Codes without an order overfit quickly: there are only a few hundred people to learn from.
    "cat_smooth": 200.0,
    "cat_l2": 200.0,
    "min_data_per_group": 2000,
    "max_cat_threshold": 8,
    "num_threads": 1,
    "seed": SEED,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Scene:
    """A moment, with the vectors and the columns of both tables as they were then."""

    at: Moment
    vectors: Vectors
    users: Columns
    items: Columns

    @classmethod
    def of(cls, data: Dataset, at: Moment, vectors: Vectors) -> Scene:
        """Make the columns from what is known at the moment alone."""
        return cls(at, vectors, user_columns(data, at), item_columns(data, at))

    def reference(self, *, n_rows: int) -> dict[str, NDArray[np.generic]]:
        """Draw random pairs of the people asked for and films they have not rated."""
        random = np.random.default_rng(SEED)
        user, item = np.nonzero(~self.at.seen[self.at.users])
        drawn = np.sort(random.choice(len(user), min(n_rows, len(user)), replace=False))
        pairs = {"user": self.at.users[user[drawn]], "item": item[drawn]}
        return frame(self.users, self.items, self.vectors, **pairs)

    def matrix(
        self, features: FeatureSet, *, user: NDArray[np.int64], item: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Features of pairs of rows, shape (n, features)."""
        pairs = frame(self.users, self.items, self.vectors, user=user, item=item)
        return features.transform(pairs).dense


@dataclass(frozen=True)
class Examples:
    """Rows to learn from: features, 1 where liked, and the number of rows of each person."""

    rows: NDArray[np.float32]
    liked: NDArray[np.bool_]
    group_sizes: list[int]


def examples(scene: Scene, features: FeatureSet, *, seed: int) -> Examples:
    """Take, for each person to rank for, what they liked next and a sample of what they left."""
    random = np.random.default_rng(seed)
    at = scene.at
    items = []
    for user in at.users:
        liked = np.flatnonzero(at.liked[user])
        left = np.flatnonzero(~(at.liked[user] | at.seen[user]))
        sample = random.choice(left, min(N_NEGATIVES, len(left)), replace=False)
        items.append(np.sort(np.concatenate([liked, sample])))
    sizes = [len(group) for group in items]
    item = np.concatenate(items)
    user = np.repeat(at.users, sizes)
    return Examples(scene.matrix(features, user=user, item=item), at.liked[user, item], sizes)


def train(
    parts: list[Examples], features: FeatureSet, *, on_tree: Callable[[], None]
) -> lightgbm.Booster:
    """Train on examples of several moments.

    Parameters
    ----------
    parts
        At least one, with at least one row.
    features
        What made the rows; the model keeps the names.
    on_tree
        Called after each of the `N_TREES`.
    """
    rows = lightgbm.Dataset(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.liked for part in parts]).astype(np.int32),
        group=[size for part in parts for size in part.group_sizes],
        feature_name=features.names,
        categorical_feature=categorical_names(features),
        params=PARAMETERS,
    )
    return lightgbm.train(
        PARAMETERS, rows, num_boost_round=N_TREES, callbacks=[lambda _: on_tree()]
    )
