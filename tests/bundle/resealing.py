"""Changes to a bundle by someone who also brings its manifest up to date."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["change_file", "change_manifest", "sealed"]

ZEROS = "0" * 64


def sealed(document: dict[str, Any]) -> bytes:
    """Text of a bundle.json with a valid seal."""
    document = document | {"fingerprints": document["fingerprints"] | {"manifest": ZEROS}}
    text = json.dumps(document)
    seal = hashlib.sha256(text.encode()).hexdigest()
    return text.replace(f'"manifest": "{ZEROS}"', f'"manifest": "{seal}"').encode()


def change_manifest(version: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Apply a change to the manifest in place."""
    path = version / "bundle.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_bytes(sealed(document))


def change_file(version: Path, name: str, content: bytes) -> None:
    """Replace a file, with its size and checksum in the manifest."""
    (version / name).write_bytes(content)
    entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    change_manifest(version, lambda document: document["files"].update({name: entry}))
