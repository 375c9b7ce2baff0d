"""What docs/models.md shows outside of Python blocks is what the code does."""

from __future__ import annotations

from pages import ROOT, Page, matches

import shortlist


def test_the_description_of_a_model_is_the_one_shown(world, tmp_path):
    world.copy_to(tmp_path)
    shown = [
        block.text
        for block in Page.read(ROOT / "docs" / "models.md").blocks()
        if block.language == "text"
    ]
    found = shortlist.load_model(tmp_path / "model.txt").describe()
    assert len(shown) == 1
    assert matches(shown[0], found)
