"""How a process comes to what it serves; workers get a loader pickled and load for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from shortlist.serving.deployment import Deployment

__all__ = ["BundleLoader", "DeploymentLoader"]


class DeploymentLoader(Protocol):
    """Makes what is served."""

    def __call__(self, counters_folder: Path | None = None) -> Deployment:
        """Load in the calling process; processes that serve the same share counters in a folder."""
        ...

    def pinned(self) -> DeploymentLoader:
        """Check everything once, and return a quick loader of exactly what was checked."""
        ...


@dataclass(frozen=True, slots=True)
class BundleLoader:
    """Loads bundles.

    Parameters
    ----------
    paths : folders of versions (the latest is loaded) or single versions.
    verify : ``"full"`` checks every file's SHA-256, ``"fast"`` sizes and bounds.
    parity : whether the scores stored when packing are computed again and compared.
    """

    paths: tuple[Path, ...]
    verify: Literal["full", "fast"] = "full"
    parity: bool = True

    def __call__(self, counters_folder: Path | None = None) -> Deployment:
        """Load the bundles.

        Raises
        ------
        ShortlistError : a bundle is not there or refused; the message says which file and why.
        """
        from shortlist import _core
        from shortlist.engine import Engine

        engines = []
        for position, path in enumerate(self.paths):
            counters = None
            if counters_folder is not None:
                counters = _core.Counters(str(counters_folder / f"engine-{position}.counters"))
            engines.append(
                Engine.load(path, verify=self.verify, parity=self.parity, counters=counters)
            )
        return Deployment.of(engines)

    def pinned(self) -> BundleLoader:
        """Load once, and return a loader of those versions, though newer ones may appear."""
        from shortlist.engine import Engine

        versions = tuple(
            Engine.load(path, verify=self.verify, parity=self.parity).path for path in self.paths
        )
        return BundleLoader(versions, verify="fast", parity=False)
