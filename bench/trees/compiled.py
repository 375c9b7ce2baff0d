"""Models compiled to machine code by peers, kept with the seconds that it took."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bench.harness.cache import cached, machine_key
from bench.harness.contestant import AbsentError

_SECONDS = "seconds.txt"


def compiled(cache: Path, stem: str, spec: object, make: Callable[[Path], object]) -> Path:
    """The folder of what `spec` describes on this processor; `make` fills it if there is none."""

    def fill(folder: Path) -> None:
        folder.mkdir()
        before = time.perf_counter()
        make(folder)
        (folder / _SECONDS).write_text(f"{time.perf_counter() - before:.3f}\n")

    return cached(cache, stem, "", (spec, machine_key()), fill)


def seconds_of(folder: Path) -> float:
    """What filling the folder took."""
    return float((folder / _SECONDS).read_text())


def compiler_version(compiler: str) -> str:
    """What the compiler says of itself; AbsentError where there is none."""
    try:
        said = subprocess.run([compiler, "--version"], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise AbsentError(f"needs {compiler}") from None
    return said.stdout.splitlines()[0]
