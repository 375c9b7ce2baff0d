"""How long until the greatest model can be scored: from its text file, and from a bundle."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from bench.harness.cache import cached, version_of
from bench.harness.contestant import Contestant
from bench.harness.rounds import Plan
from bench.micro import Micro
from bench.micro.subject import MicroSubject
from bench.trees.models import MODELS
from bench.trees.subject import require

COMPILE = "shortlist.load_model of the text"
LOAD = "Engine.load of a bundle, fast"

_SELF = "bench.trees.start"


def starts(model: str, rounds: int) -> Micro:
    """The comparison; peers that generate code take their time when they are prepared."""
    name = {"model": model}
    fast = {**name, "verify": "fast"}
    both = min(2, len(os.sched_getaffinity(0)))
    return Micro(
        f"start of {model}",
        (
            Contestant(LOAD, f"{_SELF}:LoadBundle", fast, name, processors=both),
            Contestant(f"{LOAD}, one processor", f"{_SELF}:LoadBundle", fast, name),
            Contestant(
                "Engine.load of a bundle, full",
                f"{_SELF}:LoadBundle",
                {**name, "verify": "full"},
                name,
                processors=both,
            ),
            Contestant(COMPILE, f"{_SELF}:LoadText", name, name),
            Contestant("LightGBM Booster of the text", f"{_SELF}:LoadBooster", name, name),
        ),
        Plan(rounds=rounds, calls=3),
    )


class LoadText(MicroSubject):
    """Reading and compiling the training library's file."""

    def __init__(self, cache: Path, *, model: str) -> None:
        import shortlist

        self._load = shortlist.load_model
        self._path = MODELS[model].path(cache)

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("shortlist", "numpy")

    @staticmethod
    def prepare(cache: Path, *, model: str) -> None:
        MODELS[model].path(cache)

    def call(self, i: int) -> object:
        return self._load(self._path)


class LoadBooster(MicroSubject):
    """LightGBM reading its file."""

    def __init__(self, cache: Path, *, model: str) -> None:
        import lightgbm as lgb

        self._load = lgb.Booster
        self._path = MODELS[model].path(cache)

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("lightgbm", "numpy")

    @staticmethod
    def prepare(cache: Path, *, model: str) -> None:
        require("lightgbm")
        MODELS[model].path(cache)

    def call(self, i: int) -> object:
        return self._load(model_file=self._path)


class LoadBundle(MicroSubject):
    """Engine.load of a bundle that holds the compiled model, its files in the page cache."""

    def __init__(self, cache: Path, *, model: str, verify: str) -> None:
        import shortlist

        self._load = shortlist.Engine.load
        self._path = _bundle(cache, model)
        self._verify = verify

    @staticmethod
    def packages() -> tuple[str, ...]:
        return ("shortlist", "numpy")

    @staticmethod
    def prepare(cache: Path, *, model: str) -> None:
        _bundle(cache, model)

    def call(self, i: int) -> object:
        return self._load(self._path, verify=self._verify)


def _bundle(cache: Path, model: str) -> Path:
    """The model packed alone; packed anew when the installed engine has changed."""
    import shortlist
    from shortlist import _core

    engine = hashlib.sha256(Path(_core.__file__).read_bytes()).hexdigest()
    path = MODELS[model].path(cache)
    spec = (version_of("shortlist"), engine, MODELS[model].key(cache))
    return cached(
        cache, f"bundle-{model}", "", spec, lambda target: shortlist.pack(target, ranker=path)
    )
