"""What most services do: json, a usearch graph, a numpy gather, LightGBM's predict, json."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bench.whole_request.glue import Glue, usearch_index
from bench.workload import catalogue as c
from bench.workload.ranker import model_path


class CommonGlue(Glue):
    """Straightforward code, one thread, no copy that a reviewer would object to."""

    def __init__(self, cache: Path) -> None:
        import lightgbm as lgb
        from usearch.index import Index

        super().__init__()
        self._index = Index.restore(usearch_index(cache, "f32"))
        self._booster = lgb.Booster(model_file=model_path(cache))

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("usearch", "numpy", "lightgbm")

    @staticmethod
    def prepare(cache: Path) -> None:
        usearch_index(cache, "f32")
        model_path(cache)

    def rank_json(self, body: bytes) -> str:
        request = json.loads(body)
        features = np.empty(c.N_REQUEST_FEATURES, np.float32)
        query = self.fill_user(features, request)
        rows = self._index.search(query, request["n_candidates"], threads=1).keys
        x = np.empty((len(rows), c.N_FEATURES), np.float32)
        x[:, : c.N_REQUEST_FEATURES] = features
        x[:, c.N_REQUEST_FEATURES :] = self.item_features[rows]
        scores = self._booster.predict(x, num_threads=1)
        best = np.argsort(-scores, kind="stable")[: request["k"]]
        return json.dumps(
            {"ids": self.item_ids[rows[best]].tolist(), "scores": scores[best].tolist()}
        )
