"""A server process over a fake engine; prints its URL once it is ready."""

from __future__ import annotations

import argparse
from pathlib import Path

from fake_engine import FakeLoader

from shortlist.serving import Limits, ServerOptions, run


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--uds", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--body-timeout", type=float, default=10.0)
    parser.add_argument("--drain-timeout", type=float, default=5.0)
    parser.add_argument("--access-log", action="store_true")
    arguments = parser.parse_args()
    options = ServerOptions(
        port=arguments.port,
        uds=arguments.uds,
        workers=arguments.workers,
        limits=Limits(body_bytes=100_000, body_timeout_s=arguments.body_timeout),
        drain_timeout_s=arguments.drain_timeout,
        access_log=arguments.access_log,
    )
    run(FakeLoader(), options, on_ready=lambda url: print(url, flush=True))  # noqa: T201


if __name__ == "__main__":
    main()
