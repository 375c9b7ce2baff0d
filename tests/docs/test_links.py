"""Links in the documentation lead somewhere."""

from __future__ import annotations

import re

import pytest
from pages import PAGES, ROOT, Page


@pytest.mark.parametrize("path", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_files_and_headings_that_are_linked_exist(path):
    for link in Page.read(path).links():
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_relative_to(ROOT), f"{path.name}: {link} leaves the repository"
        assert target.exists(), f"{path.name}: {link} does not exist"
        if anchor:
            assert anchor in Page.read(target).anchors(), f"{path.name}: {link}: no such heading"


def test_the_readme_links_every_page():
    linked = {(ROOT / link).resolve() for link in Page.read(ROOT / "README.md").links()}
    missing = [path.name for path in PAGES[1:] if path not in linked]
    assert not missing
