"""The coordinator's side of a contestant's process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from bench.harness.contestant import AbsentError, Contestant

_ROOT = Path(__file__).resolve().parents[2]
_ONE_THREAD = dict.fromkeys(
    (
        "BLIS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "RAYON_NUM_THREADS",
    ),
    "1",
)
# A contestant's BLAS must pick the kernels that fit the machine.
_UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


class WorkerFailedError(RuntimeError):
    """A contestant's process ended early; what it said is on standard error."""


class Worker:
    """One contestant, opened in a pinned process with one thread; a context manager.

    Raises
    ------
    AbsentError
        The contestant says that it cannot take part.
    WorkerFailedError
    """

    def __init__(self, contestant: Contestant, *, cache: Path, processors: Sequence[int]) -> None:
        self.name = contestant.name
        _run_to_end(contestant, cache, processors)
        self._process = _start(contestant, cache, processors, prepare=False)
        reply = self._receive()
        if "absent" in reply:
            self._process.communicate()
            raise AbsentError(reply["absent"])
        self.versions: dict[str, str] = reply["ready"]

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def run(self, start: int, count: int) -> list[int]:
        """Nanoseconds of `count` calls, numbered from `start`."""
        latencies: list[int] = self._exchange({"start": start, "count": count})
        return latencies

    def ask(self, question: Mapping[str, object]) -> object:
        """What the subject's `ask` returns."""
        return self._exchange({"ask": question})

    def _exchange(self, command: Mapping[str, object]):  # type: ignore[no-untyped-def]
        pipe = self._process.stdin
        try:
            pipe.write(json.dumps(command) + "\n")
            pipe.flush()
        except BrokenPipeError:
            raise WorkerFailedError(f"{self.name}: its process is gone") from None
        return self._receive()

    def _receive(self):  # type: ignore[no-untyped-def]
        line = self._process.stdout.readline()
        if not line:
            raise WorkerFailedError(f"{self.name}: exit status {self._process.wait()}")
        return json.loads(line)


def _run_to_end(contestant: Contestant, cache: Path, processors: Sequence[int]) -> None:
    process = _start(contestant, cache, processors, prepare=True)
    said, _ = process.communicate()
    if process.returncode:
        raise WorkerFailedError(f"{contestant.name}: preparing gave status {process.returncode}")
    reply = json.loads(said)
    if "absent" in reply:
        raise AbsentError(reply["absent"])


def _start(
    contestant: Contestant, cache: Path, processors: Sequence[int], *, prepare: bool
) -> subprocess.Popen[str]:
    settings = {
        "subject": contestant.subject,
        "options": dict(contestant.options),
        "cache": str(cache),
        "preparation": dict(contestant.preparation),
        "processors": list(processors),
        "prepare": prepare,
    }
    environment = {k: v for k, v in os.environ.items() if k not in _UNSET}
    environment |= _ONE_THREAD | {"PYTHONHASHSEED": "0", "PYTHONPATH": str(_ROOT)}
    environment |= contestant.environment
    return subprocess.Popen(
        [sys.executable, "-m", "bench.harness.worker", json.dumps(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=_ROOT,
    )
