"""Types of the native core."""

from typing import TypeAlias

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

class FeatureSet:
    @staticmethod
    def from_json(text: str | bytes) -> FeatureSet: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def uses_similarity(self) -> bool: ...
    @property
    def blocks(self) -> list[tuple[str, bool, list[int]]]: ...
    def fields(self, source: str) -> list[tuple[str, bool]]: ...
    def encode_source(
        self, source: str, columns: list[_Column], n: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]: ...
    def transform(
        self,
        user: list[_Column],
        context: list[_Column],
        item: list[_Column],
        similarity: NDArray[np.float32] | None,
        n: int,
    ) -> list[NDArray[np.float32] | NDArray[np.int32]]: ...
