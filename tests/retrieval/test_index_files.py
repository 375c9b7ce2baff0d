"""Saved indexes come back as they were; damaged and forged files are refused, or harmless."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import vector_sets as data
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist import Index, safetensors
from shortlist.errors import (
    ArgumentError,
    FormatError,
    MismatchError,
    NotFoundError,
    ShortlistError,
    UnsupportedError,
)

N, DIM = 3000, 10
QUERIES = data.clustered(20, DIM, seed=8)


def build(metric: str = "ip", kind: str = "ivf", ids: object = None) -> Index:
    return Index.build(data.clustered(N, DIM), ids=ids, metric=metric, kind=kind, k=20)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("index") / "l2.index"
    build("l2").save(path)
    return path


@pytest.mark.parametrize("metric", ["ip", "cosine", "l2"])
@pytest.mark.parametrize("kind", ["flat", "ivf"])
@pytest.mark.parametrize("texts", [False, True])
@pytest.mark.parametrize("verify", ["full", "fast"])
def test_a_loaded_index_answers_with_the_same_bits(tmp_path, metric, kind, texts, verify):
    ids = [f"é{i}" for i in range(N)] if texts else list(range(100, N + 100))
    index = build(metric, kind, ids)
    index.save(tmp_path / "x.index")
    loaded = Index.load(tmp_path / "x.index", verify=verify)
    assert repr(loaded) == repr(index)
    assert loaded.describe() == index.describe()
    assert loaded.recall == index.recall
    assert loaded.ids.tolist() == index.ids.tolist()
    for options in ({}, {"exact": True}, {"recall": 0.6}, {"rerank": False}):
        expected = index.search(QUERIES, k=20, **options)
        found = loaded.search(QUERIES, k=20, **options)
        assert found.ids.tolist() == expected.ids.tolist()
        assert found.scores.tobytes() == expected.scores.tobytes()
    again = tmp_path / "again.index"
    loaded.save(again)
    assert again.read_bytes() == (tmp_path / "x.index").read_bytes()


def test_an_empty_index_and_one_vector_can_be_saved(tmp_path):
    for vectors in (np.zeros((0, 3)), np.ones((1, 3))):
        for kind in ("flat", "ivf"):
            Index.build(vectors, kind=kind).save(tmp_path / "x.index")
            found = Index.load(tmp_path / "x.index").search(np.ones(3), k=2)
            assert found.ids.tolist() == [list(range(len(vectors)))]


@pytest.mark.parametrize("metric", ["ip", "cosine", "l2"])
def test_vectors_near_the_limits_of_float32_can_be_saved(tmp_path, metric):
    vectors = (data.clustered(300, 16) * np.float32(3e38)).astype(np.float32)
    index = Index.build(vectors, metric=metric, kind="ivf")
    index.save(tmp_path / "x.index")
    loaded = Index.load(tmp_path / "x.index")
    with np.errstate(over="ignore"):
        assert loaded.search(QUERIES[0, :1].repeat(16), k=5).ids.shape == (1, 5)


def test_a_save_replaces_the_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "x.index"
    build(kind="flat").save(path)
    loaded = Index.load(path)
    before = loaded.search(QUERIES, k=3).ids.tolist()
    Index.build(-data.clustered(N, DIM), kind="flat").save(path)
    assert loaded.search(QUERIES, k=3).ids.tolist() == before
    assert Index.load(path).search(QUERIES, k=3).ids.tolist() != before
    assert [file.name for file in tmp_path.iterdir()] == ["x.index"]


def _first_of(path: str) -> list[int]:
    return Index.load(path).search(QUERIES, k=1).ids[:, 0].tolist()


def test_several_processes_load_one_file(saved):
    expected = _first_of(str(saved))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_first_of, [str(saved)] * 2) == [expected] * 2


def test_truncated_files_are_refused(saved, tmp_path):
    content = saved.read_bytes()
    for size in (0, 7, 100, len(content) // 2, len(content) - 1):
        path = tmp_path / "cut.index"
        path.write_bytes(content[:size])
        with pytest.raises(FormatError, match=r"cut\.index"):
            Index.load(path, verify="fast")


def test_a_flipped_bit_is_found_by_the_full_check(saved, tmp_path):
    content = bytearray(saved.read_bytes())
    rng = np.random.default_rng(2)
    path = tmp_path / "flipped.index"
    for _ in range(40):
        at = int(rng.integers(len(content)))
        content[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(content)
        refused = False
        try:
            Index.load(path)
        except ShortlistError as error:
            refused = "flipped.index" in str(error)
        # Padding is no content.
        assert refused or _tensors(path) == _tensors(saved)
        content = bytearray(saved.read_bytes())


def _tensors(path: Path) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in safetensors.load(path)[0].items()}


FLOATS = (
    "origin",
    "centroids",
    "list_radii",
    "list_spreads",
    "centroid_scales",
    "scales",
    "biases",
)
COUNTS = ("list_begins", "list_sizes", "rows", "codes", "centroid_codes", "radii", "errors")


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(FLOATS + COUNTS),
    at=st.integers(0, 2**31),
    value=st.sampled_from([0, 1, 2, 17, 255, 2**31, 2**32 - 1, -1.0, 1e38, 1e-38, np.nan, np.inf]),
    count=st.integers(1, 40),
)
def test_forged_lists_are_refused_or_searched_within_memory(saved, name, at, value, count):
    tensors, metadata = safetensors.load(saved)
    forged = tensors[name].copy()
    flat = forged.reshape(-1)
    if forged.dtype.kind == "u":
        value = int(abs(value)) % (np.iinfo(forged.dtype).max + 1) if np.isfinite(value) else 3
    first = at % len(flat)
    flat[first : first + count] = value
    path = saved.with_name("forged.index")
    safetensors.save(path, {**tensors, name: forged}, metadata)
    if forged.tobytes() != tensors[name].tobytes():
        with pytest.raises(MismatchError, match="checksum"):
            Index.load(path)
    try:
        index = Index.load(path, verify="fast")
    except FormatError as error:
        assert "forged.index: tensor" in str(error)
        return
    for options in ({"exact": True}, {}, {"rerank": False}, {"filter": np.arange(N) % 2 == 0}):
        found = index.search(QUERIES, k=20, **options)
        assert ((found.ids >= -1) & (found.ids < N)).all()


@pytest.mark.parametrize("change", ["missing", "dtype", "short", "long"])
@pytest.mark.parametrize("name", [*FLOATS, *COUNTS, "centroid_margins", "ids", "curve_values"])
def test_tensors_of_another_form_are_refused(saved, tmp_path, name, change):
    tensors, metadata = safetensors.load(saved)
    array = tensors.pop(name)
    if change == "dtype":
        tensors[name] = array.astype(np.int32 if array.dtype.kind == "f" else np.float32)
    elif change != "missing":
        tensors[name] = array[:-1] if change == "short" else np.concatenate([array, array[-1:]])
    elif name == "curve_values":
        return  # an index without a curve searches exactly
    safetensors.save(tmp_path / "x.index", tensors, metadata)
    with pytest.raises(FormatError, match=r"x\.index"):
        Index.load(tmp_path / "x.index", verify="fast")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"format": "other"}, FormatError, "not an index: format is 'other'"),
        ({"version": "2"}, UnsupportedError, "version '2', this version reads '1'"),
        ({"kind": "hnsw"}, FormatError, "kind is 'hnsw'"),
        ({"metric": "dot"}, FormatError, "metric 'dot'"),
        ({"recall": "2"}, FormatError, "recall is '2'"),
        ({"recall": "nan"}, FormatError, "recall is 'nan'"),
        ({"sha256": "0" * 64}, MismatchError, "checksum"),
    ],
)
def test_other_metadata_is_refused(saved, tmp_path, changes, error, message):
    tensors, metadata = safetensors.load(saved)
    safetensors.save(tmp_path / "x.index", tensors, {**metadata, **changes})
    with pytest.raises(error, match=message):
        Index.load(tmp_path / "x.index")


def test_bad_paths_and_options_are_told(saved, tmp_path):
    with pytest.raises(NotFoundError, match=r"gone\.index: no such file"):
        Index.load(tmp_path / "gone.index")
    with pytest.raises(ArgumentError, match="verify: got 'none'"):
        Index.load(saved, verify="none")


def test_vectors_come_from_a_mapped_file_and_in_half_precision(tmp_path):
    vectors = data.clustered(500, 8)
    expected = Index.build(vectors).search(vectors[:5], k=7)
    np.save(tmp_path / "x.npy", vectors)
    mapped = Index.build(tmp_path / "x.npy")
    assert mapped.search(vectors[:5], k=7).ids.tolist() == expected.ids.tolist()
    assert isinstance(mapped.vectors.base, np.memmap)
    half = Index.build(vectors.astype(np.float16))
    true = Index.build(vectors.astype(np.float16).astype(np.float32))
    found = half.search(vectors[:5], k=7)
    assert found.scores.tobytes() == true.search(vectors[:5], k=7).scores.tobytes()
    (tmp_path / "bad.npy").write_bytes(b"nothing")
    with pytest.raises(FormatError, match=r"bad\.npy"):
        Index.build(tmp_path / "bad.npy")
    np.save(tmp_path / "objects.npy", np.array([[1], ["a"]], dtype=object), allow_pickle=True)
    with pytest.raises(FormatError, match=r"objects\.npy"):
        Index.build(tmp_path / "objects.npy")
    with pytest.raises(NotFoundError, match=r"gone\.npy"):
        Index.build(tmp_path / "gone.npy")
