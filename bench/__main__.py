"""Run the benchmarks and write the results page: python -m bench --markdown docs/results.md.

Trees have a command and a page of their own: python -m bench trees --help.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.harness.cache import default_cache
from bench.harness.machine import describe_machine
from bench.harness.rounds import Comparison, Plan
from bench.harness.tables import table
from bench.micro import micros
from bench.results import page
from bench.trees.command import main as trees
from bench.whole_request import CONTESTANTS, SHORTLIST
from bench.whole_request.measure import Outcome, measure


def main() -> int:
    if sys.argv[1:2] == ["trees"]:
        return trees(sys.argv[2:])
    arguments = _arguments()
    machine = describe_machine()
    cache = arguments.cache.resolve()
    whole: Outcome | None = None
    parts: list[Comparison] = []
    if arguments.only in (None, "whole-request"):
        contestants = [c for c in CONTESTANTS if not (arguments.peers_alone and c is SHORTLIST)]
        plan = Plan(rounds=arguments.rounds, calls=arguments.calls)
        whole = measure(plan, cache, contestants)
        _show(whole.comparison)
    if arguments.only in (None, "parts"):
        for micro in micros():
            parts.append(micro.play(cache))
            _show(parts[-1])
    if arguments.markdown:
        command = f"python -m bench {' '.join(sys.argv[1:])}"
        arguments.markdown.write_text(page(whole, parts, command=command, machine=machine))
    failures = whole.failures() if whole else []
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--markdown", type=Path, help="write the results page to this file")
    parser.add_argument("--only", choices=("whole-request", "parts"), help="leave the rest out")
    parser.add_argument("--rounds", type=int, default=12, help="rounds of the whole request")
    parser.add_argument("--calls", type=int, default=128, help="requests a round and contestant")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="folder of artefacts")
    parser.add_argument(
        "--peers-alone", action="store_true", help="whole request without shortlist"
    )
    arguments = parser.parse_args()
    if arguments.peers_alone and arguments.markdown:
        parser.error("--markdown: the results page needs shortlist; leave out --peers-alone")
    return arguments


def _show(comparison: Comparison) -> None:
    print(table(comparison), end="\n\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
