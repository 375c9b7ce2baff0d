"""Runs one target: ``python -m tools.fuzz FORMAT [--minutes M | --executions N] [--seed S]``.

Exit code 1 where an input breaks a promise. Each cause is written once to the folder of findings:
the input made smaller (``.bin``) and what it does (``.txt``).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process with threads is not to be forked


def main() -> int:
    """Run until the time or the number of executions is up."""
    from .findings import write_finding
    from .targets import NAMES, target
    from .worker import run_all

    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--executions", type=int, help="the most; without it, time alone ends it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz-findings"))
    asked = parser.parse_args()
    chosen = target(asked.target)
    began = time.monotonic()
    until = began + 60 * asked.minutes
    index = executions = accepted = 0
    causes: dict[str, int] = {}
    last = sys.maxsize if asked.executions is None else asked.executions
    while index < last and time.monotonic() < until:
        done = run_all(chosen, asked.seed, range(index, last), until)
        executions += done.executions
        accepted += done.accepted
        if done.failure is None:
            break
        index = done.failure.index + 1
        executions += 1
        what = done.failure.what
        causes[what] = causes.get(what, 0) + 1
        if causes[what] == 1:
            path = write_finding(asked.findings, asked.target, chosen, asked.seed, done.failure)
            print(f"{path}: {what}", flush=True)
    minutes = (time.monotonic() - began) / 60
    print(
        f"{asked.target}: {executions} executions, {accepted} accepted, in {minutes:.1f} minutes, "
        f"seed {asked.seed}, {len(causes)} causes of failure"
    )
    return 1 if causes else 0


if __name__ == "__main__":
    sys.exit(main())
