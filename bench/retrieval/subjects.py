"""Indexes under measurement: tuned to a recall on half of the queries, timed on the rest."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.harness.cache import cached, version_of
from bench.micro.subject import MicroSubject
from bench.retrieval.vectors import N_QUERIES, SEED, Hardness, K, vectors

_HALF = N_QUERIES // 2


class Searcher(MicroSubject):
    """One query a call, through Python, one thread; `recall` 1 is an exact search."""

    efforts: Sequence[int] = ()

    def __init__(
        self,
        cache: Path,
        *,
        n: int,
        dim: int,
        hardness: Hardness,
        recall: float,
        passing: float = 1,
    ) -> None:
        self._data = vectors(n, dim, hardness)
        self._cache = cache
        self._spec = (n, dim, hardness, SEED)
        self._mask = np.random.default_rng(SEED).random(n) < passing if passing < 1 else None
        self.open(self._data.items)
        self._tune(recall)

    @staticmethod
    def prepare(cache: Path) -> None:
        """Vectors are made in memory; indexes that take long are kept when first made."""

    @abstractmethod
    def open(self, items: NDArray[np.float32]) -> None:
        """Make the index, or read it from the cache."""

    def set_effort(self, effort: int) -> None:
        """Search this hard from now on."""

    @abstractmethod
    def search(self, query: NDArray[np.float32]) -> NDArray[np.integer[Any]]:
        """Rows of the best K."""

    def call(self, i: int) -> object:
        return self.search(self._data.queries[_HALF + i % _HALF])

    def ask(self, question: Mapping[str, object]) -> object:
        """Mean recall on the queries that are timed."""
        return self._recall(range(_HALF, N_QUERIES))

    def _tune(self, recall: float) -> None:
        for effort in self.efforts:
            self.set_effort(effort)
            if self._recall(range(_HALF)) >= recall:
                return

    def _recall(self, numbers: range) -> float:
        shares = []
        for i in numbers:
            best = self._data.best[i]
            if self._mask is not None:
                best = self._best_passing(self._data.queries[i])
            shares.append(np.isin(best, self.search(self._data.queries[i])).mean())
        return float(np.mean(shares))

    def _best_passing(self, query: NDArray[np.float32]) -> NDArray[np.int64]:
        scores = np.where(self._mask, self._data.items @ query, -np.inf)
        rows = np.argpartition(-scores, K)[:K]
        return rows[np.isfinite(scores[rows])]


class ShortlistSearch(Searcher):
    def __init__(
        self,
        cache: Path,
        *,
        n: int,
        dim: int,
        hardness: Hardness,
        recall: float,
        kind: str = "ivf",
        rerank: bool = True,
        passing: float = 1,
    ) -> None:
        self._wanted, self._kind, self._rerank = recall, kind, rerank
        super().__init__(cache, n=n, dim=dim, hardness=hardness, recall=recall, passing=passing)

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("shortlist", "numpy")

    def open(self, items: NDArray[np.float32]) -> None:
        import shortlist

        self._index = shortlist.Index.build(items, kind=self._kind, recall=self._wanted, k=K)
        if self._mask is not None:
            self._index.define_filter("passing", self._mask)
        self._filter = None if self._mask is None else "passing"

    def search(self, query: NDArray[np.float32]) -> NDArray[np.integer[Any]]:
        return self._index.search(query, k=K, filter=self._filter, rerank=self._rerank).ids[0]


class Faiss(Searcher):
    """An index by its factory string; the search parameter is nprobe or efSearch."""

    def __init__(
        self,
        cache: Path,
        *,
        n: int,
        dim: int,
        hardness: Hardness,
        recall: float,
        factory: str,
        passing: float = 1,
    ) -> None:
        self._factory = factory
        if factory.startswith("IVF"):
            self.efforts = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 256)
        elif factory.startswith("HNSW"):
            self.efforts = (100, 110, 120, 140, 160, 200, 250, 300, 400, 600, 800)
        super().__init__(cache, n=n, dim=dim, hardness=hardness, recall=recall, passing=passing)

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("faiss-cpu", "numpy")

    def open(self, items: NDArray[np.float32]) -> None:
        import faiss

        def make(path: Path) -> None:
            index = faiss.index_factory(items.shape[1], self._factory, faiss.METRIC_INNER_PRODUCT)
            index.train(items)
            index.add(items)
            faiss.write_index(index, str(path))

        faiss.omp_set_num_threads(1)
        spec = (self._spec, self._factory, version_of("faiss-cpu"))
        self._index = faiss.read_index(str(cached(self._cache, "retrieval", ".faiss", spec, make)))
        self._parameters = None
        if self._factory.startswith("IVF"):
            selector = None
            if self._mask is not None:
                bits = np.packbits(self._mask, bitorder="little")
                selector = faiss.IDSelectorBitmap(len(self._mask), faiss.swig_ptr(bits))
                self._bits = bits
            self._parameters = faiss.SearchParametersIVF(sel=selector, nprobe=1)
        elif self._factory.startswith("HNSW"):
            self._parameters = faiss.SearchParametersHNSW(efSearch=100)

    def set_effort(self, effort: int) -> None:
        if self._factory.startswith("IVF"):
            self._parameters.nprobe = effort
        else:
            self._parameters.efSearch = effort

    def search(self, query: NDArray[np.float32]) -> NDArray[np.integer[Any]]:
        found: NDArray[np.int64] = self._index.search(
            query[np.newaxis], K, params=self._parameters
        )[1][0]
        return found


class Hnswlib(Searcher):
    efforts = (100, 110, 120, 140, 160, 200, 250, 300, 400, 600, 800)

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("hnswlib", "numpy")

    def open(self, items: NDArray[np.float32]) -> None:
        import hnswlib

        def make(path: Path) -> None:
            index = hnswlib.Index("ip", items.shape[1])
            index.init_index(len(items), M=16, ef_construction=200, random_seed=1)
            index.add_items(items, num_threads=1)
            index.save_index(str(path))

        spec = (self._spec, version_of("hnswlib"))
        self._index = hnswlib.Index("ip", items.shape[1])
        self._index.load_index(str(cached(self._cache, "retrieval", ".hnswlib", spec, make)))
        self._index.set_num_threads(1)
        mask = self._mask
        self._filter = None if mask is None else mask.tolist().__getitem__

    def set_effort(self, effort: int) -> None:
        self._index.set_ef(effort)

    def search(self, query: NDArray[np.float32]) -> NDArray[np.integer[Any]]:
        found: NDArray[np.uint64] = self._index.knn_query(query, K, filter=self._filter)[0][0]
        return found


class Usearch(Searcher):
    efforts = (100, 110, 120, 140, 160, 200, 250, 300, 400, 600, 800)

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("usearch", "numpy")

    def open(self, items: NDArray[np.float32]) -> None:
        from usearch.index import Index

        def make(path: Path) -> None:
            index = Index(ndim=items.shape[1], metric="ip", dtype="f32")
            index.add(np.arange(len(items)), items, threads=1)
            index.save(str(path))

        spec = (self._spec, version_of("usearch"))
        self._index = Index(ndim=items.shape[1], metric="ip", dtype="f32")
        self._index.load(str(cached(self._cache, "retrieval", ".usearch", spec, make)))

    def set_effort(self, effort: int) -> None:
        self._index.expansion_search = effort

    def search(self, query: NDArray[np.float32]) -> NDArray[np.integer[Any]]:
        keys: NDArray[np.integer[Any]] = self._index.search(query, K, threads=1).keys
        return keys
