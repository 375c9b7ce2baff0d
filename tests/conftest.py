"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import shared_files


@pytest.fixture(scope="session")
def shared_path() -> Callable[..., Path]:
    """`shared_path("data", "ml-100k")`: a path in ../shared; the test skips where it is absent."""
    return shared_files.shared_path


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).resolve().parents[1]
