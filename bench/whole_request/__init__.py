"""The whole request: JSON in, 500 of 100,000 items, features, ranker, best 50 out as JSON."""

from __future__ import annotations

from bench.harness.contestant import Contestant

TITLE = "whole request"
SHORTLIST = Contestant("shortlist", "bench.whole_request.engine:EnginePeer")
COMMON_GLUE = Contestant("common glue", "bench.whole_request.common_glue:CommonGlue")
BEST_GLUE = Contestant("best glue", "bench.whole_request.best_glue:BestGlue")
CONTESTANTS = (SHORTLIST, COMMON_GLUE, BEST_GLUE)
JUDGE = Contestant("judge", "bench.whole_request.judge:Judge")
