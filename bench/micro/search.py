"""Exact search for the 500 greatest inner products of 100,000 x 64, one query a call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.micro.subject import MicroSubject
from bench.workload.catalogue import catalogue
from bench.workload.requests import N_CANDIDATES

_SAMPLE_QUERIES = 20


class _Queries(MicroSubject):
    """Queries are the users' vectors; `ask` gives what was found for some."""

    def __init__(self) -> None:
        self._vectors = catalogue().items.vectors
        self._queries = catalogue().users.vectors

    @staticmethod
    def prepare(cache: Path) -> None:
        """The catalogue is made in memory; nothing to prepare."""

    def call(self, i: int) -> object:
        return self.search(self._queries[i % len(self._queries)])

    def search(self, query: NDArray[np.float32]) -> NDArray[np.integer]:
        raise NotImplementedError

    def ask(self, question: Mapping[str, object]) -> object:
        """A sample: for some queries, the inner products of what was found, greatest first."""
        return [self._products(query) for query in self._queries[-_SAMPLE_QUERIES:]]

    def _products(self, query: NDArray[np.float32]) -> list[float]:
        found = self._vectors[self.search(query)].astype(np.float64)
        return sorted((found @ query.astype(np.float64)).tolist(), reverse=True)


class ShortlistIndex(_Queries):
    def __init__(self, cache: Path) -> None:
        import shortlist

        super().__init__()
        self._index = shortlist.Index.build(self._vectors, metric="ip")

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("shortlist", "numpy")

    def search(self, query: NDArray[np.float32]) -> NDArray[np.integer]:
        return np.ravel(self._index.search(query[np.newaxis], k=N_CANDIDATES).ids)


class NumpySearch(_Queries):
    def __init__(self, cache: Path) -> None:
        super().__init__()

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("numpy",)

    def search(self, query: NDArray[np.float32]) -> NDArray[np.integer]:
        scores = self._vectors @ query
        least = len(scores) - N_CANDIDATES
        best = np.argpartition(scores, least)[least:]
        return best[np.argsort(-scores[best])]


class UsearchExact(_Queries):
    def __init__(self, cache: Path) -> None:
        from usearch.index import search

        super().__init__()
        self._search = search

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("usearch", "numpy")

    def search(self, query: NDArray[np.float32]) -> NDArray[np.integer]:
        found = self._search(self._vectors, query, N_CANDIDATES, metric="ip", exact=True, threads=1)
        rows: NDArray[np.integer] = np.ravel(found.keys)
        return rows
