"""A command line whose engine and bundle functions are fakes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from typer.testing import CliRunner

import shortlist

MAIN = "from shortlist.cli import main\nmain()"
Run = Callable[..., object]


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shortlist, "Engine", FakeEngine, raising=False)
    folder = tmp_path / "bundle"
    folder.mkdir()
    return folder


@pytest.fixture
def run() -> Run:
    from shortlist.cli.app import app

    def invoke(*arguments: object, **options: object) -> object:
        return CliRunner().invoke(app, [str(a) for a in arguments], **options)

    return invoke


@pytest.fixture
def execute() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in a process of its own."""

    def call(*arguments: object, before: str = "", **options: object):
        code = f"import sys\n{before}\nsys.argv[0] = 'shortlist'\n{MAIN}"
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            **options,
        )

    return call
