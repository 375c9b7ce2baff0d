"""reference.json: distributions of features and scores when the bundle was packed, to see drift by.

A histogram has the bins that quantiles of the reference rows give: edges strictly ascend, and bin
i counts the values x with ``edges[i - 1] <= x < edges[i]``, the first and the last one open. So
there is one more count than edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from shortlist import strict_json
from shortlist.bundle.folder import Folder
from shortlist.errors import ArgumentError, FormatError

__all__ = ["FILE_NAME", "Histogram", "Reference", "decode", "encode", "profile", "read"]

FILE_NAME = "reference.json"
_FEATURE_BINS = 10
_SCORE_BINS = 20
_MAX_BYTES = 64 << 20


class Histogram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Counts of one column's values; `missing` counts NaN."""

    name: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of reference.json."""

    version: int
    rows: int
    features: tuple[Histogram, ...]
    scores: Histogram


def profile(
    names: Sequence[str],
    rows: NDArray[np.float32] | NDArray[np.float64],
    scores: NDArray[np.float64],
) -> Reference:
    """Histograms of a dense matrix and of its scores.

    Parameters
    ----------
    names
        One name a column.
    rows
        Shape (n, len(names)), n at least 1.
    scores
        Shape (n,).

    Raises
    ------
    ArgumentError
        There are no rows, or the shapes disagree.
    """
    if len(rows) == 0:
        raise ArgumentError("reference: no rows")
    if rows.shape != (len(scores), len(names)):
        raise ArgumentError(
            f"reference: rows of shape {rows.shape}, expected {(len(scores), len(names))}"
        )
    features = tuple(
        _histogram(name, column, _FEATURE_BINS) for name, column in zip(names, rows.T, strict=True)
    )
    return Reference(1, len(rows), features, _histogram("score", scores, _SCORE_BINS))


def encode(reference: Reference) -> bytes:
    """Text of reference.json."""
    return msgspec.json.encode(reference) + b"\n"


def read(folder: Folder) -> Reference:
    """Read reference.json of an open folder; raises `FormatError` and what reading raises."""
    return decode(folder.read(FILE_NAME, max_bytes=_MAX_BYTES))


def decode(data: bytes) -> Reference:
    """Validate the text of a reference.json.

    Raises
    ------
    FormatError
        The message names the member, or the column whose histogram is no histogram.
    """
    try:
        reference = msgspec.convert(strict_json.decode(data, FILE_NAME), Reference)
    except msgspec.ValidationError as error:
        raise FormatError(f"{FILE_NAME}: {error}") from None
    if reference.version != 1:
        raise FormatError(f"{FILE_NAME}: version is {reference.version}, expected 1")
    for histogram in (*reference.features, reference.scores):
        edges = histogram.edges
        ascending = all(low < high for low, high in pairwise(edges))
        total = sum(histogram.counts) + histogram.missing
        if (
            not ascending
            or len(histogram.counts) != len(edges) + 1
            or min(*histogram.counts, histogram.missing) < 0
            or total != reference.rows
        ):
            raise FormatError(
                f"{FILE_NAME}: {histogram.name!r}: edges and counts are no histogram of "
                f"{reference.rows} rows"
            )
    return reference


def _histogram(
    name: str, column: NDArray[np.float32] | NDArray[np.float64], n_bins: int
) -> Histogram:
    values = column.astype(np.float64)
    present = values[~np.isnan(values)]
    finite = present[np.isfinite(present)]
    levels = np.arange(1, n_bins) / n_bins
    # Edges are values of the column, so that a value repeated often falls into one bin exactly.
    edges = np.unique(np.quantile(finite, levels, method="higher")) if finite.size else np.zeros(0)
    bins = np.searchsorted(edges, present, side="right")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    return Histogram(
        name,
        tuple(edges.tolist()),
        tuple(counts.tolist()),
        int(values.size - present.size),
    )
