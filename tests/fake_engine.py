"""An engine whose answers, delays and counters a test chooses."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shortlist.errors import NotFoundError, RequestError, UnsupportedError
from shortlist.serving.deployment import Deployment

if TYPE_CHECKING:
    from shortlist._core import CounterSnapshot


class FakeCounters:
    def __init__(self) -> None:
        self.content: CounterSnapshot = {
            "routes": {
                "rank": {
                    "requests": 7,
                    "errors": 2,
                    "stages": {
                        "parse": {
                            "count": 6,
                            "sum_ns": 6000,
                            "buckets": [(512.0, 1), (1000.0, 3), (2048.0, 5), (math.inf, 6)],
                        }
                    },
                },
                "score": {"requests": 1, "errors": 0, "stages": {}},
            },
            "fallbacks": 4,
            "unknown_attributes": {'od"d\\na\nme': 3},
            "unknown_attributes_uncounted": 9,
        }

    def snapshot(self) -> CounterSnapshot:
        return self.content


class FakeEngine:
    """Ranks ids 0 to k-1; ``sleep`` in the body waits that many seconds, ``fail`` raises."""

    def __init__(self, name: str = "movies", version: str = "v1") -> None:
        self.name = name
        self.version = version
        self.path = Path("bundles") / name / version
        self.counters = FakeCounters()
        self.bodies: list[bytes] = []

    @classmethod
    def load(cls, path: Path) -> FakeEngine:
        if not Path(path).is_dir():
            raise NotFoundError(f"{path}: there is no bundle")
        return cls()

    def rank_json(self, body: bytes, *, timings: bool = False) -> bytes:
        request = self._request(body)
        answer: dict[str, object] = {
            "ids": list(range(int(request.get("k", 3)))),
            "version": self.version,
            "pid": os.getpid(),
        }
        if timings:
            answer["timings"] = {"parse": 1.5}
        return json.dumps(answer).encode()

    def score_json(self, body: bytes) -> bytes:
        rows = self._request(body)["rows"]
        return json.dumps({"scores": [0.5] * len(rows), "version": self.version}).encode()

    def _request(self, body: bytes) -> dict:
        self.bodies.append(body)
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            raise RequestError("the body is not JSON; expected an object") from None
        if not isinstance(request, dict):
            raise RequestError("the body is an array; expected an object")
        time.sleep(request.get("sleep", 0))
        failure = request.get("fail")
        if failure == "unsupported":
            raise UnsupportedError("this bundle has no retriever")
        if failure is not None:
            raise RuntimeError(f"secret {failure}")
        return request


@dataclass(frozen=True)
class FakeLoader:
    """Deploys one fake engine; a process serves it as if it were a bundle."""

    name: str = "movies"

    def __call__(self, counters_folder: Path | None = None) -> Deployment:
        return Deployment.of([FakeEngine(self.name)])

    def pinned(self) -> FakeLoader:
        return self
