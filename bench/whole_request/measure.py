"""Plays the whole-request match and has every contestant's answers judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from bench.harness.client import Worker
from bench.harness.contestant import Contestant
from bench.harness.rounds import Comparison, Match, Plan
from bench.whole_request import COMMON_GLUE, CONTESTANTS, JUDGE, SHORTLIST, TITLE
from bench.whole_request.judge import Verdict
from bench.workload.requests import N_CANDIDATES, K

_LIGHTGBM_SCORES = (SHORTLIST.name, COMMON_GLUE.name)
_TOLERANCE = 1e-9

Replies = list[dict[str, Any]]


@dataclass(frozen=True)
class Outcome:
    comparison: Comparison
    verdicts: dict[str, Verdict]
    stages_us: dict[str, float]  # our median microseconds by stage

    def failures(self) -> list[str]:
        """Reasons not to trust the ratios: wrong scores, wrong order, or a lower recall of ours."""
        found = []
        for name, verdict in self.verdicts.items():
            if name in _LIGHTGBM_SCORES and verdict.wrong_scores:
                found.append(f"{name}: {verdict.wrong_scores} scores are not LightGBM's")
            if verdict.largest_error > _TOLERANCE:
                found.append(f"{name}: a score is off by {verdict.largest_error:.3g}")
            if verdict.wrong_order:
                found.append(f"{name}: {verdict.wrong_order} replies are out of order")
        ours = self.verdicts.get(SHORTLIST.name)
        best = max(verdict.recall for verdict in self.verdicts.values())
        if ours and ours.recall < best:
            found.append(f"{SHORTLIST.name}: recall {ours.recall:.4f} is under a peer's {best:.4f}")
        return found


def measure(plan: Plan, cache: Path, contestants: Sequence[Contestant] = CONTESTANTS) -> Outcome:
    """Judge first, then play; every contestant must give the best K of its own candidates."""
    with Match(TITLE, contestants, cache=cache) as match:
        replies = {name: match.workers[name].ask({"k": K}) for name in match.workers}
        whole = {name: match.workers[name].ask({"k": N_CANDIDATES}) for name in match.workers}
        for name in match.workers:
            _check_heads(name, cast(Replies, replies[name]), cast(Replies, whole[name]))
        with match.open(JUDGE) as judge:
            verdicts = {name: _judged(judge, replies) for name, replies in whole.items()}
        comparison = match.play(plan)
        stages: dict[str, float] = {}
        if SHORTLIST.name in match.workers:
            stages = cast(dict[str, float], match.workers[SHORTLIST.name].ask({"stages": True}))
    return Outcome(replace(comparison, notes=_notes(verdicts)), verdicts, stages)


def _judged(judge: Worker, replies: object) -> Verdict:
    return Verdict(**cast(dict[str, Any], judge.ask({"replies": replies})))


def _check_heads(name: str, replies: Replies, whole: Replies) -> None:
    for i, (head, full) in enumerate(zip(replies, whole, strict=True)):
        if head["scores"] != full["scores"][:K]:
            raise AssertionError(f"{name}, body {i}: the best {K} are not the head of all scores")


def _notes(verdicts: dict[str, Verdict]) -> dict[str, dict[str, str]]:
    return {
        f"recall@{N_CANDIDATES}": {name: f"{v.recall:.4f}" for name, v in verdicts.items()},
        "largest score error": {name: f"{v.largest_error:.1g}" for name, v in verdicts.items()},
    }
