"""A small forest, and rows that it scores, as files of each kind."""

from __future__ import annotations

import pytest

for library in ("lightgbm", "pyarrow"):
    pytest.importorskip(library)
