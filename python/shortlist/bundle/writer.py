"""A version's files on their way into its draft, and the manifest that lists them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata

from shortlist import safetensors
from shortlist.bundle import manifest as manifests
from shortlist.bundle import samples as sampling
from shortlist.bundle.folder import Folder
from shortlist.bundle.manifest import FileEntry, Manifest, Part, Settings
from shortlist.bundle.publish import Draft
from shortlist.bundle.verification import OpenEngine
from shortlist.safetensors import Array

__all__ = ["Writer"]


@dataclass
class Writer:
    """Writes parts into a draft and remembers them for its manifest."""

    draft: Draft
    name: str
    settings: Settings
    parts: list[Part] = field(default_factory=list)
    fingerprints: dict[str, str] = field(default_factory=dict)

    def write_bytes(self, role: str, kind: str, file_name: str, content: bytes) -> None:
        """Write one file as a part of its own; its format is the file's extension."""
        (self.draft.path / file_name).write_bytes(content)
        form = file_name.rpartition(".")[2]
        self.parts.append(Part(role, kind, form, (file_name,)))

    def write_tensors(
        self,
        role: str,
        kind: str,
        file_name: str,
        tensors: Mapping[str, Array],
        header: Mapping[str, str],
    ) -> None:
        """Write one safetensors file as a part of its own."""
        safetensors.save(self.draft.path / file_name, tensors, header)
        self.parts.append(Part(role, kind, "safetensors", (file_name,)))

    def write_samples(self, asked: Iterable[Mapping[str, object]], open_engine: OpenEngine) -> None:
        """Let the written bundle answer, and write its answers and the manifest."""
        self.write_manifest()
        recorded = sampling.record(open_engine(self.draft.path), asked)
        if recorded:
            content = sampling.encode(recorded)
            self.write_bytes("samples", "replies", sampling.FILE_NAME, content)
            self.write_manifest()

    def write_manifest(self) -> None:
        """Write bundle.json, with every part so far."""
        with Folder(self.draft.path) as folder:
            files = {
                name: FileEntry(folder.size(name), folder.sha256(name))
                for part in self.parts
                for name in part.files
            }
        self.draft.write_manifest(
            Manifest(
                schema=f"{manifests.SCHEMA[0]}.{manifests.SCHEMA[1]}",
                name=self.name,
                version=self.draft.version,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                shortlist=metadata.version("shortlist"),
                fingerprints=self.fingerprints,
                files=files,
                parts=tuple(self.parts),
                settings=self.settings,
            )
        )
