"""Latency of requests by stage, as percentiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from rich.table import Table

__all__ = ["latency_table"]

PERCENTILES = (50, 99)


def latency_table(timings: Sequence[Mapping[str, float]]) -> Table:
    """Render one line a stage.

    Parameters
    ----------
    timings
        For each request, microseconds by stage; a stage that a request skipped counts as 0.
    """
    table = Table()
    table.add_column("stage")
    for percentile in PERCENTILES:
        table.add_column(f"p{percentile} µs", justify="right")
    stages = list(dict.fromkeys(stage for request in timings for stage in request))
    for stage in stages:
        values = np.array([request.get(stage, 0.0) for request in timings])
        cells = (f"{np.percentile(values, percentile):.1f}" for percentile in PERCENTILES)
        table.add_row(stage, *cells, style="bold" if stage == "total" else None)
    return table
