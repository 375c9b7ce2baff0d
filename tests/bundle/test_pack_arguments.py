"""What pack is given by mistake is told by the name of the argument, and nothing is published."""

from __future__ import annotations

import multiprocessing
import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from ingredients import Ingredients

import shortlist
from shortlist import features as f
from shortlist import safetensors
from shortlist.errors import ArgumentError, RequestError, StorageError

MISTAKES = {
    "features: got list, expected shortlist's FeatureSet": {"features": []},
    "retriever: got ndarray, expected shortlist's Index": {"retriever": np.eye(2)},
    "query: got 'vector', expected a list": {"query": "vector"},
    "query: got None, expected a list": {"query": None},
    r"query: \[\] leaves no source": {"query": []},
    "filters: got 'price', expected a list": {"filters": "price"},
    "raw_score: got 'yes', expected True or False": {"raw_score": "yes"},
    "n_candidates: got True, expected an integer from 1 to 100000": {"n_candidates": True},
    "n_candidates: got 0": {"n_candidates": 0},
    "samples: got dict, expected a list": {"samples": {"k": 1}},
    "samples: got str, expected a list": {"samples": "k"},
    r"samples\[0\]: got int, expected a mapping": {"samples": [3]},
    r"samples\[1\]: unknown field \"what\"": {"samples": [{"like": [100], "k": 1}, {"what": 1}]},
    r"samples\[0\]: vector\[0\]: got nan": {"samples": [{"vector": [float("nan")], "k": 1}]},
    "reference: the frame has no column": {"reference": {"user.age": [1.0]}},
    "path: '' names the bundle": {"path": ""},
}


@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistaken_argument_is_named_and_nothing_is_published(ingredients, tmp_path, message):
    arguments = {"path": tmp_path / "movies", **ingredients.everything(), **MISTAKES[message]}
    with pytest.raises((ArgumentError, RequestError), match=message):
        shortlist.pack(arguments.pop("path"), **arguments)
    assert not list(tmp_path.glob("movies/*"))


def test_query_sources_that_only_users_without_vectors_could_be_are_refused(ingredients, tmp_path):
    users = {"id": ingredients.users["id"]}
    arguments = ingredients.everything() | {"users": users, "query": ["users"]}
    with pytest.raises(ArgumentError, match=r"query: \['users'\] leaves no source"):
        shortlist.pack(tmp_path / "movies", **arguments)


def test_features_that_are_not_fitted_are_refused_before_anything_is_read(ingredients, tmp_path):
    unfitted = f.FeatureSet([f.Categorical("item.genre")])
    with pytest.raises(ArgumentError, match=r"call fit\(\) first: .* vocabulary of 'item.genre'"):
        shortlist.pack(tmp_path / "b", ranker=ingredients.model, features=unfitted)


@pytest.mark.parametrize("under", ["", "deeper"])
def test_a_path_that_is_a_file_is_told(ingredients: Ingredients, tmp_path: Path, under: str):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file: is no folder"):
        shortlist.pack(tmp_path / "file" / under, ranker=ingredients.model)


def test_user_vectors_beyond_float32_are_refused_without_a_warning(ingredients, tmp_path):
    vectors = np.full((20, 8), 1e300)
    arguments = ingredients.everything() | {"users": {**ingredients.users, "vector": vectors}}
    with warnings.catch_warnings(), pytest.raises(ArgumentError, match="row 0 is not finite"):
        warnings.simplefilter("error")
        shortlist.pack(tmp_path / "movies", **arguments)


def prices() -> dict[str, object]:
    half = [None if i % 2 else i / 2 for i in range(60)]
    decimals = [None if value is None else Decimal(str(value)) for value in half]
    return {
        "pandas Float64": pd.DataFrame({"price": pd.array(half, dtype="Float64")}),
        "pandas object": pd.DataFrame({"price": pd.Series(half, dtype=object)}),
        "pandas array": {"price": pd.array(half, dtype="Float64")},
        "polars": pl.DataFrame({"price": half}),
        "polars decimal": pl.DataFrame({"price": pl.Series(decimals, dtype=pl.Decimal(9, 1))}),
        "masked": {"price": np.ma.masked_invalid(np.array(half, dtype=float))},
    }


@pytest.mark.parametrize("library", prices())
def test_items_hold_the_same_cells_whatever_library_holds_their_numbers(
    ingredients, tmp_path, library
):
    plain = [None if i % 2 else i / 2 for i in range(60)]
    ids, cells = ingredients.items["id"], []
    for name, table in (("plain", {"price": plain}), ("other", prices()[library])):
        if isinstance(table, pl.DataFrame):
            items = table.with_columns(id=ids)
        else:
            items = table.assign(id=ids) if isinstance(table, pd.DataFrame) else table | {"id": ids}
        arguments = ingredients.everything() | {"items": items, "popularity": None}
        version = shortlist.pack(tmp_path / name, **arguments)
        cells.append(safetensors.load(version / "items.safetensors")[0]["cells"])
    np.testing.assert_array_equal(*cells)


def test_two_columns_of_one_name_are_refused(ingredients, tmp_path):
    items = pd.DataFrame(ingredients.items)
    items = pd.concat([items, items[["price"]]], axis=1)
    with pytest.raises(ArgumentError, match=r"items: column 'price'.*DataFrame"):
        shortlist.pack(tmp_path / "b", **ingredients.everything() | {"items": items})


def pack_often(path: Path, model: Path) -> None:
    for _ in range(5):
        shortlist.pack(path, ranker=model)


def test_bundles_load_whole_while_several_processes_pack_them(ingredients, tmp_path):
    path = tmp_path / "fraud"
    shortlist.pack(path, ranker=ingredients.model)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=pack_often, args=(path, ingredients.model)) for _ in range(2)]
    for worker in workers:
        worker.start()
    seen = set()
    while any(worker.is_alive() for worker in workers):
        seen.add(shortlist.Engine.load(path).version)
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert sorted(folder.name for folder in path.iterdir()) == sorted(
        f"v{number}" for number in range(1, 12)
    )
    assert "v1" in seen
