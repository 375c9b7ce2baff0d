"""The parts of a request on their own, on the same harness as the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.harness.contestant import Contestant
from bench.harness.rounds import Comparison, Match, Plan


@dataclass(frozen=True)
class Micro:
    """One comparison; the first contestant is ours.

    `tolerances` says by how much a contestant's sample may differ from ours; 0 is equal bit for
    bit, and a contestant that is not named has no sample to compare.
    """

    title: str
    contestants: tuple[Contestant, ...]
    plan: Plan
    tolerances: dict[str, float] = field(default_factory=dict)

    def play(self, cache: Path, plan: Plan | None = None) -> Comparison:
        """Compare the samples, then run the rounds; AssertionError where contestants disagree."""
        with Match(self.title, self.contestants, cache=cache) as match:
            if self.tolerances:
                ours = np.array(match.workers[self.contestants[0].name].ask({"sample": True}))
            for name, tolerance in self.tolerances.items():
                theirs = np.array(match.workers[name].ask({"sample": True}))
                what = f"{self.title}: {name} and ours disagree"
                np.testing.assert_allclose(theirs, ours, rtol=0, atol=tolerance, err_msg=what)
            return match.play(plan or self.plan)


def micros() -> Iterator[Micro]:
    """Every comparison of parts."""
    for batch, calls in ((1, 500), (100, 50), (500, 20), (10_000, 2)):
        options = {"batch": batch}
        yield Micro(
            f"forest, {batch} row{'s' if batch > 1 else ''}",
            (
                Contestant("Forest.predict", "bench.micro.forest:ShortlistForest", options),
                Contestant("LightGBM Booster.predict", "bench.micro.forest:LightGbm", options),
                Contestant("lleaves", "bench.micro.forest:Lleaves", options),
            ),
            Plan(rounds=10, calls=calls),
            {"LightGBM Booster.predict": 0.0, "lleaves": 1e-9},
        )
    yield Micro(
        "exact search, 500 of 100,000 x 64",
        (
            Contestant("Index.search", "bench.micro.search:ShortlistIndex"),
            Contestant("numpy product and partition", "bench.micro.search:NumpySearch"),
            Contestant("usearch exact", "bench.micro.search:UsearchExact"),
        ),
        Plan(rounds=10, calls=50),
        {"numpy product and partition": 1e-6, "usearch exact": 1e-6},
    )
    yield Micro(
        "features, 10,000 rows x 50",
        (
            Contestant("FeatureSet.transform", "bench.micro.features:ShortlistFeatures"),
            Contestant("numpy and dict", "bench.micro.features:NumpyFeatures"),
        ),
        Plan(rounds=10, calls=5),
        {"numpy and dict": 0.0},
    )
    yield Micro(
        "engine load",
        (
            Contestant("Engine.load, full", "bench.micro.start:Load", {"verify": "full"}),
            Contestant("Engine.load, fast", "bench.micro.start:Load", {"verify": "fast"}),
            Contestant("LightGBM Booster from its file", "bench.micro.start:LoadBooster"),
        ),
        Plan(rounds=5, calls=5),
    )
    yield Micro(
        "new process that imports",
        (
            Contestant("shortlist", "bench.micro.start:Import", {"module": "shortlist"}),
            Contestant(
                "shortlist, engine and bundles",
                "bench.micro.start:Import",
                {"module": "shortlist.engine, shortlist.bundle"},
            ),
            Contestant("nothing", "bench.micro.start:Import", {"module": "sys"}),
            Contestant("numpy", "bench.micro.start:Import", {"module": "numpy"}),
            Contestant("lightgbm", "bench.micro.start:Import", {"module": "lightgbm"}),
        ),
        Plan(rounds=5, calls=5),
    )
