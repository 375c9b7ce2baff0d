"""A small catalogue, a ranker trained on its features, and the bundle of the two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

import shortlist
from shortlist import features as f

N_ITEMS, N_USERS, DIM = 700, 60, 24
GENRES = ["drama", "comedy", "jazz", "noir"]


@dataclass
class Catalogue:
    items: dict[str, object]
    users: dict[str, object]
    vectors: np.ndarray
    features: f.FeatureSet
    booster: lgb.Booster
    path: Path
    train: dict[str, object]

    def frame(self, user: int | None, rows, similarity, **overrides) -> dict[str, object]:
        """The frame of one user's candidates, as offline code would build it."""
        n = len(rows)
        columns: dict[str, object] = {}
        for name in ("age", "city"):
            value = None if user is None else self.users[name][user]
            value = overrides.get(f"user.{name}", value)
            columns[f"user.{name}"] = [value] * n
        columns["context.hour"] = [overrides.get("context.hour")] * n
        for name in ("price", "genre", "year"):
            columns[f"item.{name}"] = [self.items[name][row] for row in rows]
        columns["item.bm25"] = overrides.get("item.bm25", [None] * n)
        columns["similarity"] = np.asarray(similarity, dtype=np.float32)
        return columns


def feature_set() -> f.FeatureSet:
    return f.FeatureSet(
        [
            f.Numeric("user.age", scale="standard"),
            f.Categorical("item.genre", vocabulary=GENRES[:3]),
            f.Hashed("user.city", buckets=64),
            f.Numeric("item.price", missing=-1.0),
            f.Cross("user.city", "item.genre", buckets=256),
            f.Numeric("context.hour"),
            f.Cross("item.genre", "item.year", buckets=128),
            f.Numeric("item.bm25"),
            f.Similarity(),
        ]
    )


def text_or_none(rng, values, n, missing=0.1):
    return [None if rng.random() < missing else str(rng.choice(values)) for _ in range(n)]


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory) -> Catalogue:
    rng = np.random.default_rng(3)
    price = rng.uniform(1, 100, N_ITEMS)
    price[rng.random(N_ITEMS) < 0.1] = np.nan
    items = {
        "id": np.arange(100, 100 + N_ITEMS),
        "price": price,
        "genre": text_or_none(rng, GENRES, N_ITEMS),
        "year": rng.integers(1950, 2020, N_ITEMS),
        "popularity": rng.permutation(N_ITEMS).astype(float),
    }
    users = {
        "id": [f"u{i}" for i in range(N_USERS)],
        "age": rng.integers(18, 80, N_USERS).astype(float),
        "city": text_or_none(rng, ["Łódź", "Rome", "Oslo", "Lima"], N_USERS),
        "vector": rng.normal(size=(N_USERS, DIM)).astype(np.float32),
    }
    vectors = rng.normal(size=(N_ITEMS, DIM)).astype(np.float32)
    made = Catalogue(items, users, vectors, feature_set(), None, Path(), {})  # type: ignore[arg-type]
    n = 4000
    user, row = rng.integers(N_USERS, size=n), rng.integers(N_ITEMS, size=n)
    made.train = {
        "user.age": users["age"][user],
        "user.city": [users["city"][i] for i in user],
        "context.hour": rng.integers(0, 24, n).astype(float),
        "item.price": price[row],
        "item.genre": [items["genre"][i] for i in row],
        "item.year": items["year"][row],
        "item.bm25": np.where(rng.random(n) < 0.5, np.nan, rng.gamma(2, size=n)),
        "similarity": np.einsum("ij,ij->i", users["vector"][user], vectors[row]),
    }
    made.features = made.features.fit(made.train)
    dense = made.features.transform(made.train).dense
    label = np.nan_to_num(dense[:, -1]) + 0.02 * np.nan_to_num(dense[:, 3]) + rng.normal(size=n)
    made.booster = lgb.train(
        {"objective": "binary", "num_leaves": 15, "verbose": -1, "num_threads": 1, "seed": 1},
        lgb.Dataset(dense, label > np.median(label), feature_name=list(made.features.names)),
        40,
    )
    folder = tmp_path_factory.mktemp("engine")
    model = folder / "model.txt"
    made.booster.save_model(model)
    made.path = shortlist.pack(
        folder / "shop",
        retriever=shortlist.Index.build(vectors, ids=items["id"]),
        features=made.features,
        ranker=model,
        items=items,
        users=users,
        popularity="popularity",
        n_candidates=100,
    )
    return made


@pytest.fixture(scope="session")
def engine(catalogue) -> shortlist.Engine:
    return shortlist.Engine.load(catalogue.path)
