"""How long it takes to be ready: loading an engine, and importing the package in a new process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

from bench.micro.subject import MicroSubject
from bench.whole_request.engine import bundle_path
from bench.workload.ranker import model_path


class Load(MicroSubject):
    """Engine.load of the whole request's bundle, its files in the page cache."""

    def __init__(self, cache: Path, *, verify: Literal["full", "fast"]) -> None:
        import shortlist

        self._engine_type = shortlist.Engine
        self._path = bundle_path(cache)
        self._verify = verify

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("shortlist", "numpy")

    @staticmethod
    def prepare(cache: Path) -> None:
        bundle_path(cache)

    def call(self, i: int) -> object:
        return self._engine_type.load(self._path, verify=self._verify)


class LoadBooster(MicroSubject):
    """LightGBM reading the same ranker: what the glue waits for beside its index."""

    def __init__(self, cache: Path) -> None:
        import lightgbm as lgb

        self._booster_type = lgb.Booster
        self._path = model_path(cache)

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("lightgbm", "numpy")

    @staticmethod
    def prepare(cache: Path) -> None:
        model_path(cache)

    def call(self, i: int) -> object:
        return self._booster_type(model_file=self._path)


class Import(MicroSubject):
    """A new interpreter that imports one module, or a few, and ends."""

    def __init__(self, cache: Path, *, module: str) -> None:
        self._command = [sys.executable, "-c", f"import {module}"]

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("shortlist", "numpy", "lightgbm")

    @staticmethod
    def prepare(cache: Path) -> None:
        """Imports need nothing prepared."""

    def call(self, i: int) -> object:
        return subprocess.run(self._command, check=True)
