"""The results page: the machine, versions, seed and command, then every table."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from bench.harness.rounds import Comparison
from bench.harness.tables import method, table
from bench.whole_request.measure import Outcome
from bench.workload.catalogue import SEED

_INTRODUCTION = """\
One run on one machine; absolute times are this machine's, ratios travel better. Every contestant
runs in a process of its own, pinned to the same processor and to one thread, over the same inputs,
in rounds that alternate their order. A ratio is the contestant's time over ours within a round: its
median over the rounds, and in brackets the least and the greatest.
`bench/README.md` tells what is measured and how to run it. Trees alone, over more models and
against more peers, have [a page of their own](results-trees.md)."""

_WHOLE = """\
JSON in, 500 candidates out of 100,000 items x 64 dimensions, 20 request and 30 item features, a
LightGBM ranker of 500 trees x 63 leaves, the best 50 as JSON. {n} request bodies that differ, half
with a vector, half with the id of a stored user.

- **common glue**: `json`, usearch float32, a numpy gather, LightGBM's `predict`, `json`.
- **best glue**: `orjson`, usearch int8, preallocated numpy, lleaves, `orjson`.
- recall is against exact search in float64; a score error is against LightGBM's `predict` on the
  same rows (0: equal bit for bit)."""


def page(
    whole: Outcome | None, parts: Sequence[Comparison], *, command: str, machine: dict[str, str]
) -> str:
    """The whole page, as Markdown."""
    sections = ["# Benchmark results", _INTRODUCTION]
    comparisons = [*([whole.comparison] if whole else []), *parts]
    if whole:
        sections += ["## The whole request", *_whole_request(whole)]
    if parts:
        sections.append("## Parts of it")
        for comparison in parts:
            sections += [table(comparison), method(comparison)]
    sections += ["## Machine and versions", _facts(comparisons, command, machine)]
    return "\n\n".join(sections) + "\n"


def _whole_request(whole: Outcome) -> Iterable[str]:
    from bench.workload.requests import N_BODIES

    yield _WHOLE.format(n=N_BODIES)
    yield table(whole.comparison)
    yield method(whole.comparison)
    if whole.stages_us:
        cells = ", ".join(f"{stage} {us:.0f}" for stage, us in whole.stages_us.items())
        yield f"Where our time goes, median microseconds a stage: {cells}."


def _facts(comparisons: Sequence[Comparison], command: str, machine: dict[str, str]) -> str:
    versions: dict[str, str] = {}
    for comparison in comparisons:
        for of_contestant in comparison.versions.values():
            versions |= of_contestant
    now = datetime.datetime.now(datetime.UTC)
    facts = {
        "command": f"`{command}`",
        "date": f"{now:%Y-%m-%d %H:%M} UTC",
        "seed": str(SEED),
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
        **machine,
    }
    rows = ["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in facts.items())]
    return "\n".join(rows)
