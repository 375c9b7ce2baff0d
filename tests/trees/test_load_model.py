"""load_model tells formats by their content, and refuses what it cannot score."""

import json
import sys

import numpy as np
import pytest
from cases import MODELS, cases, needs_models

from shortlist.errors import ArgumentError, FormatError, NotFoundError, UnsupportedError
from shortlist.models import Forest, OnnxModel, load_model
from shortlist.models.load import model_format


def test_the_name_of_a_file_does_not_matter(model_text, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_text(model_text)

    assert isinstance(load_model(path), Forest)


def test_a_file_that_is_absent_is_refused(tmp_path):
    with pytest.raises(NotFoundError, match=r"nothing\.txt"):
        load_model(tmp_path / "nothing.txt")


@pytest.mark.parametrize(
    "data", [b"", b"hello world", b"{", b"{}", b"\x08", b"\x3a\xff\xff", bytes(64)]
)
def test_junk_is_refused(data, tmp_path):
    path = tmp_path / "junk"
    path.write_bytes(data)

    with pytest.raises(FormatError, match="junk: no model format that is known"):
        load_model(path)


@pytest.mark.parametrize("data", [b"\x80\x04\x95", b"\x1f\x8b\x08", b"PK\x03\x04"])
def test_pickles_and_archives_are_refused_by_name(data, tmp_path):
    path = tmp_path / "model.txt"
    path.write_bytes(data)

    with pytest.raises(UnsupportedError, match=r"pickle|gzip|zip"):
        load_model(path)
