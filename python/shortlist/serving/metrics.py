"""Counters as text for Prometheus, or as OpenMetrics 1.0 for those that accept it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from shortlist.serving.deployment import Deployment
from shortlist.serving.reply import Reply

if TYPE_CHECKING:
    from shortlist._core import CounterSnapshot, RouteCounts

__all__ = ["metrics_reply", "render_metrics"]

PROMETHEUS = b"text/plain; version=0.0.4; charset=utf-8"
# The native histogram is finer, by 16; a scrape of every stage of every model should stay small.
STAGE_BOUNDS_NS = tuple(2**power for power in range(8, 35))
OPENMETRICS = b"application/openmetrics-text; version=1.0.0; charset=utf-8"


def metrics_reply(
    deployment: Deployment, http_counts: Mapping[tuple[str, int], int], *, accept: bytes
) -> Reply:
    """Answer a scrape in the format that the ``Accept`` header asks for."""
    openmetrics = b"application/openmetrics-text" in accept.lower()
    text = render_metrics(deployment, http_counts, openmetrics=openmetrics)
    return Reply(200, text.encode(), content_type=OPENMETRICS if openmetrics else PROMETHEUS)


def render_metrics(
    deployment: Deployment,
    http_counts: Mapping[tuple[str, int], int],
    *,
    openmetrics: bool,
) -> str:
    """Write every metric.

    Parameters
    ----------
    deployment : whose engines' counters are read.
    http_counts : replies by (route, status).
    openmetrics : whether to write OpenMetrics 1.0 rather than Prometheus text 0.0.4.

    Sources: prometheus.io/docs/instrumenting/exposition_formats; OpenMetrics 1.0.
    """
    text = _Exposition(openmetrics=openmetrics)
    _write_models(text, deployment)
    _write_http(text, http_counts)
    snapshots = [
        ({"model": variant.engine.name, "version": variant.engine.version}, counts)
        for variant in deployment.variants()
        for counts in [variant.engine.counters.snapshot()]
    ]
    _write_calls(text, snapshots)
    _write_stages(text, snapshots)
    _write_unusual(text, snapshots)
    return text.finish()


Snapshots: TypeAlias = "list[tuple[dict[str, str], CounterSnapshot]]"


class _Exposition:
    """Lines of the text, family by family."""

    def __init__(self, *, openmetrics: bool) -> None:
        self._openmetrics = openmetrics
        self._lines: list[str] = []

    def family(self, name: str, kind: str, help_text: str) -> None:
        """Begin a family; a counter's samples end in _total, which only 0.0.4 puts here."""
        if kind == "counter" and not self._openmetrics:
            name += "_total"
        self._lines.append(f"# HELP {name} {help_text}")
        self._lines.append(f"# TYPE {name} {kind}")

    def sample(self, name: str, labels: Mapping[str, str], value: float) -> None:
        shown = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
        self._lines.append(f"{name}{{{shown}}} {value}")

    def finish(self) -> str:
        if self._openmetrics:
            self._lines.append("# EOF")
        return "\n".join(self._lines) + "\n"


def _write_models(text: _Exposition, deployment: Deployment) -> None:
    text.family("shortlist_model", "gauge", "Served versions; 1 for the champion, else 0.")
    for model in deployment.models.values():
        for version, variant in model.versions.items():
            labels = {"model": model.name, "version": version}
            text.sample("shortlist_model", labels, int(variant is model.champion))


def _write_http(text: _Exposition, http_counts: Mapping[tuple[str, int], int]) -> None:
    text.family("shortlist_http_replies", "counter", "HTTP replies by route and status.")
    for (route, status), count in http_counts.items():
        labels = {"route": route, "status": str(status) if status else "other"}
        text.sample("shortlist_http_replies_total", labels, count)


def _write_calls(text: _Exposition, snapshots: Snapshots) -> None:
    text.family("shortlist_requests", "counter", "Requests that reached an engine.")
    for labels, counts in _routes(snapshots):
        text.sample("shortlist_requests_total", labels, counts["requests"])
    text.family("shortlist_errors", "counter", "Requests that an engine refused or failed.")
    for labels, counts in _routes(snapshots):
        text.sample("shortlist_errors_total", labels, counts["errors"])


def _routes(snapshots: Snapshots) -> Iterable[tuple[dict[str, str], RouteCounts]]:
    for labels, snapshot in snapshots:
        for route, counts in snapshot["routes"].items():
            yield {**labels, "route": route}, counts


def _write_stages(text: _Exposition, snapshots: Snapshots) -> None:
    name = "shortlist_stage_seconds"
    text.family(name, "histogram", "Time in each stage of a request, inside the native call.")
    for labels, counts in _routes(snapshots):
        for stage, times in counts["stages"].items():
            at = {**labels, "stage": stage}
            below = _below_bounds(times["buckets"])
            for upper_ns, cumulative in zip(STAGE_BOUNDS_NS, below, strict=True):
                text.sample(f"{name}_bucket", {**at, "le": repr(upper_ns / 1e9)}, cumulative)
            # Counted while it is read: the whole is never less than its parts.
            count = max(times["count"], below[-1])
            text.sample(f"{name}_bucket", {**at, "le": "+Inf"}, count)
            text.sample(f"{name}_sum", at, times["sum_ns"] / 1e9)
            text.sample(f"{name}_count", at, count)


def _below_bounds(buckets: list[tuple[float, int]]) -> list[int]:
    """Return how many times lie below each of `STAGE_BOUNDS_NS`."""
    below: list[int] = []
    cumulative = 0
    remaining = iter(buckets)
    upper_ns, count = next(remaining, (math.inf, 0))
    for bound_ns in STAGE_BOUNDS_NS:
        while upper_ns <= bound_ns:
            cumulative = count
            upper_ns, count = next(remaining, (math.inf, 0))
        below.append(cumulative)
    return below


def _write_unusual(text: _Exposition, snapshots: Snapshots) -> None:
    name = "shortlist_fallbacks"
    text.family(name, "counter", "Rank requests answered by the bundle's fallback.")
    for labels, counts in snapshots:
        text.sample(f"{name}_total", labels, counts["fallbacks"])
    name = "shortlist_unknown_attributes"
    text.family(name, "counter", "Attributes in requests that no feature reads, by name.")
    for labels, counts in snapshots:
        for attribute, count in counts["unknown_attributes"].items():
            text.sample(f"{name}_total", {**labels, "attribute": attribute}, count)

    name = "shortlist_uncounted_unknown_attributes"
    text.family(name, "counter", "Unknown attributes beyond the names that are kept apart.")
    for labels, counts in snapshots:
        text.sample(f"{name}_total", labels, counts["unknown_attributes_uncounted"])


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
