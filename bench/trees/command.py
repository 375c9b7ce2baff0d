"""python -m bench trees: which models and batches, how often, and where results go."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.harness.cache import default_cache
from bench.harness.contestant import AbsentError
from bench.harness.machine import describe_machine
from bench.harness.rounds import Plan
from bench.trees.lineup import BATCHES
from bench.trees.measure import measure, plan_for
from bench.trees.models import MODELS, NAMES, TINY_NAMES
from bench.trees.outcome import ModelOutcome
from bench.trees.page import page, summary, variants
from bench.trees.report import Report
from bench.trees.request import score_stage
from bench.trees.start import starts

_PARTS = ("models", "start", "request")
_LARGEST = "C"


def main(command_line: Sequence[str]) -> int:
    arguments = _arguments(command_line)
    machine = describe_machine()
    cache = arguments.cache.resolve()
    outcomes: list[ModelOutcome] = []
    skipped: dict[str, str] = {}
    start = request = None
    if "models" in arguments.parts:
        outcomes, skipped = _play_models(arguments, cache)
    if "start" in arguments.parts:
        _tell(f"start of {_LARGEST}")
        start = starts(_LARGEST, arguments.rounds).play(cache)
    if "request" in arguments.parts:
        _tell("scoring in the request")
        plan = Plan(rounds=arguments.rounds, calls=8 if arguments.quick else 64)
        request = score_stage(plan, cache)
    command = f"python -m bench trees {' '.join(command_line)}".strip()
    report = Report(command, machine, outcomes, skipped, start, request)
    if arguments.json:
        arguments.json.write_text(report.json())
    text = page(report)
    if arguments.markdown:
        arguments.markdown.write_text(text)
    else:
        print(text)
    failures = report.failures()
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _play_models(
    arguments: argparse.Namespace, cache: Path
) -> tuple[list[ModelOutcome], dict[str, str]]:
    """What was measured; a model whose file is not there is skipped, and the page says so."""
    outcomes, skipped = [], {}

    def plans(batch: int) -> Plan:
        return plan_for(batch, arguments.rounds, quick=arguments.quick)

    for name in arguments.models:
        try:
            MODELS[name].rows(1, 0)
            outcome = measure(MODELS[name], arguments.batches, plans, cache, _tell)
        except (AbsentError, FileNotFoundError) as absence:
            skipped[name] = str(absence)
            _tell(f"{name}: not measured: {absence}")
            continue
        outcomes.append(outcome)
        print(summary([outcome]), variants([outcome]), sep="\n\n", end="\n\n", flush=True)
    return outcomes, skipped


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def _arguments(command_line: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench trees", description=__doc__)
    parser.add_argument(
        "--models",
        type=lambda text: _among(text, (*NAMES, *TINY_NAMES)),
        default=list(NAMES),
        help=f"comma-separated, of {', '.join(NAMES)}",
    )
    parser.add_argument(
        "--batches",
        type=lambda text: [int(n) for n in _among(text, [str(n) for n in BATCHES])],
        default=list(BATCHES),
        help=f"comma-separated, of {', '.join(map(str, BATCHES))}",
    )
    parser.add_argument(
        "--parts",
        type=lambda text: _among(text, _PARTS),
        default=list(_PARTS),
        help=f"comma-separated, of {', '.join(_PARTS)}",
    )
    parser.add_argument("--rounds", type=int, help="rounds of everything (10; quick: 2)")
    parser.add_argument("--quick", action="store_true", help="few rounds, few calls: no figures")
    parser.add_argument("--markdown", type=Path, help="write the results page to this file")
    parser.add_argument("--json", type=Path, help="write every latency to this file")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="folder of artefacts")
    arguments = parser.parse_args(command_line)
    if arguments.rounds is None:
        arguments.rounds = 2 if arguments.quick else 10
    return arguments


def _among(text: str, known: Sequence[str]) -> list[str]:
    """The comma-separated names, all of them known."""
    names = text.split(",")
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
    return names
