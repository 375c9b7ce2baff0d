"""How many times faster than a peer each model is meant to be scored, in float64 and exact."""

from __future__ import annotations

from dataclasses import dataclass

from bench.trees.lineup import CATBOOST, CATBOOST_CPP, NO_JIT, PORTABLE, TWO_THREADS

COMPILE_C_MS = 1000.0
LOAD_C_MS = 20.0
TWO_THREADS_SPEEDUP = 1.8
REQUEST_SPEEDUP = 40.0


@dataclass(frozen=True)
class Target:
    """At least so many times the speed; `over` names a peer, else it is the best one."""

    least: float
    over: str | None = None

    def __str__(self) -> str:
        return f">= {self.least:g}x" + (f" {self.over}" if self.over else "")


def _rising(at_1: float, at_100: float, from_1000: float) -> dict[int, tuple[Target, ...]]:
    return {
        1: (Target(at_1),),
        100: (Target(at_100),),
        1000: (Target(from_1000),),
        10_000: (Target(from_1000),),
    }


# model -> batch -> what our headline call must reach
TARGETS: dict[str, dict[int, tuple[Target, ...]]] = {
    "A": _rising(6, 10, 20),
    "B": _rising(6, 10, 20),
    "C": _rising(10, 15, 25),
    "B-categories": _rising(10, 20, 60),
    "XGBoost": _rising(8, 10, 20),
    "CatBoost": {
        **_rising(2.5, 2, 2),
        1: (Target(2.5, CATBOOST_CPP), Target(40, CATBOOST)),
    },
}

# model -> our variant -> what it must reach at 1000
VARIANT_TARGETS: dict[str, dict[str, Target]] = {
    name: {NO_JIT: Target(10), PORTABLE: Target(0.5)} for name in ("A", "B")
}


def targets_of(model: str, batch: int) -> tuple[Target, ...]:
    """The targets of a cell of the table; none where none is set."""
    return TARGETS.get(model, {}).get(batch, ())


def variant_target(model: str, variant: str) -> Target | None:
    """The target of a variant of ours, where one is set."""
    if variant == TWO_THREADS:
        return Target(TWO_THREADS_SPEEDUP)
    return VARIANT_TARGETS.get(model, {}).get(variant)
