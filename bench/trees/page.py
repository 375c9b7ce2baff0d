"""The results page of the trees: against the targets first, then every figure of every model."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence

from bench.harness.rounds import Comparison, Spread
from bench.harness.tables import method, table
from bench.trees.bounds import shortfalls
from bench.trees.lineup import (
    NO_JIT,
    PORTABLE,
    TWO_THREADS,
    TWO_THREADS_BATCH,
    headline,
)
from bench.trees.outcome import ModelOutcome
from bench.trees.report import Report, versions
from bench.trees.rows import SEED
from bench.trees.start import COMPILE, LOAD
from bench.trees.targets import (
    COMPILE_C_MS,
    LOAD_C_MS,
    REQUEST_SPEEDUP,
    Target,
    targets_of,
    variant_target,
)

_INTRODUCTION = """\
One run on one machine; absolute times are this machine's, ratios travel better. Every contestant
runs in a process of its own, pinned to the same processor and to one thread, over the same fresh
float32 rows, in rounds that alternate their order; calls are made in Python, as users make them.
A ratio is taken within a round: its median over the rounds, and in brackets the least and the
greatest. `bench/README.md` tells what is measured and how to run it."""

_SUMMARY = """\
Ours is `Forest.bind` up to 10 rows, and `Forest.predict` from 100 on. The best peer is the one of
the least median at that batch. The scores of ours are compared with the training library's
`predict` on the same rows in the same run."""

_VARIANTS = """\
Against the best peer, except for two threads, which are against one: ours with `SHORTLIST_JIT=0`,
ours with `SHORTLIST_ISA=portable`, and `n_threads=2` on two processors, in calls that follow each
other (a processor that idles wakes late)."""


def page(report: Report) -> str:
    """The whole page, as Markdown."""
    sections = ["# Trees: benchmark results", _INTRODUCTION]
    if report.models:
        sections += ["## Against the best peer", _SUMMARY, summary(report.models)]
        short = shortfalls(report.models)
        if short:
            sections += ["### What falls short, and what bounds it", *short]
        sections += ["## Without JIT, without AVX, on two threads", _VARIANTS]
        sections.append(variants(report.models))
    sections += _single("## Ready to score", report.start, _start_targets(report.start))
    sections += _single("## In the request", report.request, _request_target(report.request))
    for outcome in report.models:
        sections += [f"## {outcome.model.title}", *_details(outcome)]
    if report.skipped:
        rows = [[name, reason] for name, reason in report.skipped.items()]
        sections += ["## Not measured", _table(["model", "why"], rows)]
    sections += ["## Machine and versions", _facts(report)]
    return "\n\n".join(sections) + "\n"


def summary(outcomes: Sequence[ModelOutcome]) -> str:
    """A line for each model and batch: our time, the best peer's, and what was aimed at."""
    header = ["model", "batch", "ours, ns a row", "best peer, ns a row", "best peer"]
    header += ["times faster", "target", "met", "same scores"]
    rows = []
    for outcome in outcomes:
        for batch in outcome.comparisons:
            best = outcome.best_peer(batch)
            targets = targets_of(outcome.name, batch)
            speedups = [outcome.speedup(batch, over=target.over) for target in targets]
            cells = (
                _met(targets, speedups) if targets else [_spread(outcome.speedup(batch)), "", ""]
            )
            ours = _number(outcome.ns_a_row(headline(batch), batch))
            theirs = _number(outcome.ns_a_row(best, batch))
            same = str(outcome.agreements[batch][headline(batch)])
            rows.append([outcome.name, f"{batch:,}", ours, theirs, best, *cells, same])
    return _table(header, rows)


