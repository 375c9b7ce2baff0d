"""Offline quality: how well an order of films foretells what people liked afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

__all__ = ["Quality", "Report", "auc", "ndcg_at", "quality", "recall_at"]

RECALL_K = 100
NDCG_K = 10

Scores = NDArray[np.floating]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Quality:
    """Means over people, each between 0 and 1."""

    recall: float
    ndcg: float
    auc: float


def quality(candidates: Scores, scores: Scores, liked: Flags, seen: Flags) -> Quality:
    """Measure one way to order the films; all arrays have the shape (people, films).

    Parameters
    ----------
    candidates
        Scores that make the list, for recall and NDCG; -inf where a film is no candidate.
    scores
        Scores of every film, for AUC.
    liked, seen
        What counts as a hit, and what is not ranked. Everybody has at least one hit.
    """
    listed = np.where(seen, -np.inf, candidates)
    return Quality(
        float(recall_at(listed, liked, k=RECALL_K).mean()),
        float(ndcg_at(listed, liked, k=NDCG_K).mean()),
        float(auc(scores, liked, seen).mean()),
    )


def recall_at(scores: Scores, liked: Flags, *, k: int) -> NDArray[np.float64]:
    """Return each person's share of liked films among the first k; films at -inf are not listed."""
    shares: NDArray[np.float64] = _hits(scores, liked, k).sum(axis=1) / liked.sum(axis=1)
    return shares


def ndcg_at(scores: Scores, liked: Flags, *, k: int) -> NDArray[np.float64]:
    """Return each person's normalised discounted cumulative gain with gains of 0 and 1.

    Source: Järvelin and Kekäläinen 2002, with discounts 1 / log2(place + 1).
    """
    hits = _hits(scores, liked, k)
    discounts = 1.0 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])
    most = ideal[np.minimum(liked.sum(axis=1), hits.shape[1])]
    gains: NDArray[np.float64] = (hits @ discounts) / most
    return gains


def auc(scores: Scores, liked: Flags, seen: Flags) -> NDArray[np.float64]:
    """Return each person's chance that a liked film stands before one left; a tie counts half.

    Source: the rank sum of Mann and Whitney 1947.
    """
    ranks = np.array([_ranks(row) for row in np.where(seen, -np.inf, scores)])
    n_seen = seen.sum(axis=1)
    n_liked = liked.sum(axis=1)
    n_left = scores.shape[1] - n_seen - n_liked
    rank_sums = (ranks * liked).sum(axis=1) - n_liked * n_seen
    chances: NDArray[np.float64] = (rank_sums - n_liked * (n_liked + 1) / 2) / (n_liked * n_left)
    return chances


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Places from 1 for the least; equal values share the mean of theirs."""
    ascending = np.sort(values)
    first = np.searchsorted(ascending, values, side="left")
    last = np.searchsorted(ascending, values, side="right")
    return (first + 1 + last) / 2.0


def _hits(scores: Scores, liked: Flags, k: int) -> Flags:
    """Mark hits by place, shape (people, min(k, films)); equal scores: lower row first."""
    first = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(liked & np.isfinite(scores), first, axis=1)


@dataclass(frozen=True)
class Report:
    """Quality of the ranker and of what it must beat."""

    ranker: Quality
    baselines: dict[str, Quality]

    def shortfalls(self) -> list[str]:
        """Sentences on each baseline that the ranker does not beat, by NDCG or by AUC."""
        return [
            f"{measure} of the ranker is {ours:.4f}, of {name} {theirs:.4f}"
            for name, quality in self.baselines.items()
            for measure, ours, theirs in (
                (f"NDCG@{NDCG_K}", self.ranker.ndcg, quality.ndcg),
                ("AUC", self.ranker.auc, quality.auc),
            )
            if ours <= theirs
        ]

    def table(self, *, ranker_name: str) -> Table:
        """Render one line for each way to order."""
        table = Table()
        table.add_column("order by")
        for name in (f"recall@{RECALL_K}", f"NDCG@{NDCG_K}", "AUC"):
            table.add_column(name, justify="right")
        for name, row in self.baselines.items():
            table.add_row(name, *_cells(row))
        table.add_row(ranker_name, *_cells(self.ranker), style="bold green")
        return table


def _cells(row: Quality) -> tuple[str, str, str]:
    return f"{row.recall:.4f}", f"{row.ndcg:.4f}", f"{row.auc:.4f}"
