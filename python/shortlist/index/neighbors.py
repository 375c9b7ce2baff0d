"""What a search returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import ArgumentError

__all__ = ["Ids", "Metric", "Neighbors"]

Metric: TypeAlias = Literal["ip", "cosine", "l2"]
Ids: TypeAlias = NDArray[np.int64] | NDArray[np.str_]


@dataclass(slots=True, eq=False)
class Neighbors:
    """What a search found, best first.

    Attributes
    ----------
    ids : int64 or str, shape (n, k), or (n, size of the index) where that is less
        Where fewer than k vectors pass, -1 or the empty string.
    scores : float32, shape (n, k)
        Higher is better; -inf where there is no vector.
    metric : "ip", "cosine" or "l2"
    exact : bool
        Whether the search proved that no better vector exists.
    reranked : bool
        Whether scores are the metric in float32; otherwise they are those of 8-bit codes.
    """

    ids: Ids
    scores: NDArray[np.float32]
    metric: Metric = "ip"
    exact: bool = True
    reranked: bool = True

    @property
    def distances(self) -> NDArray[np.float32]:
        """Euclidean distances under l2, float32, ascending; inf where there is no vector.

        Raises
        ------
        ArgumentError
            Under another metric.
        """
        if self.metric != "l2":
            raise ArgumentError(f"distances: the metric is {self.metric!r}, expected 'l2'")
        distances: NDArray[np.float32] = np.sqrt(np.maximum(-self.scores, 0))
        return distances
