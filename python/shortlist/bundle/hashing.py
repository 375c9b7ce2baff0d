"""XXH64 of ids, seed 0: eight little-endian bytes of an integer, the UTF-8 bytes of a text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shortlist import _core

__all__ = ["hash_records"]


def hash_records(data: bytes, offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash of each record; record i is ``data[offsets[i]:offsets[i + 1]]``."""
    n = len(offsets) - 1
    return _core.xxh64_column((data, offsets, np.zeros(n, dtype=np.uint8)), n, 0)
