"""Tests that need ../shared skip without it, or fail where it is required."""

from __future__ import annotations

import pytest
import shared_files


@pytest.fixture
def shared(tmp_path, monkeypatch):
    folder = tmp_path / "shared"
    monkeypatch.setattr(shared_files, "SHARED", folder)
    monkeypatch.delenv("SHORTLIST_REQUIRE_SHARED", raising=False)
    return folder


def test_a_path_that_exists_is_returned(shared):
    (shared / "data").mkdir(parents=True)
    assert shared_files.shared_path("data") == shared / "data"


def test_an_absent_path_skips_and_says_what_it_needs(shared):
    with pytest.raises(pytest.skip.Exception, match=r"^needs \.\./shared/data/ml-100k$"):
        shared_files.shared_path("data", "ml-100k")


def test_an_absent_path_fails_where_it_is_required(shared, monkeypatch):
    monkeypatch.setenv("SHORTLIST_REQUIRE_SHARED", "1")
    with pytest.raises(
        pytest.fail.Exception, match=r"^needs \.\./shared/data, and SHORTLIST_REQUIRE"
    ):
        shared_files.shared_path("data")


def test_names_are_sorted_and_filtered_by_a_file_they_must_have(shared):
    for name in ("b", "a", "empty"):
        (shared / "models" / name).mkdir(parents=True)
    for name in ("b", "a"):
        (shared / "models" / name / "case.json").touch()
    assert shared_files.shared_names("models", having="case.json") == ["a", "b"]


def test_without_names_one_remains_that_skips(shared):
    (name,) = shared_files.shared_names("models")
    with pytest.raises(pytest.skip.Exception, match=r"needs \.\./shared/models/"):
        shared_files.shared_path("models", name)
