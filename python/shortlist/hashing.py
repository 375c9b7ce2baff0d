"""The hash behind ids, hashed features and crosses: XXH64, over bytes, texts or whole columns."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.errors import ArgumentError
from shortlist.features.columns import read_column

__all__ = ["xxh64"]


@overload
def xxh64(values: str | bytes, seed: int = 0) -> int: ...  # type: ignore[overload-overlap]
@overload
def xxh64(values: object, seed: int = 0) -> NDArray[np.uint64]: ...
def xxh64(values: object, seed: int = 0) -> int | NDArray[np.uint64]:
    """Hash a text, bytes, or every value of a column.

    Parameters
    ----------
    values
        Text (hashed as UTF-8), bytes, or a column: an array, list, pandas or polars series of texts
        or numbers. A number is hashed as its canonical text: ``1``, ``1.0`` and ``"1"`` are equal.
    seed
        0 to 2**64 - 1.

    Returns
    -------
    An integer for a text or bytes; uint64 (n,) for a column, 0 where a value is missing.

    Raises
    ------
    ArgumentError
        The seed is out of range, or the column mixes types or holds unsupported ones.

    Source: the xxHash algorithm description, XXH64.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**64:
        raise ArgumentError(f"seed must be an integer from 0 to 2**64 - 1, not {seed!r}")
    if isinstance(values, bytes):
        return _core.xxh64(values, seed)
    if isinstance(values, str):
        return _core.xxh64(_utf8(values), seed)
    column = read_column(values, "values", as_text=True)
    n = len(column[2]) if isinstance(column, tuple) else len(column)
    return _core.xxh64_column(column, n, seed)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"the text is not Unicode: {error}") from None
