"""Verification of a bundle: files and parts as they were packed, samples answered as then."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.bundle import manifest as manifests
from shortlist.bundle import reference, samples
from shortlist.bundle.files import check_files
from shortlist.bundle.folder import Folder
from shortlist.bundle.loading import open_native
from shortlist.bundle.manifest import Manifest
from shortlist.bundle.samples import SampleEngine
from shortlist.bundle.versions import resolve
from shortlist.errors import FormatError

__all__ = ["OpenEngine", "Verification", "check_parity", "verify"]

OpenEngine: TypeAlias = Callable[[Path], SampleEngine]


@dataclass(frozen=True)
class Verification:
    """What was found in order."""

    path: str
    name: str
    version: str
    n_files: int
    n_bytes: int
    n_samples: int

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.name} {self.version}: {self.n_files} files, {self.n_bytes:,} "
            f"bytes and {self.n_samples} samples verified"
        )


class _LoadedEngine(SampleEngine, Protocol):
    @property
    def path(self) -> Path: ...


def verify(
    path: str | os.PathLike[str], *, parity: bool = True, open_engine: OpenEngine = open_native
) -> Verification:
    """Check everything there is to check about a bundle.

    Parameters
    ----------
    path
        A folder of versions, of which the latest is taken, or one version.
    parity
        Answer the stored samples and compare ids and scores bit for bit.
    open_engine
        Makes the engine that answers them from the version's folder.

    Raises
    ------
    NotFoundError, FormatError, MismatchError, UnsupportedError, StorageError
        The message names the file and what is wrong with it.
    """
    version = resolve(path)
    with Folder(version) as folder:
        manifest = manifests.read(folder)
        check_files(folder, manifest, full=True)
        recorded = _check_contents(folder, manifest)
    if parity:
        samples.replay(open_engine(version), recorded)
    return Verification(
        str(version),
        manifest.name,
        manifest.version,
        len(manifest.files) + 1,
        sum(entry.bytes for entry in manifest.files.values()),
        len(recorded) if parity else 0,
    )


def check_parity(engine: _LoadedEngine) -> int:
    """Answer the samples stored in a loaded bundle and compare bit for bit; returns how many.

    Raises
    ------
    MismatchError, FormatError
        Names the line of the samples.
    """
    with Folder(engine.path) as folder:
        recorded = _samples_of(folder, manifests.read(folder))
    samples.replay(engine, recorded)
    return len(recorded)


def _check_programs(tensors: Mapping[str, NDArray[np.generic]], name: str) -> None:
    """Compile the trees again: loading sees that programs are safe, not that they are right."""
    if "predicate_offsets" not in tensors:
        return  # an earlier version wrote no programs
    for key, array in _core.compile_bitslice(dict(tensors)).items():
        if key not in tensors or not np.array_equal(tensors[key], array):
            raise FormatError(f"{name}: {key} is not what its trees compile to")


def _samples_of(folder: Folder, manifest: Manifest) -> list[samples.Sample]:
    return [] if manifest.part("samples") is None else samples.read(folder)


def _check_contents(folder: Folder, manifest: Manifest) -> list[samples.Sample]:
    """Parse every file whose format is known here; returns the samples."""
    for part in manifest.parts:
        for name in part.files:
            if name.endswith(".safetensors"):
                tensors, _ = folder.tensors(name)
                if part.kind == "forest":
                    _check_programs(tensors, name)
    if manifest.part("reference") is not None:
        reference.read(folder)
    return _samples_of(folder, manifest)
