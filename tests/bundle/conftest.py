"""Small bundles with a real model, features and index."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from ingredients import Ingredients

import shortlist
from shortlist import features as f

N_ITEMS, N_USERS, DIM = 60, 20, 8


@pytest.fixture(scope="session")
def ingredients(tmp_path_factory: pytest.TempPathFactory) -> Ingredients:
    random = np.random.default_rng(7)
    n = 400
    frame = {
        "user.age": random.integers(18, 80, n).astype(float),
        "context.hour": random.integers(0, 24, n).astype(float),
        "item.price": random.random(n),
        "item.genre": [["jazz", "blues", None][i % 3] for i in range(n)],
        "similarity": random.standard_normal(n),
    }
    features = f.FeatureSet(
        [
            f.Numeric("user.age", scale="standard"),
            f.Numeric("context.hour"),
            f.Numeric("item.price"),
            f.Categorical("item.genre"),
            f.Cross("user.age", "item.genre", buckets=100),
            f.Similarity(),
        ]
    ).fit(frame)
    rows = features.transform(frame).dense
    target = frame["item.price"] + 0.3 * frame["similarity"] + 0.1 * random.random(n)
    data = lightgbm.Dataset(rows, label=target, feature_name=list(features.names))
    booster = lightgbm.train(
        {"objective": "regression", "num_leaves": 7, "verbose": -1, "num_threads": 1}, data, 10
    )
    model = tmp_path_factory.mktemp("model") / "model.txt"
    booster.save_model(model)
    ids = np.arange(N_ITEMS) * 3 + 100
    shuffled = random.permutation(N_ITEMS)
    items = {
        "id": ids[shuffled],
        "price": random.random(N_ITEMS),
        "genre": [["jazz", "blues", None][i % 3] for i in range(N_ITEMS)],
        "tags": [["old", "new"][: i % 3] for i in range(N_ITEMS)],
        "sold": random.integers(0, 9, N_ITEMS),
    }
    users = {
        "id": [f"u{i}" for i in range(N_USERS)],
        "age": random.integers(18, 80, N_USERS),
        "vector": random.standard_normal((N_USERS, DIM)),
    }
    vectors = random.standard_normal((N_ITEMS, DIM)).astype(np.float32)
    index = shortlist.Index.build(vectors, ids=ids, metric="cosine")
    return Ingredients(model, features, index, items, users, frame)


@pytest.fixture(scope="session")
def packed(ingredients: Ingredients, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version v1 of a bundle with every part; tests must not write into it."""
    root = tmp_path_factory.mktemp("bundles") / "movies"
    return shortlist.pack(root, **ingredients.everything())


@pytest.fixture
def copied(packed: Path, tmp_path: Path) -> Path:
    """A copy of that version, to be damaged."""
    target = tmp_path / "movies" / "v1"
    shutil.copytree(packed, target)
    return target


@pytest.fixture
def refused() -> Callable[[Path], str]:
    """Message with which both `verify` and `Engine.load` refuse a bundle."""

    def check(path: Path) -> str:
        with pytest.raises(shortlist.ShortlistError) as by_engine:
            shortlist.Engine.load(path)
        with pytest.raises(shortlist.ShortlistError) as by_verify:
            shortlist.verify(path)
        assert type(by_engine.value) is type(by_verify.value)
        return str(by_verify.value)

    return check
