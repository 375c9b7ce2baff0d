"""What `inspect` tells about a bundle."""

from __future__ import annotations

import msgspec

import shortlist


def test_parts_tables_features_and_files_are_told(packed):
    found = shortlist.inspect(packed.parent)
    assert (found.name, found.version, found.versions) == ("movies", "v1", ["v1"])
    tables = {table.role: (table.rows, table.dim, table.kind) for table in found.tables}
    assert tables == {
        "items": (60, 0, "int64 ids"),
        "users": (20, 8, "text ids"),
        "retriever": (60, 8, "cosine"),
    }
    assert found.tables[0].filters == "genre, price, sold, tags"
    assert [feature["kind"] for feature in found.features][-2:] == ["cross", "similarity"]
    assert found.ranker["trees"] == "10"
    assert found.bytes == sum(f.stat().st_size for f in packed.iterdir() if f.name != "bundle.json")
    assert set(found.fingerprints) == {"features", "manifest"}


def test_the_page_names_everything(packed):
    page = str(shortlist.inspect(packed))
    for text in ("movies", "items.safetensors", "user.age", "cosine", "trees 10", "popular"):
        assert text in page
    assert max(len(line) for line in page.splitlines()) < 120 + len(str(packed))


def test_the_result_is_plain_data(packed):
    assert msgspec.json.decode(msgspec.json.encode(shortlist.inspect(packed)))["name"] == "movies"
