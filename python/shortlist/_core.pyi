"""The native core; docstrings stand with the Python classes that use it."""

from collections.abc import Callable
from typing import TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

# Instruction sets

def available_isas() -> list[str]: ...
def active_isa() -> str: ...

# Features

_Column: TypeAlias = NDArray[np.float64] | tuple[bytes, NDArray[np.int64], NDArray[np.uint8]] | None

def xxh64(data: bytes, seed: int = 0) -> int: ...
def xxh64_column(column: _Column, n: int, seed: int) -> NDArray[np.uint64]: ...
def canonical_texts(numbers: NDArray[np.float64]) -> list[str | None]: ...
def catboost_hash_texts(texts: list[str]) -> NDArray[np.uint32]: ...

class FeatureSet:
    @staticmethod
    def from_json(text: str | bytes) -> FeatureSet: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def uses_similarity(self) -> bool: ...
    @property
    def blocks(self) -> list[tuple[str, bool, list[int]]]: ...
    def fields(
        self, source: str
    ) -> list[tuple[str, bool, bool]]: ...  # name, read as text, read as number
    def encode_source(
        self, source: str, columns: list[_Column], n: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]: ...
    def assemble(
        self,
        user: tuple[NDArray[np.uint32], NDArray[np.uint64]],
        context: tuple[NDArray[np.uint32], NDArray[np.uint64]],
        items: tuple[NDArray[np.uint32], NDArray[np.uint64]],
        similarity: NDArray[np.float32],
    ) -> NDArray[np.uint32]: ...
    def transform(
        self,
        user: list[_Column],
        context: list[_Column],
        item: list[_Column],
        similarity: NDArray[np.float32] | None,
        n: int,
    ) -> list[NDArray[np.float32] | NDArray[np.int32]]: ...

# Arrow and columns

class ArrowTable:
    @staticmethod
    def from_stream(capsule: object) -> ArrowTable: ...
    @staticmethod
    def from_array(schema: object, array: object) -> ArrowTable: ...
    # Name; one of "null", "boolean", "integer", "float", "text", "dictionary" and "other"; type.
    @property
    def columns(self) -> list[tuple[str, str, str]]: ...
    @property
    def is_struct(self) -> bool: ...
    @property
    def n_rows(self) -> int: ...
    # Codes, -1 where null, and what they stand for.
    def values(self, column: int) -> tuple[NDArray[np.int32], list[str | bool | int | float]]: ...
    # Numbers of the column's own dtype, and which are missing; None where none is.
    def numbers(self, column: int) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]: ...

# A column of a table, or an array and a bitmap of what is valid in it; None where all is.
Source: TypeAlias = tuple[ArrowTable, int] | tuple[NDArray[np.generic], NDArray[np.uint8] | None]

def fill_rows(out: NDArray[np.float32] | NDArray[np.float64], sources: list[Source]) -> None: ...

# Telemetry

class StageCounts(TypedDict):
    count: int
    sum_ns: int
    # Upper limit in ns, which may be infinite, and cumulative count; empty buckets are left out.
    buckets: list[tuple[float, int]]

class RouteCounts(TypedDict):  # since load; errors are requests too
    requests: int
    errors: int
    stages: dict[str, StageCounts]

class CounterSnapshot(TypedDict):
    routes: dict[str, RouteCounts]  # "rank" and "score"
    fallbacks: int
    unknown_attributes: dict[str, int]
    unknown_attributes_uncounted: int

class Counters:
    def __init__(self, path: str = "") -> None: ...
    def snapshot(self) -> CounterSnapshot: ...

# Retrieval

class FlatIndex:
    def __init__(self, vectors: NDArray[np.float32], metric: str) -> None: ...
    @property
    def inverse_norms(self) -> NDArray[np.float32]: ...
    def search(
        self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.uint64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]: ...
    def pair_scores(
        self, queries: NDArray[np.float32], rows: NDArray[np.uint32]
    ) -> NDArray[np.float32]: ...

# Engine

# ids, scores, request_id, fallback, unknown_ids, timings in microseconds
Ranked: TypeAlias = tuple[
    NDArray[np.int64] | list[str],
    NDArray[np.float64],
    str | None,
    str | None,
    list[int] | list[str],
    dict[str, float],
]

class CallbackRanker:
    def __init__(
        self,
        predict: Callable[[NDArray[np.uint32]], NDArray[np.float64]],
        feature_names: list[str],
        n_outputs: int,
    ) -> None: ...

class Engine:
    def __init__(
        self,
        folder: str,
        *,
        strict: bool = False,
        counters: Counters | None = None,
        ranker: CallbackRanker | None = None,
    ) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def ranks(self) -> bool: ...
    def rank(self, body: bytes) -> Ranked: ...
    def rank_many(self, bodies: list[bytes], n_threads: int) -> list[Ranked]: ...
    def rank_json(self, body: bytes, timings: bool = False) -> bytes: ...
    def score(self, body: bytes) -> NDArray[np.float64]: ...
    def score_json(self, body: bytes) -> bytes: ...

# Trees

class Forest:
    def __init__(self, arrays: dict[str, NDArray[np.generic]], costs: str) -> None: ...
    def measure(self, arrays: dict[str, NDArray[np.generic]]) -> str | None: ...
    def kernels(self) -> str: ...
    @property
    def n_features(self) -> int: ...
    @property
    def n_outputs(self) -> int: ...
    @property
    def n_trees(self) -> int: ...
    @property
    def n_rounds(self) -> int: ...
    @property
    def default_rounds(self) -> int: ...
    @property
    def is_float32(self) -> bool: ...
    @property
    def derives_features(self) -> bool: ...
    def predict(
        self,
        X: NDArray[np.generic],
        first: int,
        last: int,
        raw: bool,
        out: NDArray[np.float32] | NDArray[np.float64],
        n_threads: int,
    ) -> None: ...
    def predict_sparse(
        self,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int32],
        values: NDArray[np.generic],
        first: int,
        last: int,
        raw: bool,
        out: NDArray[np.float32] | NDArray[np.float64],
        n_threads: int,
    ) -> None: ...
    def leaf_indices(
        self, X: NDArray[np.generic], first: int, last: int, n_threads: int
    ) -> NDArray[np.uint32]: ...
    def leaf_indices_sparse(
        self,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int32],
        values: NDArray[np.generic],
        first: int,
        last: int,
        n_threads: int,
    ) -> NDArray[np.uint32]: ...

def compile_bitslice(arrays: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]: ...
def lay_out(
    split_offsets: NDArray[np.int64],
    leaf_offsets: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    decisions: NDArray[np.uint32],
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.int64]]: ...

class BoundForest:
    """A call of a forest whose input and output stand already."""

    def __init__(
        self,
        forest: Forest,
        X: NDArray[np.generic],
        out: NDArray[np.float32] | NDArray[np.float64],
        first: int,
        last: int,
        raw: bool,
    ) -> None: ...
    @property
    def X(self) -> NDArray[np.float32] | NDArray[np.float64]: ...  # noqa: N802
    @property
    def out(self) -> NDArray[np.float32] | NDArray[np.float64]: ...
    def __call__(
        self, rows: NDArray[np.float32] | NDArray[np.float64] | None = None
    ) -> NDArray[np.float32] | NDArray[np.float64]: ...

def transformed(transform: int, scale: float, sums: NDArray[np.float64]) -> NDArray[np.float64]: ...
def base_margins(link: int, scores: NDArray[np.float32]) -> NDArray[np.float32]: ...
