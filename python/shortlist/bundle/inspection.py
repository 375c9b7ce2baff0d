"""What is inside a bundle, told without loading it or reading all of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from shortlist import strict_json
from shortlist.bundle import manifest as manifests
from shortlist.bundle.files import check_files
from shortlist.bundle.folder import Folder
from shortlist.bundle.manifest import Manifest
from shortlist.bundle.versions import resolve, versions
from shortlist.errors import FormatError

__all__ = ["BundleInfo", "FileInfo", "PartInfo", "TableInfo", "inspect"]

_MAX_FEATURES_BYTES = 256 << 20
_SHOWN_METADATA = ("source", "objective")


@dataclass(frozen=True)
class PartInfo:
    """One part and the bytes of its files."""

    role: str
    kind: str
    format: str
    bytes: int
    files: str


@dataclass(frozen=True)
class FileInfo:
    """One file."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class TableInfo:
    """One table or index: its ids or metric, and `dim`, which is 0 without vectors."""

    role: str
    rows: int
    dim: int
    kind: str
    filters: str


@dataclass(frozen=True)
class BundleInfo:
    """What `inspect` found; ``str()`` of it is a readable page."""

    path: str
    name: str
    version: str
    versions: list[str]
    created: str
    shortlist: str
    schema: str
    bytes: int
    settings: dict[str, object]
    fingerprints: dict[str, str]
    ranker: dict[str, str]
    parts: list[PartInfo]
    tables: list[TableInfo] = field(default_factory=list)
    features: list[dict[str, str]] = field(default_factory=list)
    files: list[FileInfo] = field(default_factory=list)

    def __str__(self) -> str:
        facts = {
            "path": self.path,
            "version": f"{self.version} (of {', '.join(self.versions) or self.version})",
            "created": f"{self.created} by shortlist {self.shortlist}, schema {self.schema}",
            "size": f"{self.bytes:,} bytes",
            "settings": _facts(self.settings),
            "ranker": _facts(self.ranker),
        }
        pages = [
            self.name,
            _columns(([name, text] for name, text in facts.items()), right=()),
            _titled("parts", self.parts, right=("bytes",)),
            _titled("tables", self.tables, right=("rows", "dim")),
            _titled("features", self.features, right=()),
            _titled("files", self.files, right=("bytes",)),
            _titled(
                "fingerprints",
                [{"part": part, "sha256": value} for part, value in self.fingerprints.items()],
                right=(),
            ),
        ]
        return "\n\n".join(page for page in pages if page)


def inspect(path: str | os.PathLike[str]) -> BundleInfo:
    """Tell what a bundle holds.

    Parameters
    ----------
    path
        A folder of versions, of which the latest is taken, or one version.

    Returns
    -------
    Parts, sizes, fingerprints, tables, features and a summary of the ranker. Checksums are those
    of the manifest; `verify` compares them with the files.

    Raises
    ------
    NotFoundError, FormatError, MismatchError, UnsupportedError, StorageError
    """
    version = resolve(path)
    with Folder(version) as folder:
        manifest = manifests.read(folder)
        check_files(folder, manifest, full=False)
        files = [FileInfo(name, f.bytes, f.sha256) for name, f in manifest.files.items()]
        return BundleInfo(
            path=str(version),
            name=manifest.name,
            version=manifest.version,
            versions=[found.name for found in versions(version.parent)],
            created=manifest.created,
            shortlist=manifest.shortlist,
            schema=manifest.schema,
            bytes=sum(file.bytes for file in files),
            settings=msgspec.to_builtins(manifest.settings),
            fingerprints=manifest.fingerprints,
            ranker=_ranker(folder, manifest),
            parts=_parts(manifest),
            tables=_tables(folder, manifest),
            features=_features(folder, manifest),
            files=files,
        )


def _parts(manifest: Manifest) -> list[PartInfo]:
    return [
        PartInfo(
            part.role,
            part.kind,
            part.format,
            sum(manifest.files[name].bytes for name in part.files),
            ", ".join(part.files),
        )
        for part in manifest.parts
    ]


def _tables(folder: Folder, manifest: Manifest) -> list[TableInfo]:
    found = []
    for role in ("items", "users", "retriever"):
        part = manifest.part(role)
        if part is None or part.format != "safetensors":
            continue
        tensors, header = folder.tensors(part.files[0])
        vectors = tensors.get("vectors")
        dim = 0 if vectors is None or vectors.ndim != 2 else vectors.shape[1]
        if role == "retriever":
            rows = 0 if vectors is None else len(vectors)
            found.append(TableInfo(role, rows, dim, header.get("metric", ""), ""))
            continue
        is_text = "id_offsets" in tensors
        ids = tensors.get("id_offsets" if is_text else "ids")
        if ids is None:
            raise FormatError(f"{part.files[0]}: has neither ids nor id_offsets")
        filters = sorted(
            {
                name.split(".", 1)[1].removesuffix(".codes")
                for name in tensors
                if name.startswith("number.") or name.endswith(".codes")
            }
        )
        found.append(
            TableInfo(
                role=role,
                rows=len(ids) - is_text,
                dim=dim,
                kind="text ids" if is_text else "int64 ids",
                filters=", ".join(filters),
            )
        )
    return found


def _features(folder: Folder, manifest: Manifest) -> list[dict[str, str]]:
    part = manifest.part("features")
    if part is None:
        return []
    name = part.files[0]
    document = strict_json.decode(folder.read(name, max_bytes=_MAX_FEATURES_BYTES), name)
    entries = document.get("features") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FormatError(f"{name}: features is not a list of objects")
    keys = ("name", "kind", "block")
    return [{key: str(entry.get(key, "")) for key in keys} for entry in entries]


def _ranker(folder: Folder, manifest: Manifest) -> dict[str, str]:
    """Kind of the ranker, and what its compiled form says about itself in few words."""
    part = manifest.part("ranker")
    if part is None:
        return {}
    summary = {"kind": part.kind}
    if part.format == "safetensors":
        tensors, header = folder.tensors(part.files[0])
        summary |= {key: text for key, text in header.items() if key in _SHOWN_METADATA}
        if "tree_roots" in tensors:
            summary["trees"] = str(len(tensors["tree_roots"]) - 1)
    return summary


def _facts(values: dict[str, object] | dict[str, str]) -> str:
    return ", ".join(
        f"{key} {' '.join(map(str, value)) if isinstance(value, list | tuple) else value}"
        for key, value in values.items()
    )


def _titled(title: str, records: Iterable[object], *, right: tuple[str, ...]) -> str:
    rows = [msgspec.to_builtins(record) for record in records]
    if not rows:
        return ""
    names = list(rows[0])
    shown = [
        [f"{row[name]:,}" if isinstance(row[name], int) else str(row[name]) for name in names]
        for row in rows
    ]
    return f"{title}\n" + _columns(
        [names, *shown], right=tuple(i for i, name in enumerate(names) if name in right)
    )


def _columns(rows: Iterable[list[str]], *, right: tuple[int, ...]) -> str:
    table = list(rows)
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return "\n".join(
        "  "
        + "  ".join(
            text.rjust(width) if i in right else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )
