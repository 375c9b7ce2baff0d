"""The features: one definition for training and serving, and the frames it is applied to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shortlist import features as f
from shortlist.demo.attributes import Columns
from shortlist.demo.dataset import Dataset
from shortlist.demo.vectors import Vectors

__all__ = ["categorical_names", "feature_set", "frame"]


def feature_set(data: Dataset) -> f.FeatureSet:
    """Return user, item, cross and similarity features; fitted, as every vocabulary is given."""
    genres = [*data.items.genre_names, "none"]
    return f.FeatureSet(
        [
            f.Numeric("user.age"),
            f.Categorical("user.gender", vocabulary=_distinct(data.users.gender)),
            f.Categorical("user.occupation", vocabulary=_distinct(data.users.occupation)),
            f.Hashed("user.area", buckets=32),
            f.Numeric("user.n_ratings"),
            f.Numeric("user.mean_stars"),
            f.Numeric("user.mean_popularity"),
            f.Numeric("user.mean_year"),
            f.Numeric("user.idle_days"),
            f.Categorical("user.favourite_genre", vocabulary=genres),
            f.Numeric("item.popularity"),
            f.Numeric("item.popularity_14d"),
            f.Numeric("item.popularity_30d"),
            f.Numeric("item.popularity_60d"),
            f.Numeric("item.trend"),
            f.Numeric("item.mean_stars"),
            f.Numeric("item.liked_share"),
            f.Numeric("item.year"),
            f.Categorical("item.genre", vocabulary=genres),
            f.Cross("user.gender", "item.genre", buckets=64),
            f.Cross("user.occupation", "item.genre", buckets=512),
            f.Cross("user.favourite_genre", "item.genre", buckets=512),
            f.Similarity(),
        ]
    )


def categorical_names(features: f.FeatureSet) -> list[str]:
    """Names of the features whose values are codes without an order."""
    return [
        feature.name
        for feature in features
        if isinstance(feature, f.Categorical | f.Hashed | f.Cross)
    ]


def frame(
    users: Columns,
    items: Columns,
    vectors: Vectors,
    *,
    user: NDArray[np.int64],
    item: NDArray[np.int64],
) -> dict[str, NDArray[np.generic]]:
    """Return the columns that the features read, for pairs of a user's row and an item's row."""
    columns: dict[str, NDArray[np.generic]] = {"similarity": vectors.similarity(user, item)}
    columns.update({f"user.{name}": values[user] for name, values in users.items()})
    columns.update({f"item.{name}": values[item] for name, values in items.items()})
    return columns


def _distinct(texts: NDArray[np.str_]) -> list[str]:
    return sorted(set(texts.tolist()))
