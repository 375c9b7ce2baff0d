"""shortlist: features, retrieval, scoring and top-k for ranking services, in one native call."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shortlist import features, hashing
    from shortlist.bundle import inspect, pack, verify
    from shortlist.engine import Engine, Shortlist
    from shortlist.errors import (
        ArgumentError,
        FormatError,
        MismatchError,
        NotFoundError,
        RequestError,
        ScoringError,
        ShortlistError,
        StorageError,
        UnsupportedError,
    )
    from shortlist.index import Index, Neighbors
    from shortlist.models import Forest, OnnxModel, export_sklearn, load_model

    __version__: str

__all__ = [
    "ArgumentError",
    "Engine",
    "Forest",
    "FormatError",
    "Index",
    "MismatchError",
    "Neighbors",
    "NotFoundError",
    "OnnxModel",
    "RequestError",
    "ScoringError",
    "Shortlist",
    "ShortlistError",
    "StorageError",
    "UnsupportedError",
    "__version__",
    "export_sklearn",
    "features",
    "hashing",
    "inspect",
    "load_model",
    "pack",
    "verify",
]

# Where each public name lives; imported when first used, so that a command line starts at once.
_HOMES = {
    **dict.fromkeys(("Engine", "Shortlist"), "engine"),
    **dict.fromkeys(("Index", "Neighbors"), "index"),
    **dict.fromkeys(("Forest", "OnnxModel", "export_sklearn", "load_model"), "models"),
    **dict.fromkeys(("inspect", "pack", "verify"), "bundle"),
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib import metadata  # slow to import, and rarely wanted

        return metadata.version("shortlist")
    if name not in __all__:
        raise AttributeError(f"module 'shortlist' has no attribute {name!r}")
    if name in ("features", "hashing"):
        return import_module(f"shortlist.{name}")
    value: object = getattr(import_module(f"shortlist.{_HOMES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
