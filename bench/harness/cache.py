"""Artefacts that take long to make (models, indexes, compiled code), kept between runs."""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path


def default_cache() -> Path:
    """$SHORTLIST_BENCH_CACHE, or shortlist-bench in the user's cache folder."""
    named = os.environ.get("SHORTLIST_BENCH_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "shortlist-bench"


def cached(
    cache: Path, stem: str, suffix: str, spec: object, make: Callable[[Path], object]
) -> Path:
    """Path of the artefact that `spec` describes; made beside and renamed when there is none."""
    key = hashlib.sha256(repr(spec).encode()).hexdigest()[:12]
    final = cache / f"{stem}-{key}{suffix}"
    if not final.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            unfinished = Path(folder) / final.name
            make(unfinished)
            unfinished.replace(final)
    return final


def version_of(package: str) -> str:
    """The installed version of a distribution."""
    return metadata.version(package)


def machine_key() -> tuple[str, str]:
    """What machine code depends on: architecture and processor model."""
    from bench.harness.machine import cpu_model

    return platform.machine(), cpu_model()
