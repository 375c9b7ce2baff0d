"""The best that public parts give: orjson, a usearch graph of int8, lleaves, rows made beforehand.

The graph is searched with an expansion equal to the number of candidates: more of it costs time and
gains little recall, which the quantisation bounds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson

from bench.harness.cache import cached, machine_key, version_of
from bench.whole_request.glue import Glue, usearch_index
from bench.workload import catalogue as c
from bench.workload.ranker import model_path
from bench.workload.requests import N_CANDIDATES

# Addresses in 32 bits: a tenth faster than the default here, and this forest is small enough.
_SETTINGS = {"fcodemodel": "small"}


class BestGlue(Glue):
    """lleaves takes float64 rows: item rows are kept widened, a gather copies whole rows."""

    def __init__(self, cache: Path) -> None:
        from usearch.index import Index

        super().__init__()
        self._index = Index.restore(usearch_index(cache, "i8"))
        self._index.expansion_search = N_CANDIDATES
        self._forest = open_lleaves(cache)
        self._padded_items = np.zeros((c.N_ITEMS, c.N_FEATURES))
        self._padded_items[:, c.N_REQUEST_FEATURES :] = self.item_features
        self._x = np.empty((N_CANDIDATES, c.N_FEATURES))
        self._features = np.empty(c.N_REQUEST_FEATURES, np.float32)

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("orjson", "usearch", "numpy", "lleaves", "llvmlite")

    @staticmethod
    def prepare(cache: Path) -> None:
        usearch_index(cache, "i8")
        open_lleaves(cache)

    def rank_json(self, body: bytes) -> bytes:
        request = orjson.loads(body)
        query = self.fill_user(self._features, request)
        rows = self._index.search(query, request["n_candidates"], threads=1).keys
        x = self._x[: len(rows)]
        np.take(self._padded_items, rows.view(np.int64), axis=0, out=x, mode="clip")
        x[:, : c.N_REQUEST_FEATURES] = self._features
        scores = self._forest.predict(x, n_jobs=1)
        k = min(request["k"], len(rows))
        best = np.argpartition(scores, len(rows) - k)[len(rows) - k :]
        best = best[np.argsort(-scores[best])]
        return orjson.dumps(
            {"ids": self.item_ids[rows[best]], "scores": scores[best]},
            option=orjson.OPT_SERIALIZE_NUMPY,
        )


def open_lleaves(cache: Path):  # type: ignore[no-untyped-def]
    """The ranker compiled by lleaves; its machine code is cached, compiling takes minutes."""
    import lleaves

    model = model_path(cache)
    spec = (version_of("lleaves"), version_of("llvmlite"), _SETTINGS, model.name, machine_key())

    def compile_to(path: Path) -> None:
        lleaves.Model(model).compile(cache=path, **_SETTINGS)

    forest = lleaves.Model(model)
    machine_code = cached(cache, "lleaves", ".o", spec, compile_to)
    forest.compile(cache=machine_code, **_SETTINGS)
    return forest
