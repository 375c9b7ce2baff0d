"""What both kinds of glue share: look-ups made once at start, and the artefacts they open."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.harness.cache import cached, version_of
from bench.workload import catalogue as c
from bench.workload.requests import bodies


class Glue(ABC):
    """A hand-written service: bytes in, bytes out."""

    def __init__(self) -> None:
        stored = c.catalogue()
        self.item_ids = stored.items.ids
        self.item_features = stored.items.features()
        self.user_vectors = stored.users.vectors
        self.user_features = stored.users.features()
        self.user_rows = {c.user_id(i): i for i in range(c.N_USERS)}
        self.unknown_user = np.full(len(c.USER_FIELDS), np.nan, np.float32)
        self.unknown_user[len(c.USER_NUMBERS) :] = 0.0
        self.number_columns = {
            name: i for i, name in enumerate(c.REQUEST_FIELDS) if name not in c.USER_TEXTS
        }
        self.text_columns = {
            name: (c.REQUEST_FIELDS.index(name), {text: i for i, text in enumerate(vocabulary, 1)})
            for name, vocabulary in c.USER_TEXTS.items()
        }
        self._bodies = bodies()

    @abstractmethod
    def rank_json(self, body: bytes) -> bytes | str:
        """Answer one request."""

    def call(self, i: int) -> object:
        """Answer one of the prepared bodies; they come round again after the last."""
        return self.rank_json(self._bodies[i % len(self._bodies)])

    def ask(self, question: Mapping[str, object]) -> object:
        """Replies to all bodies, with k as asked."""
        return [json.loads(self.rank_json(body)) for body in bodies(int(str(question["k"])))]

    def fill_user(
        self, row: NDArray[np.float32] | NDArray[np.float64], request: Mapping[str, Any]
    ) -> NDArray[np.float32]:
        """Write the request's features into `row`; return the query vector."""
        user = request["user"]
        n_user = len(c.USER_FIELDS)
        if "id" in user:
            stored = self.user_rows[user.pop("id")]
            row[:n_user] = self.user_features[stored]
            query = self.user_vectors[stored]
        else:
            row[:n_user] = self.unknown_user
            query = np.array(request["vector"], np.float32)
        row[n_user:] = np.nan
        for name, value in user.items():
            if name in self.text_columns:
                column, code_of = self.text_columns[name]
                row[column] = code_of.get(value, 0)
            else:
                row[self.number_columns[name]] = value
        for name, value in request["context"].items():
            row[self.number_columns[name]] = value
        return query


def usearch_index(cache: Path, dtype: str) -> Path:
    """A usearch graph over the items, keys being their rows; built once with default settings."""
    spec = (version_of("usearch"), dtype, c.SEED, c.N_ITEMS, c.DIM)

    def build(path: Path) -> None:
        from usearch.index import Index

        index = Index(ndim=c.DIM, metric="ip", dtype=dtype)
        index.add(np.arange(c.N_ITEMS), c.catalogue().items.vectors, threads=1)
        index.save(path)

    return cached(cache, f"items-{dtype}", ".usearch", spec, build)
