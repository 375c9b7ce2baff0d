"""Fixtures of the documentation's tests."""

from __future__ import annotations

import pytest

pytest.importorskip("lightgbm")
pytest.importorskip("onnx")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory):
    """Tables, vectors, models and a bundle that the pages presuppose."""
    from world import World

    return World(tmp_path_factory.mktemp("world"))
