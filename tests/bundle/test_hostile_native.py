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


# The native reader takes the last of two equal metadata keys; it reads no tensor by them.
TAKEN = ("metadata key twice", "metadata twice")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case, id=case.name, marks=[pytest.mark.xfail(strict=True)] if case.name in TAKEN else []
        )
        for case in hostile_files()
    ],
)
def test_the_engine_refuses_hostile_tensor_files(version: Path, case: Hostile):
    change_file(version, "index.safetensors", case.content)
    with pytest.raises(FormatError) as error:
        _core.Engine(str(version))
    assert case.fragment in str(error.value)
    assert "index.safetensors" in str(error.value)
