"""Scoring the candidates within a request, against LightGBM's predict of as many rows."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np

from bench.harness.contestant import Contestant
from bench.harness.rounds import Comparison, Match, Plan
from bench.whole_request import SHORTLIST
from bench.workload.requests import N_CANDIDATES

STAGE = "score stage of Engine.rank_json"
_PEER = Contestant(
    "LightGBM Booster.predict", "bench.micro.forest:LightGbm", {"batch": N_CANDIDATES}
)


def score_stage(plan: Plan, cache: Path) -> Comparison:
    """Rounds in turn: our stage as the engine itself times it, their call as others are timed."""
    title = f"scoring {N_CANDIDATES} candidates in the request"
    ours, theirs = [], []
    with Match(title, (SHORTLIST, _PEER), cache=cache) as match:
        engine, peer = match.workers[SHORTLIST.name], match.workers[_PEER.name]
        for number in range(plan.warmup_rounds + plan.rounds):
            stage = cast(list[float], engine.ask({"stage": "score", "count": plan.calls}))
            calls = peer.run(number * plan.calls, plan.calls)
            if number >= plan.warmup_rounds:
                ours.append([round(us * 1e3) for us in stage])
                theirs.append(calls)
        versions = {STAGE: engine.versions, peer.name: peer.versions}
    latencies = {STAGE: np.array(ours), peer.name: np.array(theirs)}
    return Comparison(title, plan, latencies, versions)
