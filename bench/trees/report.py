"""Everything that one run measured, as JSON and as failures."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from bench.harness.rounds import Comparison
from bench.trees.outcome import ModelOutcome


@dataclass(frozen=True)
class Report:
    """`start` and `request` are None where they were left out."""

    command: str
    machine: dict[str, str]
    models: list[ModelOutcome]
    skipped: dict[str, str]  # models that could not be measured, and why
    start: Comparison | None
    request: Comparison | None

    def comparisons(self) -> list[Comparison]:
        """All of them, for their versions."""
        of_models = [c for outcome in self.models for c in outcome.comparisons.values()]
        return [*of_models, *(c for c in (self.start, self.request) if c)]

    def failures(self) -> list[str]:
        """Reasons not to trust the ratios."""
        return [failure for outcome in self.models for failure in outcome.failures()]

    def json(self) -> str:
        """Every latency of every call."""
        whole = {
            "command": self.command,
            "machine": self.machine,
            "versions": versions(self.comparisons()),
            "models": [outcome.raw() for outcome in self.models],
            "skipped": self.skipped,
            "start": _raw(self.start),
            "request": _raw(self.request),
        }
        return json.dumps(whole) + "\n"


def versions(comparisons: list[Comparison]) -> dict[str, str]:
    """Distribution -> version, of all contestants."""
    found: dict[str, str] = {}
    for comparison in comparisons:
        for of_contestant in comparison.versions.values():
            found |= of_contestant
    return dict(sorted(found.items()))


def _raw(comparison: Comparison | None) -> dict[str, object] | None:
    if comparison is None:
        return None
    latencies = {name: values.tolist() for name, values in comparison.latencies.items()}
    return {"plan": asdict(comparison.plan), "latencies_ns": latencies}
