"""Files of a version against its manifest: none missing or more, sizes, checksums, fingerprint."""

from __future__ import annotations

import hashlib
import json

from shortlist import strict_json
from shortlist.bundle import manifest as manifests
from shortlist.bundle.folder import Folder
from shortlist.bundle.manifest import Manifest
from shortlist.errors import FormatError, MismatchError, NotFoundError

__all__ = ["check_files"]

_MAX_FEATURES_BYTES = 256 << 20


def check_files(folder: Folder, manifest: Manifest, *, full: bool) -> None:
    """Check that the folder holds the manifest's files and no other, with their sizes.

    Parameters
    ----------
    folder, manifest
        One version.
    full
        Check the SHA-256 of every file too, and the fingerprint of the features.
    """
    listed = {*manifest.files, manifests.FILE_NAME}
    present = set(folder.names())
    for name in sorted(listed - present):
        raise NotFoundError(f"{name}: missing from {folder.path}")
    for name in sorted(present - listed):
        raise FormatError(f"{name!r}: not listed in {manifests.FILE_NAME} of {folder.path}")
    for name, entry in manifest.files.items():
        size = folder.size(name)
        if size != entry.bytes:
            raise MismatchError(f"{name}: {size} bytes, {manifests.FILE_NAME} says {entry.bytes}")
        if full and folder.sha256(name) != entry.sha256:
            raise MismatchError(f"{name}: SHA-256 is not the one in {manifests.FILE_NAME}")
    if full:
        _check_fingerprint(folder, manifest)


def _check_fingerprint(folder: Folder, manifest: Manifest) -> None:
    part = manifest.part("features")
    if part is None:
        return
    name = part.files[0]
    document = strict_json.decode(folder.read(name, max_bytes=_MAX_FEATURES_BYTES), name)
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    found = hashlib.sha256(canonical.encode("utf-8")).hexdigest()
    expected = manifest.fingerprints["features"]
    if found != expected:
        raise MismatchError(
            f"{name}: fingerprint is {found}, {manifests.FILE_NAME} says {expected}"
        )
