"""Data sets and trained models that stand beside the repository, in ../shared, and not in it.

Tests that need one skip where it is absent, or fail where SHORTLIST_REQUIRE_SHARED=1 says that it
must be there. SHORTLIST_SHARED names another folder than ../shared.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("SHORTLIST_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def shared_path(*parts: str) -> Path:
    """Return a file or folder of ../shared; where it is absent skip, or fail if it is required."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        message = "needs ../shared/" + "/".join(parts)
        if os.environ.get("SHORTLIST_REQUIRE_SHARED") == "1":
            pytest.fail(
                f"{message}, and SHORTLIST_REQUIRE_SHARED=1 says that it must be there",
                pytrace=False,
            )
        pytest.skip(message)
    return path


def shared_names(*parts: str, having: str = "") -> list[str]:
    """Return the sorted names in a folder of ../shared, for `parametrize`.

    Only names below which the file `having` exists, where that is given. Where there are none, one
    name that `shared_path` will skip or fail on, so that the absence shows in the test report.
    """
    folder = SHARED.joinpath(*parts)
    names = sorted(path.name for path in folder.glob("*") if (path / having).exists())
    return names or ["*"]
