"""Training: vectors of several moments, a ranker taught at the earlier ones, and a last refit."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from shortlist.demo import ranker, vectors
from shortlist.demo.dataset import Dataset
from shortlist.demo.progress import Steps
from shortlist.demo.ranker import Scene
from shortlist.demo.split import Moment, snapshots
from shortlist.errors import ArgumentError
from shortlist.features import FeatureSet

__all__ = ["Trained", "train"]

#: Moments to learn from, as parts of the ratings before the test.
SNAPSHOT_SHARES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
#: What people liked within so many days counts for a moment, about as long as the test lasts.
HORIZON_DAYS = 45.0
# Pairs that are scored at once; bounds the memory of texts on their way into features.
MAX_PAIRS = 200_000


@dataclass(frozen=True)
class Trained:
    """What goes into the bundle: a scene with vectors and tables, features, and the ranker."""

    scene: Scene
    features: FeatureSet
    booster: lightgbm.Booster

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score every film for the given rows of users, shape (len(users), films)."""
        n_items = len(self.scene.vectors.items)
        per_part = max(1, MAX_PAIRS // n_items)
        parts = [users[first : first + per_part] for first in range(0, len(users), per_part)]
        return np.concatenate([self._scores(part) for part in parts])

    def _scores(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        n_items = len(self.scene.vectors.items)
        rows = self.scene.matrix(
            self.features,
            user=np.repeat(users, n_items),
            item=np.tile(np.arange(n_items), len(users)),
        )
        return np.asarray(self.booster.predict(rows), np.float64).reshape(len(users), n_items)


def train(data: Dataset, test: Moment, features: FeatureSet, steps: Steps) -> Trained:
    """Train on what is known before the test alone.

    The ranker learns from moments of the past: each has vectors and tables made from the ratings
    before it, and as labels what people liked in the weeks after it. Vectors and tables are made
    once more from all ratings before the test, and these are what the ranker then reads.

    Raises
    ------
    ArgumentError
        Nobody likes anything after any of the moments: there is nothing to learn from.
    """
    past = snapshots(data, until_s=test.now_s, shares=SNAPSHOT_SHARES, horizon_days=HORIZON_DAYS)
    past = [at for at in past if len(at.users)]
    if not past:
        raise ArgumentError("before the test nobody rates enough to learn from")
    with steps.step("train vectors (implicit, ALS)", (len(past) + 1) * vectors.ITERATIONS) as go:
        scenes = [Scene.of(data, at, vectors.train(at, on_iteration=go)) for at in (*past, test)]
    *earlier, last = scenes
    with steps.step("compute training features", len(earlier)) as go:
        parts = []
        for seed, scene in enumerate(earlier):
            parts.append(ranker.examples(scene, features, seed=seed))
            go()
    with steps.step("train ranker (LightGBM, LambdaMART)", ranker.N_TREES) as go:
        booster = ranker.train(parts, features, on_tree=go)
    return Trained(last, features, booster)
