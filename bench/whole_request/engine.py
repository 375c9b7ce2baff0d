"""shortlist: a packed bundle, loaded once, and one native call a request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.harness.cache import cached, version_of
from bench.workload import catalogue as c
from bench.workload.ranker import model_path
from bench.workload.requests import bodies

if TYPE_CHECKING:
    from shortlist.features import FeatureSet


class EnginePeer:
    """Engine.rank_json over the packed catalogue."""

    def __init__(self, cache: Path) -> None:
        import shortlist

        self._engine = shortlist.Engine.load(bundle_path(cache))
        self._bodies = bodies()

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("shortlist", "numpy")

    @staticmethod
    def prepare(cache: Path) -> None:
        bundle_path(cache)

    def call(self, i: int) -> object:
        """Answer one of the prepared bodies; they come round again after the last."""
        return self._engine.rank_json(self._bodies[i % len(self._bodies)])

    def ask(self, question: Mapping[str, object]) -> object:
        """Replies to all bodies, with k as asked; or the median microseconds of each stage.

        `stage` and `count` ask for the microseconds that one stage takes in each of so many calls.
        """
        if "stage" in question:
            stage, count = str(question["stage"]), int(str(question["count"]))
            asked = [self._bodies[i % len(self._bodies)] for i in range(count)]
            replies = [self._engine.rank_json(body, timings=True) for body in asked]
            return [json.loads(reply)["timings"][stage] for reply in replies]
        if "stages" in question:
            replies = [self._engine.rank_json(body, timings=True) for body in self._bodies]
            timings = [json.loads(reply)["timings"] for reply in replies]
            return {stage: float(np.median([t[stage] for t in timings])) for stage in timings[0]}
        replies = [self._engine.rank_json(body) for body in bodies(int(str(question["k"])))]
        return [json.loads(reply) for reply in replies]


def feature_set() -> FeatureSet:
    """The features that the ranker was trained on, in its order."""
    from shortlist import features as f

    return f.FeatureSet(
        [
            *(f.Numeric(f"user.{name}") for name in c.USER_NUMBERS),
            *(f.Categorical(f"user.{name}", vocabulary=v) for name, v in c.USER_TEXTS.items()),
            *(f.Numeric(f"context.{name}") for name in c.CONTEXT_NUMBERS),
            *(f.Numeric(f"item.{name}") for name in c.ITEM_NUMBERS),
            *(f.Categorical(f"item.{name}", vocabulary=v) for name, v in c.ITEM_TEXTS.items()),
        ]
    )


def bundle_path(cache: Path) -> Path:
    """The packed bundle; packed anew when the installed engine has changed."""
    import shortlist
    from shortlist import _core

    engine = hashlib.sha256(Path(_core.__file__).read_bytes()).hexdigest()
    model = model_path(cache)
    spec = (version_of("shortlist"), engine, c.SEED, c.N_ITEMS, c.DIM, model.name)

    def pack(path: Path) -> None:
        stored = c.catalogue()
        items = _columns(stored.items, c.ITEM_NUMBERS, c.ITEM_TEXTS) | {"id": stored.items.ids}
        users = _columns(stored.users, c.USER_NUMBERS, c.USER_TEXTS) | {
            "id": [c.user_id(row) for row in range(c.N_USERS)],
            "vector": stored.users.vectors,
        }
        shortlist.pack(
            path,
            retriever=shortlist.Index.build(
                stored.items.vectors, ids=stored.items.ids, metric="ip"
            ),
            features=feature_set(),
            ranker=model,
            items=items,
            users=users,
            query=("vector", "users"),
        )

    return cached(cache, "catalogue", "", spec, pack)


def _columns(
    entities: c.Entities, numbers: tuple[str, ...], texts: dict[str, tuple[str, ...]]
) -> dict[str, object]:
    columns: dict[str, object] = {
        name: entities.numbers[:, i].astype(np.float64) for i, name in enumerate(numbers)
    }
    for i, (name, vocabulary) in enumerate(texts.items()):
        columns[name] = [vocabulary[code - 1] if code else None for code in entities.codes[:, i]]
    return columns
