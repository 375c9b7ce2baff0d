"""Writes the fixture bundle of the current schema.

Usage: python tools/make_fixture_bundle.py tests/fixtures/NAME. Run once for each schema and
commit the result; tests load every fixture with every later version. Needs the extra [demo].
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import lightgbm as lgb
import numpy as np

import shortlist
from shortlist import features as f

N_ITEMS, N_USERS, DIM = 150, 20, 8


def make(target: Path) -> None:
    """Pack a small catalogue with every kind of part, and move its version to `target`."""
    rng = np.random.default_rng(1)
    genres = ["drama", "comedy", "jazz"]
    ids = [f"item-{i}" for i in range(N_ITEMS)]
    price = rng.uniform(1, 100, N_ITEMS)
    genre = [str(genre) for genre in rng.choice(genres, N_ITEMS)]
    items = {
        "id": ids,
        "price": price,
        "genre": genre,
        "tags": [list(map(str, rng.choice(["new", "sale", "rare"], 2))) for _ in range(N_ITEMS)],
    }
    age = rng.integers(18, 80, N_USERS).astype(float)
    city = [str(city) for city in rng.choice(["Łódź", "Rome"], N_USERS)]
    tastes = rng.normal(size=(N_USERS, DIM)).astype(np.float32)
    users = {"id": np.arange(N_USERS), "age": age, "city": city, "vector": tastes}
    vectors = rng.normal(size=(N_ITEMS, DIM)).astype(np.float32)
    user, item = rng.integers(N_USERS, size=2000), rng.integers(N_ITEMS, size=2000)
    frame = {
        "user.age": age[user],
        "user.city": [city[i] for i in user],
        "context.hour": rng.integers(0, 24, 2000).astype(float),
        "item.price": price[item],
        "item.genre": [genre[i] for i in item],
        "similarity": np.einsum("ij,ij->i", tastes[user], vectors[item]),
    }
    spec = f.FeatureSet(
        [
            f.Numeric("user.age", scale="standard"),
            f.Hashed("user.city", buckets=32),
            f.Numeric("context.hour"),
            f.Numeric("item.price", scale="minmax"),
            f.Categorical("item.genre"),
            f.Cross("user.city", "item.genre", buckets=64),
            f.Similarity(),
        ]
    ).fit(frame)
    dense = spec.transform(frame).dense
    clicked = dense[:, -1] + rng.normal(size=2000) > 0
    parameters = {"objective": "binary", "num_leaves": 7, "verbose": -1, "seed": 1}
    dataset = lgb.Dataset(dense, clicked, feature_name=list(spec.names))
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.txt"
        lgb.train(parameters, dataset, 12).save_model(model)
        version = shortlist.pack(
            Path(folder) / "fixture",
            retriever=shortlist.Index.build(vectors, ids=ids, metric="cosine"),
            features=spec,
            ranker=model,
            items=items,
            users=users,
            popularity=np.arange(N_ITEMS)[::-1].astype(float),
            n_candidates=50,
            reference=frame,
        )
        shutil.copytree(version, target)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
