"""Comparisons as Markdown tables."""

from __future__ import annotations

from bench.harness.rounds import Comparison, Spread


def table(comparison: Comparison) -> str:
    """One row a contestant; ratios are a contestant's time over ours."""
    unit, per_ns = _unit(comparison)
    ours = comparison.ours
    notes = comparison.notes
    header = [
        comparison.title,
        f"median, {unit}",
        f"p99, {unit}",
        f"median against {ours}",
        f"p99 against {ours}",
        *notes,
    ]
    rows = [header, ["---", *["---:"] * (len(header) - 1)]]
    for name in comparison.latencies:
        rows.append(
            [
                name,
                f"{comparison.percentile_ns(name, 50) * per_ns:.3g}",
                f"{comparison.percentile_ns(name, 99) * per_ns:.3g}",
                "1" if name == ours else _ratio(comparison.ratio(name, 50)),
                "1" if name == ours else _ratio(comparison.ratio(name, 99)),
                *(notes[column].get(name, "") for column in notes),
            ]
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def method(comparison: Comparison) -> str:
    """What the figures of a table are, in a sentence."""
    plan = comparison.plan
    return (
        f"{plan.rounds} interleaved rounds of {plan.calls} calls a contestant, "
        f"after {plan.warmup_rounds} to warm up."
    )


def _ratio(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.least:.2f} to {spread.greatest:.2f})"


def _unit(comparison: Comparison) -> tuple[str, float]:
    slowest = max(comparison.percentile_ns(name, 50) for name in comparison.latencies)
    return ("ms", 1e-6) if slowest >= 1e6 else ("us", 1e-3)
