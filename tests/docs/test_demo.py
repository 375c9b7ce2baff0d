"""`shortlist demo` prints what the README shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from pages import ROOT, Page


def skeleton(text: str) -> list[str]:
    """Steps, headings and names of rows, without what differs from machine to machine."""
    lines = (line for line in text.splitlines() if line.strip())
    kept = (line for line in lines if re.match(r"✓|┃|│ [a-z]|\w", line) and "download" not in line)
    return [" ".join(re.findall(r"[^\W\d]{2,}", line)) for line in kept]


def test_the_demonstration_prints_what_the_readme_shows(shared_path, tmp_path):
    data = shared_path("data", "ml-100k")
    environment = os.environ | {"COLUMNS": "120", "PYTHONWARNINGS": "error", "TERM": "dumb"}
    ended = subprocess.run(
        [Path(sys.executable).parent / "shortlist", "demo", "--no-serve", "--data", data],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    blocks = Page.read(ROOT / "README.md").blocks()
    (shown,) = [block.text for block in blocks if "✓ read the ratings" in block.text]
    shown = shown.partition("\nServing on ")[0]
    assert skeleton(ended.stdout) == skeleton(shown)
