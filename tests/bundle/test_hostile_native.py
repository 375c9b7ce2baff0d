"""The native reader refuses the same hostile files, for the same reasons."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hostile_safetensors import Hostile, hostile_files
from resealing import change_file

from shortlist import FormatError, _core


@pytest.fixture(scope="module")
def version(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("hostile") / "v1"
    shutil.copytree(packed, target)
    return target


@pytest.mark.parametrize("case", hostile_files(), ids=lambda case: case.name)
def test_the_engine_refuses_hostile_tensor_files(version: Path, case: Hostile):
    change_file(version, "index.safetensors", case.content)
    with pytest.raises(FormatError) as error:
        _core.Engine(str(version))
    assert case.fragment in str(error.value)
    assert "index.safetensors" in str(error.value)
