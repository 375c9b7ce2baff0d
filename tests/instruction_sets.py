"""Runs test code under each instruction set that this processor has."""

from __future__ import annotations

import os
import subprocess
import sys

from shortlist import _core


def available_isas() -> list[str]:
    """Return the names that SHORTLIST_ISA accepts here, slowest first; for `parametrize`."""
    return list(_core.available_isas())


def run_under_isa(isa: str, code: str, *arguments: str, **environment: str) -> str:
    """Run Python code in a new process with SHORTLIST_ISA forced, and return what it prints.

    The kernels are chosen once per process, so each set needs a process of its own. `arguments`
    are sys.argv[1:], `environment` is set beside.
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env={**os.environ, **environment, "SHORTLIST_ISA": isa},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"under SHORTLIST_ISA={isa} {environment}:\n{done.stderr}"
    return done.stdout
