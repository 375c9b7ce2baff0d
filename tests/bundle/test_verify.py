"""Damaged and dishonest bundles: every one is refused, and the message says which file and why."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from resealing import change_file, change_manifest

import shortlist
from shortlist import safetensors
from shortlist.bundle import manifest as manifests
from shortlist.bundle.files import check_files
from shortlist.bundle.folder import Folder
from shortlist.bundle.verification import check_parity
from shortlist.errors import (
    FormatError,
    MismatchError,
    NotFoundError,
    ShortlistError,
    StorageError,
    UnsupportedError,
)

FLIPS = 200
FILES = [
    "bundle.json",
    "features.json",
    "index.safetensors",
    "items.safetensors",
    "ranker.lightgbm.txt",
    "ranker.safetensors",
    "reference.json",
    "samples.jsonl",
    "users.safetensors",
]


def check(version: Path) -> None:
    with Folder(version) as folder:
        check_files(folder, manifests.read(folder), full=True)


def test_the_files_of_these_tests_are_all_there_are(packed):
    assert sorted(path.name for path in packed.iterdir()) == FILES


@pytest.mark.parametrize("name", FILES)
def test_flipped_bits_are_refused(copied: Path, name: str):
    path = copied / name
    content = path.read_bytes()
    places = random.Random(name)
    for _ in range(FLIPS):
        bit = places.randrange(len(content) * 8)
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises((FormatError, MismatchError, UnsupportedError)) as error:
            check(copied)
        assert name in str(error.value)


@pytest.mark.parametrize("name", FILES)
def test_truncated_and_grown_files_are_refused(copied: Path, name: str, refused):
    path = copied / name
    content = path.read_bytes()
    for damaged in (content[:-1], content[: len(content) // 2], b"", content + b"\0"):
        path.write_bytes(damaged)
        assert name in refused(copied)


@pytest.mark.parametrize("name", FILES)
def test_missing_files_are_refused(copied: Path, name: str, refused):
    (copied / name).unlink()
    assert name in refused(copied) or name == "bundle.json"


@pytest.mark.parametrize("name", ["more.bin", ".hidden", "notes.txt"])
def test_files_that_nobody_listed_are_refused(copied: Path, name: str, refused):
    (copied / name).write_bytes(b"x")
    assert f"{name!r}: not listed in bundle.json" in refused(copied)


def test_a_folder_inside_is_refused(copied: Path, refused):
    (copied / "inner").mkdir()
    assert "'inner': not listed" in refused(copied)


@pytest.mark.parametrize("name", FILES)
def test_links_are_refused(copied: Path, tmp_path: Path, name: str):
    target = tmp_path / "outside"
    shutil.move(copied / name, target)
    (copied / name).symlink_to(target)
    for load in (shortlist.verify, shortlist.Engine.load):
        # A folder whose bundle.json is a link holds no bundle in the first place.
        with pytest.raises((FormatError, NotFoundError), match=r"symbolic link|no bundle here"):
            load(copied)
    with pytest.raises((FormatError, StorageError, NotFoundError)):
        shortlist.Engine.load(copied, verify="fast")


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_refused_without_waiting(copied: Path, kind: str, refused):
    path = copied / "reference.json"
    path.unlink()
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    assert "reference.json: not a regular file" in refused(copied)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/b", "..", "a\0b", ""])
def test_names_that_leave_the_folder_are_refused(copied: Path, name: str, refused):
    (copied.parent / "outside").write_bytes(b"secret")

    def rename(document):
        document["files"][name] = document["files"].pop("reference.json")
        part = next(part for part in document["parts"] if part["role"] == "reference")
        part["files"] = [name]

    change_manifest(copied, rename)
    assert "could leave the folder" in refused(copied)
    with Folder(copied) as folder, pytest.raises(FormatError, match="could leave the folder"):
        folder.size(name)


def test_a_newer_major_schema_is_refused(copied: Path, refused):
    change_manifest(copied, lambda document: document.update(schema="2.0"))
    assert "schema 2.0, this version reads schema 1.x" in refused(copied)


def test_a_newer_minor_schema_is_read(copied: Path):
    def renew(document):
        document["schema"] = "1.9"
        document["settings"]["diversity"] = 0.5

    change_manifest(copied, renew)
    shortlist.verify(copied)
    assert shortlist.Engine.load(copied).version == "v1"


def test_features_of_another_fingerprint_are_refused(copied: Path, refused):
    document = json.loads((copied / "features.json").read_bytes())
    document["features"][2]["missing"] = 7.0
    change_file(copied, "features.json", json.dumps(document).encode())
    assert "features.json: fingerprint is" in refused(copied)


def test_a_ranker_that_scores_otherwise_is_refused_by_its_samples(copied: Path, refused):
    tensors, header = safetensors.load(copied / "ranker.safetensors")
    changed = tensors | {"leaf_values": np.nextafter(tensors["leaf_values"], np.inf)}
    other = copied.parent / "other.safetensors"
    safetensors.save(other, changed, header)
    change_file(copied, "ranker.safetensors", other.read_bytes())
    message = refused(copied)
    assert message.startswith("samples.jsonl: line 1: place 1: ")
    assert "when packed" in message
    shortlist.verify(copied, parity=False)
    shortlist.Engine.load(copied, parity=False)


def test_samples_of_other_ids_are_refused(copied: Path, refused):
    lines = (copied / "samples.jsonl").read_text().splitlines()
    sample = json.loads(lines[1])
    sample["ids"][0], sample["ids"][1] = sample["ids"][1], sample["ids"][0]
    lines[1] = json.dumps(sample)
    change_file(copied, "samples.jsonl", "\n".join(lines).encode())
    assert refused(copied).startswith("samples.jsonl: line 2: place 1: id ")


@pytest.mark.parametrize(
    ("line", "fragment"),
    [
        (b"", "not valid JSON"),
        (b"[]", "line 1"),
        (b'{"request": {}, "ids": [1], "scores": []}', "1 ids, 0 scores"),
        (b'{"request": {}, "ids": [1.5], "scores": [1]}', "ids"),
        (b'{"rows": [1], "scores": [1]}', "rows"),
        (b'{"rows": [], "scores": [NaN]}', "NaN"),
        (b'{"rows": [], "scores": [], "extra": 1}', "extra"),
    ],
)
def test_what_is_no_sample_is_refused(copied: Path, line: bytes, fragment: str, refused):
    change_file(copied, "samples.jsonl", line + b"\n")
    message = refused(copied)
    assert message.startswith("samples.jsonl: line 1")
    assert fragment in message


@pytest.mark.parametrize("name", ["logic", "planes", "code_leaves", "predicates"])
def test_programs_that_are_not_the_trees_are_refused(copied: Path, name: str):
    tensors, metadata = safetensors.load(copied / "ranker.safetensors")
    changed = tensors[name].copy()
    changed[-1] ^= changed.dtype.type(1)
    safetensors.save(copied / "changed", {**tensors, name: changed}, metadata)
    change_file(copied, "ranker.safetensors", (copied / "changed").read_bytes())
    (copied / "changed").unlink()
    with pytest.raises(FormatError, match=rf"ranker\.safetensors: {name} is not what its trees"):
        shortlist.verify(copied, parity=False)


def test_parity_counts_what_it_compared(packed: Path):
    assert check_parity(shortlist.Engine.load(packed)) == shortlist.verify(packed).n_samples


def test_hostile_content_is_refused_or_served_but_never_crashes(copied: Path):
    """Bytes that agree with their checksums, because whoever wrote them made those too."""
    places = random.Random(17)
    for name in (
        "items.safetensors",
        "users.safetensors",
        "index.safetensors",
        "ranker.safetensors",
    ):
        content = (copied / name).read_bytes()
        for _ in range(60):
            changed = bytearray(content)
            for _ in range(4):
                changed[places.randrange(len(changed))] = places.randrange(256)
            change_file(copied, name, bytes(changed))
            try:
                engine = shortlist.Engine.load(copied, parity=False)
                engine.rank({"user": {"id": "u1"}, "filter": "price < 0.5", "k": 60})
            except ShortlistError:
                continue
        change_file(copied, name, content)


def test_descriptors_are_closed_again(copied: Path):
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to count descriptors")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        shortlist.verify(copied)
        shortlist.inspect(copied)
    (copied / "samples.jsonl").unlink()
    for _ in range(5):
        with pytest.raises(NotFoundError):
            shortlist.verify(copied)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2
