"""The native engine alone refuses bundles that would make it wrong or slow, and names the file."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shortlist import FormatError, MismatchError, ShortlistError, _core, safetensors

FIXTURE = Path(__file__).parents[1] / "fixtures" / "schema-1.0"

Tensors = dict[str, np.ndarray]


class Bundle:
    """A copy of the fixture's bundle that may be spoilt; sizes in the manifest follow."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(FIXTURE, folder)
        self.folder = folder

    def change_manifest(self, change: Callable[[dict[str, Any]], object]) -> None:
        path = self.folder / "bundle.json"
        document = json.loads(path.read_bytes())
        change(document)
        path.write_text(json.dumps(document))

    def change_text(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new))
        if name != "bundle.json":
            size = (self.folder / name).stat().st_size
            self.change_manifest(lambda document: document["files"][name].update(bytes=size))

    def change_tensors(
        self, name: str, change: Callable[[Tensors, dict[str, str]], object]
    ) -> None:
        path = self.folder / name
        arrays, metadata = safetensors.load(path)
        tensors = {key: np.array(value) for key, value in arrays.items()}
        change(tensors, metadata)
        path.unlink()
        safetensors.save(path, tensors, metadata)
        size = path.stat().st_size
        self.change_manifest(lambda document: document["files"][name].update(bytes=size))

    def refusal(self, error: type[ShortlistError]) -> str:
        began = time.monotonic()
        with pytest.raises(error) as caught:
            _core.Engine(str(self.folder))
        assert time.monotonic() - began < 2
        return str(caught.value)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle(tmp_path / "v1")


def test_the_copy_itself_is_taken(bundle):
    bundle.change_tensors("items.safetensors", lambda tensors, metadata: None)
    assert json.loads(_core.Engine(str(bundle.folder)).rank_json(b'{"user":{"id":3},"k":1}'))


def test_ids_that_take_a_walk_over_the_whole_table(bundle):
    def crowd(tensors: Tensors, metadata: dict[str, str]) -> None:
        tensors["id_slots"] = np.ones(1 << 16, dtype=np.uint32)
        tensors["id_slots"][77] = 0

    bundle.change_tensors("items.safetensors", crowd)
    assert 'items.safetensors: tensor "id_slots" is no hash table' in bundle.refusal(FormatError)


def test_a_dictionary_of_one_text_a_million_times(bundle):
    def repeat(tensors: Tensors, metadata: dict[str, str]) -> None:
        tensors["text.genre.offsets"] = np.zeros(1_000_001, dtype=np.int64)
        tensors["text.genre.bytes"] = np.zeros(0, dtype=np.uint8)

    bundle.change_tensors("items.safetensors", repeat)
    message = bundle.refusal(FormatError)
    assert 'items.safetensors: tensor "text.genre.bytes": a text occurs twice' in message


@pytest.mark.parametrize("how", ["a byte that is no UTF-8", "a character cut in two"])
def test_ids_that_are_no_text(bundle, how):
    def spoil(tensors: Tensors, metadata: dict[str, str]) -> None:
        cut = tensors["id_offsets"][1]
        if how.startswith("a byte"):
            tensors["id_bytes"][cut] = 0xFF
        else:
            tensors["id_bytes"][cut - 1 : cut + 1] = list("é".encode())

    bundle.change_tensors("items.safetensors", spoil)
    message = bundle.refusal(FormatError)
    assert 'items.safetensors: tensor "id_bytes" holds a text that is not valid UTF-8' in message


def test_an_unknown_metric_names_the_file(bundle):
    bundle.change_tensors(
        "index.safetensors", lambda tensors, metadata: metadata.update(metric="manhattan")
    )
    assert 'index.safetensors: metric: got "manhattan"' in bundle.refusal(FormatError)


def test_a_query_source_named_twice(bundle):
    bundle.change_manifest(lambda document: document["settings"].update(query=["like", "like"]))
    assert "bundle.json: settings: query names a source twice" in bundle.refusal(FormatError)


def test_a_file_listed_twice(bundle):
    size = (FIXTURE / "features.json").stat().st_size
    bundle.change_text(
        "bundle.json", '"files": {', f'"files": {{"features.json": {{"bytes": {size}}},'
    )
    assert 'files: "features.json" occurs twice' in bundle.refusal(FormatError)


def test_a_manifest_of_megabytes(bundle):
    bundle.change_manifest(lambda document: document.update(note="x" * (1 << 20)))
    assert bundle.refusal(FormatError) == "bundle.json: longer than 1 MiB"


@pytest.mark.parametrize("schema", ["1", "1.", "1.x", ".1", "", "1.0 ", "one.0", "-1.0"])
def test_a_schema_that_is_no_version(bundle, schema):
    bundle.change_manifest(lambda document: document.update(schema=schema))
    assert f'schema is "{schema}", expected MAJOR.MINOR' in bundle.refusal(FormatError)


def test_integer_features_for_a_forest(bundle):
    bundle.change_text(
        "features.json",
        '"block":"dense","field":"item.genre"',
        '"block":"genre","field":"item.genre"',
    )
    message = bundle.refusal(MismatchError)
    assert 'the ranker is a forest, which reads the block "dense" only' in message
