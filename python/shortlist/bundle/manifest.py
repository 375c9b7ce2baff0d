"""bundle.json: what a bundle holds, with the size and SHA-256 of every file, sealed by its own.

The seal is ``fingerprints.manifest``: the SHA-256 of bundle.json's bytes as they are with 64 zeros
in the seal's place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from shortlist import strict_json
from shortlist.bundle.folder import Folder, is_flat_name
from shortlist.errors import FormatError, MismatchError, UnsupportedError

__all__ = [
    "FILE_NAME",
    "MAX_CANDIDATES",
    "ROLES",
    "SCHEMA",
    "Fallback",
    "FileEntry",
    "Manifest",
    "Part",
    "QuerySource",
    "Settings",
    "decode",
    "encode",
    "read",
]

FILE_NAME = "bundle.json"
SCHEMA = (1, 0)
MAX_CANDIDATES = 100_000
ROLES = ("features", "items", "users", "retriever", "ranker", "samples", "reference")

QuerySource: TypeAlias = Literal["vector", "users", "like"]
Fallback: TypeAlias = Literal["popular", "error"]

_MAX_BYTES = 1 << 20
_SCHEMA = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")
_SEAL = "manifest"
_NO_SEAL = "0" * 64
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Size and checksum of one file."""

    bytes: int
    sha256: str


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part of a bundle: what it is for, its kind, and its files, the one that serves first."""

    role: str
    kind: str
    format: str
    files: tuple[str, ...]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How requests are answered."""

    query: tuple[QuerySource, ...]
    fallback: Fallback
    n_candidates: int
    raw_score: bool


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of bundle.json."""

    schema: str
    name: str
    version: str
    created: str
    shortlist: str
    fingerprints: dict[str, str]
    files: dict[str, FileEntry]
    parts: tuple[Part, ...]
    settings: Settings

    def part(self, role: str) -> Part | None:
        """Part of that role, None where there is none."""
        return next((part for part in self.parts if part.role == role), None)


def encode(manifest: Manifest) -> bytes:
    """Text of bundle.json, indented and sealed anew."""
    open_seal = msgspec.structs.replace(
        manifest, fingerprints=manifest.fingerprints | {_SEAL: _NO_SEAL}
    )
    text = msgspec.json.format(msgspec.json.encode(open_seal), indent=2) + b"\n"
    entry = f'"{_SEAL}": "%s"'
    sealed = entry % hashlib.sha256(text).hexdigest()
    return text.replace((entry % _NO_SEAL).encode(), sealed.encode())


def read(folder: Folder) -> Manifest:
    """Manifest of an open folder.

    Raises
    ------
    FormatError, MismatchError, NotFoundError, StorageError, UnsupportedError
    """
    return decode(folder.read(FILE_NAME, max_bytes=_MAX_BYTES))


def decode(data: bytes) -> Manifest:
    """Validate the text of a bundle.json.

    A newer minor schema may have members that this version does not know; they are left out. Under
    the schema of this version, or an older one, they are refused.

    Raises
    ------
    FormatError
        A member is missing, unknown, of another type or out of its domain; the message names it.
    MismatchError
        The text is not what was sealed.
    UnsupportedError
        The schema's major number is another one.
    """
    document = strict_json.decode(data, FILE_NAME)
    if not isinstance(document, dict):
        raise _invalid("not a JSON object")
    newer = _is_newer_minor(document.get("schema"))
    try:
        manifest = msgspec.convert(_known(document, Manifest) if newer else document, Manifest)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    _check_files(manifest.files)
    _check_parts(manifest.parts, manifest.files, newer=newer)
    _check_settings(manifest.settings)
    if not is_flat_name(manifest.name):
        raise _invalid(f"name {manifest.name!r} is not made of letters, digits, '_', '.' and '-'")
    for part, fingerprint in manifest.fingerprints.items():
        if not _SHA256.fullmatch(fingerprint):
            raise _invalid(f"fingerprints: {part}: {fingerprint!r} is not 64 hexadecimal digits")
    if manifest.part("features") is not None and "features" not in manifest.fingerprints:
        raise _invalid("fingerprints: features is missing")
    _check_seal(manifest, data)
    return manifest


def _invalid(why: str) -> FormatError:
    return FormatError(f"{FILE_NAME}: {why}")


def _check_seal(manifest: Manifest, data: bytes) -> None:
    seal = manifest.fingerprints.get(_SEAL)
    if seal is None:
        raise _invalid(f"fingerprints: {_SEAL} is missing")
    entry = re.compile(rb'("manifest":\s*")' + seal.encode())
    unsealed = entry.sub(rb"\g<1>" + _NO_SEAL.encode(), data)
    if hashlib.sha256(unsealed).hexdigest() != seal:
        raise MismatchError(f"{FILE_NAME}: SHA-256 is not its seal's: the file was changed")


def _is_newer_minor(schema: object) -> bool:
    """Check the schema; tell whether its minor number is above that of this version."""
    match = _SCHEMA.fullmatch(schema) if isinstance(schema, str) else None
    if match is None:
        raise _invalid(f"schema is {schema!r}, expected MAJOR.MINOR")
    major, minor = int(match[1]), int(match[2])
    if major != SCHEMA[0]:
        advice = "a newer shortlist is needed" if major > SCHEMA[0] else "pack the bundle again"
        raise UnsupportedError(
            f"{FILE_NAME}: schema {schema}, this version reads schema {SCHEMA[0]}.x: {advice}"
        )
    return minor > SCHEMA[1]


def _known(document: dict[str, Any], struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Copy without the members that the struct, or one inside it, does not have."""
    known = {key: document[key] for key in struct.__struct_fields__ if key in document}
    for key, value in known.items():
        if key == "settings" and isinstance(value, dict):
            known[key] = _known(value, Settings)
        elif key == "files" and struct is Manifest and isinstance(value, dict):
            known[key] = {name: _known_or_other(entry, FileEntry) for name, entry in value.items()}
        elif key == "parts" and isinstance(value, list):
            known[key] = [_known_or_other(entry, Part) for entry in value]
    return known


