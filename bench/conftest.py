"""Options of the benchmarks under pytest, and comparison tables after pytest-benchmark's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.harness.cache import default_cache
from bench.harness.rounds import Comparison, Plan
from bench.harness.tables import table
from bench.micro import Micro

_TABLES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("shortlist bench")
    group.addoption("--bench-rounds", type=int, help="rounds of every comparison")
    group.addoption("--bench-calls", type=int, help="calls a round and contestant")
    group.addoption("--bench-cache", type=Path, default=default_cache(), help="artefacts' folder")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TABLES] = []


@pytest.fixture(scope="session")
def cache(request: pytest.FixtureRequest) -> Path:
    path: Path = request.config.getoption("--bench-cache")
    return path.resolve()


@pytest.fixture(scope="session")
def planned(request: pytest.FixtureRequest) -> Callable[[Plan], Plan]:
    """The plan, with what the command line says instead."""
    rounds = request.config.getoption("--bench-rounds")
    calls = request.config.getoption("--bench-calls")

    def adapt(plan: Plan) -> Plan:
        return Plan(rounds=rounds or plan.rounds, calls=calls or plan.calls)

    return adapt


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest) -> Callable[[Comparison], None]:
    """Keep a comparison for the summary."""

    def keep(comparison: Comparison) -> None:
        request.config.stash[_TABLES].append(table(comparison))

    return keep


@pytest.fixture(scope="module")
def play(
    cache: Path, planned: Callable[[Plan], Plan], tell: Callable[[Comparison], None]
) -> Iterator[Callable[[Micro], Comparison]]:
    """Play a comparison of parts once, however many tests look at it."""
    played: dict[str, Comparison] = {}

    def once(micro: Micro) -> Comparison:
        if micro.title not in played:
            played[micro.title] = micro.play(cache, planned(micro.plan))
            tell(played[micro.title])
        return played[micro.title]

    yield once


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for text in terminalreporter.config.stash[_TABLES]:
        terminalreporter.write_line("")
        terminalreporter.write_line(text)
