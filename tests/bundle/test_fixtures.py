"""Bundles of every released schema still load and answer with the bits they were packed with."""

from __future__ import annotations

from pathlib import Path

import pytest

import shortlist

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures").glob("schema-*"))


@pytest.mark.parametrize("folder", FIXTURES, ids=lambda folder: folder.name)
def test_a_fixture_verifies_and_answers_its_samples(folder):
    assert shortlist.verify(folder).n_samples > 0
    engine = shortlist.Engine.load(folder, verify="full", parity=True)
    assert len(engine.rank({"user": {"id": 3}}, k=5)) == 5


def test_every_fixture_is_named_by_its_schema():
    assert FIXTURES
    assert all(folder.name.startswith("schema-") for folder in FIXTURES)
