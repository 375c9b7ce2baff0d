"""What the server asks of an engine, and the shape of the counters it reads."""

from __future__ import annotations

from typing import Protocol, TypedDict

__all__ = ["CallCounts", "CounterSnapshot", "Counters", "RankingEngine", "StageTimes"]


class CallCounts(TypedDict):
    """Calls of one kind since load."""

    requests: int
    errors: int


class StageTimes(TypedDict):
    """A histogram: ``buckets`` are (upper bound in ns, cumulative count), ascending."""

    count: int
    sum_ns: int
    buckets: list[tuple[int, int]]


class CounterSnapshot(TypedDict):
    """Everything the native core counts for one engine."""

    rank: CallCounts
    score: CallCounts
    stages: dict[str, StageTimes]
    unknown_attributes: dict[str, int]
    fallbacks: int


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
