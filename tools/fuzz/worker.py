"""Executions in a process of their own, bounded in time and memory, so that a crash is a result."""

from __future__ import annotations

import mmap
import os
import resource
import signal
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from .targets import Target

__all__ = ["Failure", "Progress", "run_all", "run_one"]

_MEMORY_BYTES = 256 << 20  # beyond what the process has when it begins
_SLOW_S = 1.0  # of processor time
_HUNG_S = 20.0  # of the clock, when it is killed
_STATE = struct.Struct("<qqd")  # executions, accepted, when the one under way began


@dataclass(frozen=True)
class Failure:
    """An execution that broke a promise: by what, and where; `what` is the same for one cause."""

    index: int
    what: str
    details: str


@dataclass(frozen=True)
class Progress:
    """Executions that ended, how many of them were accepted, and the failure that ended the run."""

    executions: int
    accepted: int
    failure: Failure | None


def inputs(target: Target, seed: int, index: int) -> tuple[bytes, Random]:
    """Return the input of one execution, and what its rows are drawn with."""
    rng = Random(f"{seed}/{index}")
    return target.make(rng), rng


def run_all(target: Target, seed: int, indices: Iterable[int], until: float) -> Progress:
    """Run executions until the first failure, or until that time of time.monotonic()."""

    def work(begin: Callable[[], None], end: Callable[[bool], None]) -> tuple[int, str] | None:
        for index in indices:
            if time.monotonic() >= until:
                return None
            data, rng = inputs(target, seed, index)
            begin()
            text = _judged(target, data, rng, end)
            if text:
                return index, text
        return None

    return _in_child(work, iter(indices))


def run_one(target: Target, data: bytes, seed: int, index: int) -> Failure | None:
    """Run one execution with another input, and the rows that its index draws."""

    def work(begin: Callable[[], None], end: Callable[[bool], None]) -> tuple[int, str] | None:
        _, rng = inputs(target, seed, index)
        begin()
        text = _judged(target, data, rng, end)
        return (index, text) if text else None

    return _in_child(work, iter([index])).failure


def _judged(target: Target, data: bytes, rng: Random, end: Callable[[bool], None]) -> str:
    """Return what is wrong, or nothing."""
    began = time.process_time()
    try:
        accepted = target.judge(data, rng)
    except Exception:
        return traceback.format_exc(limit=-12)
    took = time.process_time() - began
    if took > _SLOW_S:
        return f"Slow: {took:.1f} s for {len(data)} bytes"
    end(accepted)
    return ""


def _in_child(
    work: Callable[[Callable[[], None], Callable[[bool], None]], tuple[int, str] | None],
    indices: Iterable[int],
) -> Progress:
    shared = mmap.mmap(-1, _STATE.size)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        _child(work, shared, write_end)
    os.close(write_end)
    status = _wait(child, shared)
    with os.fdopen(read_end, "rb") as pipe:
        said = pipe.read().decode("utf-8", "replace")
    executions, accepted, _ = _STATE.unpack(shared[:])
    if os.waitstatus_to_exitcode(status) == 0:
        if not said:
            return Progress(executions, accepted, None)
        number, _, text = said.partition("\n")
        return Progress(executions, accepted, Failure(int(number), _cause(text), text))
    code = os.waitstatus_to_exitcode(status)
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    what = "Hang" if code == -signal.SIGKILL else f"Crash: {name}"
    index = next(i for n, i in enumerate(indices) if n == executions)
    return Progress(executions, accepted, Failure(index, what, said))


def _child(
    work: Callable[[Callable[[], None], Callable[[bool], None]], tuple[int, str] | None],
    shared: mmap.mmap,
    write_end: int,
) -> None:
    """Run the work under limits, say how it ended, and leave."""
    code = 1
    executions, accepted = 0, 0

    def begin() -> None:
        shared[:] = _STATE.pack(executions, accepted, time.monotonic())

    def end(was_accepted: bool) -> None:
        nonlocal executions, accepted
        executions += 1
        accepted += was_accepted
        shared[:] = _STATE.pack(executions, accepted, time.monotonic())

    try:
        size = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * mmap.PAGESIZE
        resource.setrlimit(resource.RLIMIT_AS, (size + _MEMORY_BYTES,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        warnings.simplefilter("error")
        failed = work(begin, end)
        if failed is not None:
            with os.fdopen(write_end, "wb") as pipe:
                pipe.write(f"{failed[0]}\n{failed[1]}".encode("utf-8", "replace"))
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(code)


def _wait(child: int, shared: mmap.mmap) -> int:
    """Return the child's status; kill it where one execution takes too long."""
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        began = _STATE.unpack(shared[:])[2]
        if began and time.monotonic() - began > _HUNG_S:
            os.kill(child, signal.SIGKILL)
            return os.waitpid(child, 0)[1]
        time.sleep(0.005)


def _cause(text: str) -> str:
    """Return the exception's name and the innermost place in the package."""
    lines = text.strip().splitlines()
    error = lines[-1].partition(":")[0]
    places = [line.strip() for line in lines if line.strip().startswith("File ")]
    mine = [line for line in places if "/shortlist/" in line] or places
    return f"{error} {mine[-1].rpartition('/')[2]}" if mine else error
