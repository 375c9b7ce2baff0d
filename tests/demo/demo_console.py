"""Consoles that are not seen, and processes that serve while a test asks."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console

from shortlist.demo.progress import Steps

COMMAND = Path(sys.executable).with_name("shortlist")


def quiet_steps() -> Steps:
    return Steps(Console(file=io.StringIO()))


@contextmanager
def serving(process: subprocess.Popen[str], output: TextIO) -> Iterator[Iterator[str]]:
    """Give the lines a process prints; end it as Ctrl-C does, and see that it ends well."""
    try:
        yield iter(output)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
