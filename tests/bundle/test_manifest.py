"""bundle.json: what is taken, and how everything else is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from resealing import sealed

from shortlist.bundle import manifest as manifests
from shortlist.errors import FormatError, MismatchError, UnsupportedError

SHA = "ab" * 32


def document(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "1.0",
        "name": "movies",
        "version": "v1",
        "created": "2024-02-29T12:00:00+00:00",
        "shortlist": "0.1.0",
        "fingerprints": {"features": SHA},
        "files": {
            "features.json": {"bytes": 10, "sha256": SHA},
            "ranker.safetensors": {"bytes": 64, "sha256": SHA},
        },
        "parts": [
            {
                "role": "features",
                "kind": "feature_set",
                "format": "json",
                "files": ["features.json"],
            },
            {
                "role": "ranker",
                "kind": "forest",
                "format": "safetensors",
                "files": ["ranker.safetensors"],
            },
        ],
        "settings": {
            "query": ["vector", "like"],
            "fallback": "popular",
            "n_candidates": 500,
            "raw_score": False,
        },
    } | changes


def test_a_manifest_reads_back_as_it_was_written():
    read = manifests.decode(sealed(document()))
    again = manifests.decode(manifests.encode(read))
    assert again.files == read.files
    assert again.parts == read.parts
    assert again.settings == read.settings
    assert again.part("ranker").files == ("ranker.safetensors",)
    assert again.part("users") is None


def test_every_flipped_bit_is_noticed():
    text = manifests.encode(manifests.decode(sealed(document())))
    for at in range(len(text) * 8):
        flipped = bytearray(text)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises((FormatError, MismatchError, UnsupportedError), match=r"bundle\.json"):
            manifests.decode(bytes(flipped))


def test_every_truncation_is_noticed():
    text = manifests.encode(manifests.decode(sealed(document())))
    for size in range(len(text)):
        with pytest.raises((FormatError, MismatchError)):
            manifests.decode(text[:size])


@pytest.mark.parametrize("schema", ["2.0", "2.7", "10.0", "0.9"])
def test_another_major_schema_is_refused(schema):
    with pytest.raises(UnsupportedError, match=rf"schema {schema}, this version reads schema 1.x"):
        manifests.decode(sealed(document(schema=schema, anything="else")))


@pytest.mark.parametrize(
    "schema", ["", "1", "1.", "1.0.0", "v1.0", "01.0", " 1.0", "1.0\n", 1.0, None, []]
)
def test_what_is_no_schema_is_refused(schema):
    with pytest.raises(FormatError, match=r"expected MAJOR\.MINOR"):
        manifests.decode(sealed(document(schema=schema)))


def with_additions(schema: str) -> bytes:
    content = document(schema=schema, encoder={"x": 1})
    content["settings"]["diversity"] = 0.5
    content["files"]["features.json"]["blake3"] = "00"
    content["files"]["encoder.bin"] = {"bytes": 1, "sha256": SHA}
    content["parts"][0]["note"] = "new"
    content["parts"].append(
        {"role": "encoder", "kind": "x", "format": "bin", "files": ["encoder.bin"]}
    )
    return sealed(content)


def test_additions_of_a_newer_minor_schema_are_passed_over():
    read = manifests.decode(with_additions("1.1"))
    assert read.settings.n_candidates == 500
    assert read.part("encoder").files == ("encoder.bin",)


def test_the_same_additions_under_this_schema_are_refused():
    with pytest.raises(FormatError, match="unknown field"):
        manifests.decode(with_additions("1.0"))


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "..",
        ".",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "",
        ".hidden",
        "-rf",
        "a\x00b",
        "a\n",
        "ä",
        "x" * 256,
        "con:1",
        "a b",
    ],
)
def test_names_that_could_leave_the_folder_are_refused(name):
    content = document()
    content["files"][name] = {"bytes": 1, "sha256": SHA}
    content["parts"][0]["files"].append(name)
    with pytest.raises(FormatError, match="could leave the folder"):
        manifests.decode(sealed(content))


def put(path: str, value: object) -> dict[str, Any]:
    """The document with one member, at a path such as ``settings/fallback``, replaced."""
    content = document()
    *parents, last = path.split("/")
    inner: Any = content
    for key in parents:
        inner = inner[int(key) if isinstance(inner, list) else key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "fragment"),
    [
        *((key, ..., key) for key in document() if key not in ("schema", "fingerprints")),
        ("name", "../movies", "name"),
        ("name", 7, "name"),
        ("extra", 1, "extra"),
        ("files/features.json/bytes", -1, "features.json: -1 bytes"),
        ("files/features.json/bytes", 1.5, "int"),
        ("files/features.json/bytes", True, "int"),
        ("files/features.json/sha256", "AB" * 32, "features.json: sha256"),
        ("files/features.json/sha256", "ab", "features.json: sha256"),
        ("files/features.json/sha256", ..., "sha256"),
        ("files/features.json/extra", 1, "extra"),
        ("files/bundle.json", {"bytes": 1, "sha256": SHA}, "lists itself"),
        ("files/idle.bin", {"bytes": 1, "sha256": SHA}, "'idle.bin' belongs to no part"),
        ("files", [], "files"),
        ("parts/0/files", [], "'features' has no file"),
        ("parts/0/files", ["other.json"], "'other.json', which files does not list"),
        ("parts/0/files", ["ranker.safetensors"], "belongs to two parts"),
        ("parts/0/role", "ranker", "'ranker' occurs twice"),
        ("parts/0/role", "wizard", "'wizard' is unknown"),
        ("parts/0/kind", None, "kind"),
        ("settings/query", ["guess"], "guess"),
        ("settings/query", ["like", "like"], "twice"),
        ("settings/fallback", "shrug", "shrug"),
        ("settings/n_candidates", 0, "n_candidates"),
        ("settings/n_candidates", 10**9, "n_candidates"),
        ("settings/raw_score", 1, "bool"),
        ("fingerprints/features", "12", "fingerprints: features"),
        ("fingerprints/features", ..., "fingerprints: features is missing"),
    ],
)
def test_mistakes_are_named(path, value, fragment):
    with pytest.raises(FormatError, match=r"bundle\.json") as error:
        manifests.decode(sealed(put(path, value)))
    assert fragment in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"schema": "1.0", "schema": "1.0"}',
        b"[" * 10**6,
        b"\xff\xfe",
        b"{}",
    ],
)
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(FormatError, match=r"bundle\.json"):
        manifests.decode(text)


def test_a_manifest_without_its_seal_is_refused():
    with pytest.raises(FormatError, match="fingerprints: manifest is missing"):
        manifests.decode(json.dumps(document()).encode())
