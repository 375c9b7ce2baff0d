"""Publishers to be killed: `python publisher.py FOLDER` starts one for each seed it reads."""

from __future__ import annotations

import hashlib
import os
import sys

from shortlist.bundle.manifest import FileEntry, Manifest, Part, Settings
from shortlist.bundle.publish import Draft, publish

N_FILES = 6


def write_version(draft: Draft, seed: int) -> None:
    """Write several files and the manifest that names them."""
    files = {}
    for i in range(N_FILES):
        content = f"{seed} {i}".encode() * 5000
        (draft.path / f"part{i}.bin").write_bytes(content)
        files[f"part{i}.bin"] = FileEntry(len(content), hashlib.sha256(content).hexdigest())
    draft.write_manifest(
        Manifest(
            schema="1.0",
            name="movies",
            version=draft.version,
            created="2024-02-29T12:00:00+00:00",
            shortlist="0.1.0",
            fingerprints={},
            files=files,
            parts=(Part("ranker", "forest", "bin", tuple(files)),),
            settings=Settings(("vector",), "popular", 500, False),
        )
    )


def tell(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def publish_until_killed(root: str, seed: int) -> None:
    """Publish one version after another, and tell the number of each that is there."""
    while True:
        with publish(root) as draft:
            write_version(draft, seed)
        tell(draft.version)
        seed += 1


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            publish_until_killed(sys.argv[1], int(line))
        tell(f"child {child}")
        os.waitpid(child, 0)
        tell("dead")
