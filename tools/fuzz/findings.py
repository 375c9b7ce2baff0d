"""Findings as files: the input that breaks a promise, made smaller, and what it does."""

from __future__ import annotations

from pathlib import Path
from random import Random

from .targets import Target
from .worker import Failure, inputs, run_one

__all__ = ["write_finding"]

_TRIES = 150


def write_finding(folder: Path, name: str, target: Target, seed: int, failure: Failure) -> Path:
    """Write the input of a failure and its description; return the path of the input."""
    data, _ = inputs(target, seed, failure.index)
    small = _smaller(target, data, seed, failure)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{seed}-{failure.index}.bin"
    path.write_bytes(small)
    head = f"{name}: {failure.what}\nseed {seed}, execution {failure.index}, "
    sizes = f"{len(data)} bytes, here {len(small)}\n\n"
    path.with_suffix(".txt").write_text(head + sizes + failure.details, encoding="utf-8")
    return path


def _smaller(target: Target, data: bytes, seed: int, failure: Failure) -> bytes:
    """Cut runs out of the input as long as it fails in the same way."""
    if failure.what == "Hang":
        return data
    rng = Random(seed)
    run = len(data) // 2
    for _ in range(_TRIES):
        if run == 0 or not data:
            break
        at = rng.randrange(len(data))
        shorter = data[:at] + data[at + run :]
        again = run_one(target, shorter, seed, failure.index)
        if again is not None and again.what == failure.what:
            data = shorter
        elif rng.random() < 0.15:
            run //= 2
        run = min(run, len(data))
    return data
