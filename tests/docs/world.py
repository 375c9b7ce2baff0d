"""What the pages presuppose: a small catalogue of films, people who rated them, a trained model."""

from __future__ import annotations

import shutil
from pathlib import Path

import lightgbm
import numpy as np
import onnx
from onnx import TensorProto, helper

import shortlist
from shortlist import features as f

N_ITEMS, N_USERS, N_RATINGS, DIM = 200, 40, 2000, 8
_GENRES = ("comedy", "crime", "drama")
_CITIES = ("Lyon", "Oslo", "Riga")


class World:
    """Arrays and tables that Python blocks find by name, and a folder of files for commands."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        random = np.random.default_rng(20240229)
        self._vectors = random.normal(size=(N_ITEMS, DIM)).astype(np.float32)
        self._items = {
            "id": np.arange(1, N_ITEMS + 1),
            "genre": random.choice(_GENRES, N_ITEMS),
            "year": random.integers(1950, 2020, N_ITEMS),
            "views": random.integers(0, 1000, N_ITEMS),
        }
        tastes = random.normal(size=(N_USERS, DIM)).astype(np.float32)
        self._users = {
            "id": [f"u{number}" for number in range(1, N_USERS + 1)],
            "age": random.integers(18, 80, N_USERS),
            "city": random.choice(_CITIES, N_USERS),
            "vector": tastes,
        }
        user, item = random.integers(0, [[N_USERS], [N_ITEMS]], (2, N_RATINGS))
        similarity = (tastes[user] * self._vectors[item]).sum(axis=1)
        self._train = {
            "user.age": self._users["age"][user],
            "user.city": self._users["city"][user],
            "context.hour": random.integers(0, 24, N_RATINGS),
            "item.genre": self._items["genre"][item],
            "item.year": self._items["year"][item],
            "item.bm25": random.exponential(size=N_RATINGS),
            "similarity": similarity,
        }
        older = 0.02 * (self._train["item.year"] - 1985.0)
        noise = random.normal(scale=0.1, size=N_RATINGS)
        self._liked = similarity + older + self._train["item.bm25"] + noise > 1.0
        self._write_files()

    def names(self) -> dict[str, object]:
        """Names for the Python blocks of one page, in containers of their own."""
        tables = {"items": self._items, "users": self._users, "train": self._train}
        return {
            **{name: dict(table) for name, table in tables.items()},
            "vectors": self._vectors.copy(),
            "liked": self._liked.copy(),
        }

    def copy_to(self, folder: Path) -> None:
        """Lay the files out for one page."""
        shutil.copytree(self._folder, folder, dirs_exist_ok=True)

    def _write_files(self) -> None:
        spec = f.FeatureSet(
            [
                f.Numeric("user.age"),
                f.Numeric("context.hour"),
                f.Categorical("item.genre"),
                f.Numeric("item.year", scale="standard"),
                f.Numeric("item.bm25"),
                f.Cross("user.city", "item.genre", buckets=2**10),
                f.Similarity(),
            ]
        ).fit(self._train)
        (self._folder / "features.json").write_text(spec.to_json())
        self._train_forest("model.txt", spec.transform(self._train).dense, list(spec.names))
        amounts = np.random.default_rng(1).exponential(size=(N_RATINGS, 2))
        self._train_forest("fraud.txt", amounts, ["amount", "age"])
        payments = {"id": np.arange(N_RATINGS), "amount": amounts[:, 0], "age": amounts[:, 1]}
        self._write_table("payments.csv", ("id", "amount", "age"), payments)
        self._write_network()
        np.save(self._folder / "items.npy", self._vectors)
        np.save(self._folder / "users.npy", self._users["vector"])
        self._write_table("items.csv", ("id", "genre", "year", "views"), self._items)
        self._write_table("users.csv", ("id", "age", "city"), self._users)
        (self._folder / "requests.jsonl").write_text('{"user": {"id": "u17"}, "k": 3}\n' * 2)
        shortlist.pack(
            self._folder / "bundles" / "movies",
            ranker=self._folder / "model.txt",
            features=spec,
            retriever=shortlist.Index.build(self._vectors, ids=self._items["id"]),
            items=self._items,
            users=self._users,
            popularity="views",
            reference=self._train,
        )

    def _train_forest(self, name: str, rows: np.ndarray, columns: list[str]) -> None:
        settings = {"objective": "binary", "verbosity": -1, "num_leaves": 7, "num_threads": 1}
        data = lightgbm.Dataset(rows, self._liked, feature_name=columns)
        lightgbm.train(settings, data, 10).save_model(self._folder / name)

    def _write_network(self) -> None:
        """A linear layer over a block of two features."""
        weights = helper.make_tensor("weights", TensorProto.FLOAT, (2, 1), [0.5, 0.25])
        rows, scores = (
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", width))
            for name, width in (("dense", 2), ("scores", 1))
        )
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["dense", "weights"], ["scores"])],
            "network",
            [rows],
            [scores],
            [weights],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.save(model, self._folder / "network.onnx")

    def _write_table(self, name: str, columns: tuple[str, ...], table: dict[str, object]) -> None:
        rows = zip(*(table[column] for column in columns), strict=True)
        lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
        (self._folder / name).write_text("\n".join(lines) + "\n")