def variants(outcomes: Sequence[ModelOutcome]) -> str:
    """A line for each model and variant of ours."""
    header = ["model", "batch", "variant", "ns a row", "times faster", "target", "met"]
    header.append("same scores")
    rows = []
    for outcome in outcomes:
        for batch, comparison in outcome.comparisons.items():
            for name in (NO_JIT, PORTABLE):
                if name not in comparison.latencies:
                    continue
                ns = outcome.ns_a_row(name, batch)
                cells = _variant(outcome.name, name, ns, outcome.speedup(batch, of=name))
                same = str(outcome.agreements[batch][name])
                rows.append([outcome.name, f"{batch:,}", *cells, same])
        if outcome.threads is not None:
            batch, threads = TWO_THREADS_BATCH, outcome.threads
            ns = threads.comparison.percentile_ns(TWO_THREADS, 50) / batch
            cells = _variant(outcome.name, TWO_THREADS, ns, threads.speedup)
            rows.append([outcome.name, f"{batch:,}", *cells, str(threads.agreement)])
    return _table(header, rows)


def _variant(model: str, name: str, ns: float, speedup: Spread) -> list[str]:
    target = variant_target(model, name)
    cells = _met((target,), [speedup]) if target else [_spread(speedup), "", ""]
    return [name, _number(ns), *cells]


def _details(outcome: ModelOutcome) -> Iterator[str]:
    yield f"{outcome.shape}."
    for batch, comparison in outcome.comparisons.items():
        yield _batch_table(outcome, batch)
        yield method(comparison)
    if outcome.compile_seconds:
        took = (f"{name} {_number(s)}" for name, s in outcome.compile_seconds.items())
        yield f"Processor seconds to compile it, once and beforehand: {', '.join(took)}."
    if outcome.absent:
        yield _table(["absent", "why"], [list(pair) for pair in outcome.absent.items()])


def _batch_table(outcome: ModelOutcome, batch: int) -> str:
    comparison, ours = outcome.comparisons[batch], headline(batch)
    header = [f"batch {batch:,}", "median, us", "p99, us", "ns a row", f"median against {ours}"]
    header.append("same scores")
    rows = []
    for name in comparison.latencies:
        rows.append(
            [
                name,
                _number(comparison.percentile_ns(name, 50) / 1e3),
                _number(comparison.percentile_ns(name, 99) / 1e3),
                _number(outcome.ns_a_row(name, batch)),
                "1" if name == ours else _spread(comparison.ratio(name, 50, against=ours)),
                str(outcome.agreements[batch][name]),
            ]
        )
    return _table(header, rows)


def _single(title: str, comparison: Comparison | None, targets: str) -> Iterable[str]:
    if comparison is None:
        return ()
    return (title, table(comparison), method(comparison), targets)


def _start_targets(comparison: Comparison | None) -> str:
    if comparison is None:
        return ""
    limits = ((COMPILE, COMPILE_C_MS), (LOAD, LOAD_C_MS))
    told = []
    for name, limit in limits:
        ms = comparison.percentile_ns(name, 50) / 1e6
        told.append(f"{name} {_number(ms)} ms (target: under {limit:g} ms, {_yes(ms < limit)})")
    return f"{'; '.join(told)}."


def _request_target(comparison: Comparison | None) -> str:
    if comparison is None:
        return ""
    (peer,) = (name for name in comparison.latencies if name != comparison.ours)
    speedup = comparison.ratio(peer, 50)
    met = _yes(speedup.median >= REQUEST_SPEEDUP)
    return f"Times faster: {_spread(speedup)} (target: >= {REQUEST_SPEEDUP:g}x, {met})."


def _met(targets: Sequence[Target], speedups: Sequence[Spread]) -> list[str]:
    """Three cells: times faster, target, whether it is met; by <br> where there are several."""
    met = [_yes(s.median >= t.least) for t, s in zip(targets, speedups, strict=True)]
    cells = ([_spread(s) for s in speedups], [str(t) for t in targets], met)
    return ["<br>".join(cell) for cell in cells]


def _yes(is_met: bool) -> str:
    return "yes" if is_met else "**no**"


def _spread(spread: Spread) -> str:
    median, least, greatest = map(_number, (spread.median, spread.least, spread.greatest))
    return f"{median} ({least} to {greatest})"


def _number(value: float) -> str:
    """Three digits, without exponents."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _facts(report: Report) -> str:
    found = versions(report.comparisons())
    facts = {
        "command": f"`{report.command}`",
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        "seed": str(SEED),
        "versions": ", ".join(f"{name} {version}" for name, version in found.items()),
        **report.machine,
    }
    return _table(["", ""], [list(pair) for pair in facts.items()])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
