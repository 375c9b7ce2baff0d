"""Writing and reading safetensors files, alone and against the reference implementation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hostile_safetensors import Hostile, file_of, hostile_files
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from shortlist import safetensors
from shortlist.errors import ArgumentError, FormatError, NotFoundError, StorageError

DTYPES = ["u1", "<u2", "<u4", "<u8", "<i4", "<i8", "<f4", "<f8"]
HOSTILE = hostile_files()

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda name: not name.startswith("__")
)
tensors = st.dictionaries(
    names,
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays.arrays(
            dtype, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
        )
    ),
    max_size=6,
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
metadata = st.dictionaries(texts, texts, max_size=3)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("safetensors") / "x.safetensors"


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()


@given(tensors, metadata)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_what_is_saved_is_loaded(scratch, content, header):
    safetensors.save(scratch, content, header)
    found, found_header = safetensors.load(scratch)
    # Tensors without bytes stand beside their neighbours: only their own order may differ.
    assert_same({name: found[name] for name in content}, content)
    assert len(found) == len(content)
    assert found_header == header


@given(tensors, metadata)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_reference_implementation_reads_what_is_saved(scratch, content, header):
    reference = pytest.importorskip("safetensors")
    safetensors.save(scratch, content, header)
    with reference.safe_open(scratch, framework="numpy") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        assert (file.metadata() or {}) == header
    shown = {name: array for name, array in found.items() if not name.startswith("__pad_")}
    assert_same({name: shown[name] for name in content}, content)
    assert len(shown) == len(content)


@given(tensors)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_files_of_the_reference_implementation_are_read(scratch, content):
    reference = pytest.importorskip("safetensors.numpy")
    scratch.write_bytes(reference.save(content, {"by": "reference"}))
    found, header = safetensors.load(scratch)
    assert_same({name: found[name] for name in content}, content)
    assert header == {"by": "reference"}


def test_data_and_every_tensor_start_at_a_multiple_of_64(scratch):
    content = {f"t{n}": np.arange(n, dtype="u1") for n in (1, 63, 64, 65, 7)}
    safetensors.save(scratch, content)
    raw = scratch.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    assert (8 + size) % 64 == 0
    assert all(header[name]["data_offsets"][0] % 64 == 0 for name in content)
    assert sum(name.startswith("__pad_") for name in header) == 3
    found, _ = safetensors.load(scratch)
    assert all(array.ctypes.data % 64 == 0 for array in found.values())


def test_loaded_arrays_are_read_only_views_of_the_file(scratch):
    safetensors.save(scratch, {"a": np.arange(4.0)})
    found, _ = safetensors.load(scratch)
    assert not found["a"].flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        found["a"][0] = 1.0


def test_saving_over_a_mapped_file_leaves_the_mapping_as_it_was(scratch):
    safetensors.save(scratch, {"a": np.arange(1000.0)})
    before, _ = safetensors.load(scratch)
    safetensors.save(scratch, {"a": np.zeros(1)})
    assert before["a"][999] == 999.0
    assert [file.name for file in scratch.parent.iterdir()] == [scratch.name]


def test_big_endian_and_strided_arrays_are_converted(scratch):
    matrix = np.arange(12, dtype=">f4").reshape(3, 4)
    safetensors.save(scratch, {"turned": matrix.T, "every other": matrix[:, ::2]})
    found, _ = safetensors.load(scratch)
    assert np.array_equal(found["turned"], matrix.T)
    assert np.array_equal(found["every other"], matrix[:, ::2])


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        ({"": np.zeros(1)}, "reserved"),
        ({"__metadata__": np.zeros(1)}, "reserved"),
        ({"__pad_0": np.zeros(1)}, "reserved"),
        ({"\ud800": np.zeros(1)}, "Unicode"),
        ({"a": np.zeros(1, np.float16)}, "float16"),
        ({"a": np.zeros(1, bool)}, "bool"),
        ({"a": np.array(["x"])}, "dtype"),
        ({"a": np.array([None])}, "object"),
        ({"a": np.zeros((1,) * 9)}, "9 axes"),
        ({"a": [1.0]}, "list"),
    ],
)
def test_what_the_format_cannot_hold_is_refused_when_saving(scratch, content, fragment):
    with pytest.raises(ArgumentError, match=fragment):
        safetensors.save(scratch, content)


def test_metadata_other_than_text_is_refused_when_saving(scratch):
    with pytest.raises(ArgumentError, match="metadata"):
        safetensors.save(scratch, {}, {"n": 1})


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(NotFoundError, match=r"none\.safetensors"):
        safetensors.load(tmp_path / "none.safetensors")
    with pytest.raises(StorageError, match="not a regular file"):
        safetensors.load(tmp_path)
    with pytest.raises(StorageError, match="gone"):
        safetensors.save(tmp_path / "gone" / "x.safetensors", {})


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_hostile_files_are_refused(scratch: Path, case: Hostile):
    scratch.write_bytes(case.content)
    with pytest.raises(FormatError) as error:
        safetensors.load(scratch)
    assert case.fragment in str(error.value)
    assert scratch.name in str(error.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["U8", "F32", "I64", "F16"]) | json_values,
        "shape": st.lists(st.integers(-1, 2**65), max_size=3) | json_values,
        "data_offsets": st.lists(st.integers(-1, 2**65), min_size=2, max_size=2) | json_values,
    }
)


@given(st.dictionaries(st.text(max_size=5), entries | json_values, max_size=4), st.binary())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_header_is_either_read_within_bounds_or_refused(scratch, header, data):
    scratch.write_bytes(file_of(header, data))
    try:
        found, _ = safetensors.load(scratch)
    except FormatError:
        return
    assert sum(array.nbytes for array in found.values()) <= len(data)


@given(st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_bytes_are_either_read_or_refused(scratch, data):
    content = bytearray(
        file_of({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(8))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    scratch.write_bytes(content)
    try:
        found, _ = safetensors.load(scratch)
    except FormatError:
        return
    assert sum(array.nbytes for array in found.values()) <= 8