def _known_or_other(value: object, struct: type[msgspec.Struct]) -> object:
    return _known(value, struct) if isinstance(value, dict) else value


def _check_files(files: Mapping[str, FileEntry]) -> None:
    for name, entry in files.items():
        if not is_flat_name(name):
            raise _invalid(f"files: {name!r} is not a plain file name, it could leave the folder")
        if name == FILE_NAME:
            raise _invalid(f"files: {name} lists itself")
        if entry.bytes < 0:
            raise _invalid(f"files: {name}: {entry.bytes} bytes")
        if not _SHA256.fullmatch(entry.sha256):
            raise _invalid(f"files: {name}: sha256 is not 64 hexadecimal digits")


def _check_parts(parts: tuple[Part, ...], files: Mapping[str, FileEntry], *, newer: bool) -> None:
    seen: set[str] = set()
    owners: dict[str, str] = {}
    for part in parts:
        if part.role not in ROLES and not newer:
            raise _invalid(f"part {part.role!r} is unknown, expected one of {', '.join(ROLES)}")
        if part.role in seen:
            raise _invalid(f"part {part.role!r} occurs twice")
        seen.add(part.role)
        if not part.files:
            raise _invalid(f"part {part.role!r} has no file")
        for name in part.files:
            if name not in files:
                raise _invalid(f"part {part.role!r} names {name!r}, which files does not list")
            if name in owners:
                raise _invalid(f"{name!r} belongs to two parts, {owners[name]!r} and {part.role!r}")
            owners[name] = part.role
    if idle := sorted(set(files) - set(owners)):
        raise _invalid(f"files: {idle[0]!r} belongs to no part")


def _check_settings(settings: Settings) -> None:
    if len(set(settings.query)) != len(settings.query):
        raise _invalid(f"settings: query {list(settings.query)} names a source twice")
    if not 1 <= settings.n_candidates <= MAX_CANDIDATES:
        raise _invalid(
            f"settings: n_candidates is {settings.n_candidates}, expected 1 to {MAX_CANDIDATES}"
        )
