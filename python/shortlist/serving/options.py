"""How a server listens and runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from shortlist.serving.app import Limits

__all__ = ["ServerOptions"]


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to listen and run.

    Parameters
    ----------
    host, port : the TCP address; port 0 takes a free one.
    uds : a Unix socket to listen on instead.
    workers : processes; one serves in this process itself.
    limits : bounds on requests, for each process.
    header_timeout_s : the most seconds for the headers of a request to arrive (HTTP/1).
    drain_timeout_s : the most seconds that accepted requests get to finish after SIGTERM.
    access_log : whether each request is written to stderr.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    uds: Path | None = None
    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    header_timeout_s: float = 30.0
    drain_timeout_s: float = 5.0
    access_log: bool = False
