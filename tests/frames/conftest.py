"""The tests of frames need the libraries whose frames they are."""

from __future__ import annotations

import pytest

for library in ("pandas", "polars", "pyarrow"):
    pytest.importorskip(library)
