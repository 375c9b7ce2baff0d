"""What the server asks of an engine, and the shape of the counters it reads."""

from __future__ import annotations

from typing import Protocol, TypedDict

__all__ = ["CounterSnapshot", "Counters", "RankingEngine", "RouteCounts", "StageTimes"]


class StageTimes(TypedDict):
    """A histogram: ``buckets`` are (upper bound in ns, cumulative count), ascending.

    Buckets in which nothing was counted are left out; the last bound may be infinite.
    """

    count: int
    sum_ns: int
    buckets: list[tuple[float, int]]


class RouteCounts(TypedDict):
    """Requests of one kind since load, those that failed among them, and times by stage."""

    requests: int
    errors: int
    stages: dict[str, StageTimes]


class CounterSnapshot(TypedDict):
    """Everything the native core counts for one engine; the routes are ``rank`` and ``score``."""

    routes: dict[str, RouteCounts]
    fallbacks: int
    unknown_attributes: dict[str, int]
    unknown_attributes_uncounted: int


class Counters(Protocol):
    """The engine's counters, shared by every process that serves it."""

    def snapshot(self) -> CounterSnapshot:
        """Read all counters; cheap enough for every scrape."""
        ...


class RankingEngine(Protocol):
    """A loaded bundle: bytes in, bytes out, without the GIL."""

    @property
    def name(self) -> str:
        """The bundle's name."""
        ...

    @property
    def version(self) -> str:
        """The bundle's version, such as ``v1``."""
        ...

    @property
    def counters(self) -> Counters:
        """What was counted since load."""
        ...

    def rank_json(self, body: bytes, *, timings: bool = False) -> bytes:
        """Answer a rank request."""
        ...

    def score_json(self, body: bytes) -> bytes:
        """Answer a score request."""
        ...
