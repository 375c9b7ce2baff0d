"""Models compiled to machine code by peers, kept with the processor seconds that it took."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.harness.cache import cached, machine_key
from bench.harness.contestant import AbsentError

_SECONDS = "seconds.txt"


def compiled(cache: Path, stem: str, spec: object, make: Callable[[Path], object]) -> Path:
    """The folder of what `spec` describes on this processor; `make` fills it if there is none."""

    def fill(folder: Path) -> None:
        folder.mkdir()
        before = _processor_seconds()
        make(folder)
        (folder / _SECONDS).write_text(f"{_processor_seconds() - before:.3f}\n")

    return cached(cache, stem, "", (spec, machine_key()), fill)


def seconds_of(folder: Path) -> float:
    """Processor seconds that filling the folder took."""
    return float((folder / _SECONDS).read_text())


def _processor_seconds() -> float:
    """Of this process and the compilers that it ran; wall time would tell of other work."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def compiler_version(compiler: str) -> str:
    """What the compiler says of itself; AbsentError where there is none."""
    try:
        said = subprocess.run([compiler, "--version"], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise AbsentError(f"needs {compiler}") from None
    return said.stdout.splitlines()[0]
