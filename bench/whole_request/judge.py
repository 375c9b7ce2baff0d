"""Checks what contestants answer, in a process of its own: exact candidates, and LightGBM's scores.

The judge reads requests and assembles features by its own code, so that an error that contestants
share with each other does not pass.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.workload import catalogue as c
from bench.workload.ranker import model_path
from bench.workload.requests import N_CANDIDATES, bodies


@dataclass(frozen=True)
class Verdict:
    """What the judge found over all request bodies."""

    recall: float  # of the exact best candidates, mean over the bodies
    least_recall: float
    wrong_scores: int  # returned scores that are not LightGBM's, bit for bit
    largest_error: float  # greatest absolute difference from LightGBM's score
    wrong_order: int  # bodies whose scores do not fall


class Judge:
    """Booster.predict and exact inner products in float64, over the same request bodies."""

    def __init__(self, cache: Path) -> None:
        import lightgbm as lgb

        self._booster = lgb.Booster(model_file=model_path(cache))
        self._items = c.catalogue().items
        self._item_features = self._items.features()
        self._row_of = {int(item): row for row, item in enumerate(self._items.ids)}
        self._requests = [json.loads(body) for body in bodies()]
        self._exact = [self._best_rows(request) for request in self._requests]

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("lightgbm", "numpy")

    @staticmethod
    def prepare(cache: Path) -> None:
        model_path(cache)

    def call(self, i: int) -> object:
        """Rank one body the slow and plain way: exact candidates, then LightGBM."""
        rows = self._exact[i % len(self._exact)]
        return self._scores(self._requests[i % len(self._requests)], rows)

    def ask(self, question: Mapping[str, object]) -> object:
        """Judge {"replies": one for each body, their best of all candidates}."""
        replies = question["replies"]
        if not isinstance(replies, list) or len(replies) != len(self._requests):
            raise ValueError(f"replies: expected a list of {len(self._requests)}")
        return asdict(self._judge(replies))

    def _judge(self, replies: list[dict[str, list[Any]]]) -> Verdict:
        recalls, errors, wrong_order = [], [], 0
        for request, exact, reply in zip(self._requests, self._exact, replies, strict=True):
            rows = np.array([self._row_of[item] for item in reply["ids"]])
            scores = np.array(reply["scores"], np.float64)
            recalls.append(len(np.intersect1d(rows, exact)) / len(exact))
            errors.append(np.abs(scores - self._scores(request, rows)))
            wrong_order += bool(np.any(np.diff(scores) > 0))
        all_errors = np.concatenate(errors)
        return Verdict(
            recall=float(np.mean(recalls)),
            least_recall=min(recalls),
            wrong_scores=int(np.count_nonzero(all_errors)),
            largest_error=float(all_errors.max()),
            wrong_order=wrong_order,
        )

    def _best_rows(self, request: Mapping[str, Any]) -> NDArray[np.int64]:
        user = request["user"]
        if "vector" in request:
            query = np.array(request["vector"], np.float32)
        else:
            query = c.catalogue().users.vectors[int(user["id"].removeprefix("u"))]
        similarity = self._items.vectors.astype(np.float64) @ query.astype(np.float64)
        return np.argsort(-similarity, kind="stable")[:N_CANDIDATES]

    def _scores(self, request: Mapping[str, Any], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        given = request["user"] | request["context"]
        stored: dict[str, float] = {}
        if "id" in given:
            row = int(given["id"].removeprefix("u"))
            stored = dict(zip(c.USER_FIELDS, c.catalogue().users.features()[row], strict=True))
        features = []
        for name in c.REQUEST_FIELDS:
            if name not in given:
                features.append(stored.get(name, 0.0 if name in c.USER_TEXTS else np.nan))
            elif name in c.USER_TEXTS:
                features.append(1 + c.USER_TEXTS[name].index(given[name]))
            else:
                features.append(given[name])
        request_rows = np.tile(np.array(features, np.float32), (len(rows), 1))
        x = np.hstack([request_rows, self._item_features[rows]])
        scores: NDArray[np.float64] = self._booster.predict(x)
        return scores
