"""Search for the best 100 at a recall, exactly, and under a filter, beside what people use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench.harness.contestant import Contestant
from bench.harness.rounds import Comparison, Match, Plan

_SUBJECTS = "bench.retrieval.subjects"


@dataclass(frozen=True)
class Search:
    """One comparison; the first contestant is ours. The recall in its table is measured."""

    title: str
    contestants: tuple[Contestant, ...]
    plan: Plan

    def play(self, cache: Path, plan: Plan | None = None) -> Comparison:
        """Tune each contestant, run the rounds, and note the recall that it reached."""
        with Match(self.title, self.contestants, cache=cache) as match:
            reached = {
                name: f"{float(str(worker.ask({'recall': True}))):.4f}"
                for name, worker in match.workers.items()
            }
            return replace(match.play(plan or self.plan), notes={"recall@100": reached})


def searches(n: int = 100_000, dim: int = 64) -> Iterator[Search]:
    """Every comparison of searches."""
    lists = max(16, round(4 * n**0.5 / 16) * 16)
    plan = Plan(rounds=8, calls=250)
    for hardness in ("easy", "hard"):
        where = {"n": n, "dim": dim, "hardness": hardness}
        for recall in (0.9, 0.95, 0.99):
            options = {**where, "recall": recall}
            yield Search(
                f"{n:,} x {dim} {hardness}, recall {recall:g}",
                (
                    Contestant("Index.search", f"{_SUBJECTS}:ShortlistSearch", options),
                    Contestant(
                        "Index.search, rerank=False",
                        f"{_SUBJECTS}:ShortlistSearch",
                        {**options, "rerank": False},
                    ),
                    *_peers(options, lists),
                ),
                plan,
            )
        exact = {**where, "recall": 1.0}
        yield Search(
            f"{n:,} x {dim} {hardness}, exact",
            (
                Contestant(
                    "Index.search, flat", f"{_SUBJECTS}:ShortlistSearch", {**exact, "kind": "flat"}
                ),
                Contestant("Index.search, lists", f"{_SUBJECTS}:ShortlistSearch", exact),
                Contestant("faiss Flat", f"{_SUBJECTS}:Faiss", {**exact, "factory": "Flat"}),
            ),
            Plan(rounds=8, calls=50),
        )
    for passing in (0.5, 0.1, 0.01):
        options = {"n": n, "dim": dim, "hardness": "hard", "recall": 0.95, "passing": passing}
        factory = f"IVF{lists},SQ8"
        yield Search(
            f"{n:,} x {dim} hard, {passing:.0%} pass, recall 0.95",
            (
                Contestant("Index.search", f"{_SUBJECTS}:ShortlistSearch", options),
                Contestant(
                    f"faiss {factory}", f"{_SUBJECTS}:Faiss", {**options, "factory": factory}
                ),
                Contestant("hnswlib", f"{_SUBJECTS}:Hnswlib", options),
            ),
            Plan(rounds=6, calls=50),
        )


def _peers(options: dict[str, str | int | float], lists: int) -> Iterator[Contestant]:
    for factory in (f"IVF{lists},SQ8", "HNSW32"):
        yield Contestant(f"faiss {factory}", f"{_SUBJECTS}:Faiss", {**options, "factory": factory})
    yield Contestant("hnswlib", f"{_SUBJECTS}:Hnswlib", options)
    yield Contestant("usearch f32", f"{_SUBJECTS}:Usearch", options)
