"""What the server asks of an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shortlist._core import CounterSnapshot

__all__ = ["Counters", "RankingEngine"]


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
