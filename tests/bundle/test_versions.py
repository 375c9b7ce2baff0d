"""Which version a path means."""

from __future__ import annotations

from pathlib import Path

import pytest

from shortlist.bundle.versions import latest, next_number, resolve, versions
from shortlist.errors import NotFoundError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "movies"
    for name in ("v1", "v2", "v10"):
        (folder / name).mkdir(parents=True)
        (folder / name / "bundle.json").write_text("{}")
    return folder


def test_the_latest_is_the_highest_number(root):
    assert latest(root) == resolve(root) == root / "v10"
    assert versions(root) == [root / "v1", root / "v2", root / "v10"]


def test_a_version_is_itself(root):
    assert resolve(root / "v2") == root / "v2"


@pytest.mark.parametrize(
    "name", ["v011", "v0", "V12", "v12x", "x12", "v-12", "v12.old", ".tmp-12", "12", "v99999999999"]
)
def test_other_folders_do_not_count(root, name):
    (root / name).mkdir()
    (root / name / "bundle.json").write_text("{}")
    assert latest(root) == root / "v10"
    assert next_number(root) == 11


def test_folders_without_a_manifest_do_not_count_but_keep_their_number(root):
    (root / "v12").mkdir()
    (root / "v13").write_text("a file")
    (root / "v14").mkdir()
    (root / "v14" / "bundle.json").mkdir()
    assert latest(root) == root / "v10"
    assert next_number(root) == 15


def test_links_in_the_folder_do_not_count(root):
    (root / "v12").symlink_to(root / "v2")
    (root / "v13").mkdir()
    (root / "v13" / "bundle.json").symlink_to(root / "v2" / "bundle.json")
    assert latest(root) == root / "v10"


def test_the_folder_of_versions_may_be_a_link(root, tmp_path):
    (tmp_path / "current").symlink_to(root)
    assert latest(tmp_path / "current") == tmp_path / "current" / "v10"


def test_a_link_to_a_version_is_that_version(root, tmp_path):
    (tmp_path / "current").symlink_to(root / "v2")
    assert resolve(tmp_path / "current") == tmp_path / "current"


def test_nothing_there_is_said_plainly(tmp_path):
    with pytest.raises(NotFoundError, match="no bundle here"):
        resolve(tmp_path)
    with pytest.raises(NotFoundError, match="absent"):
        resolve(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotFoundError, match="file"):
        resolve(tmp_path / "file")
    assert versions(tmp_path) == []
    assert next_number(tmp_path) == 1
