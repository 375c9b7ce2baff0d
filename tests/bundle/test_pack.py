"""Packing with a real model, features and index, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import lightgbm
import numpy as np
import pandas
import polars
import pytest
from ingredients import Ingredients

import shortlist
from shortlist import features as f
from shortlist import safetensors
from shortlist.bundle import manifest as manifests
from shortlist.errors import ArgumentError, MismatchError, NotFoundError, RequestError


def test_a_bundle_has_its_parts_and_is_verified(packed: Path):
    manifest = manifests.decode((packed / "bundle.json").read_bytes())
    assert [part.role for part in manifest.parts] == [
        "features",
        "items",
        "users",
        "retriever",
        "ranker",
        "reference",
        "samples",
    ]
    assert (manifest.name, manifest.version, packed.name) == ("movies", "v1", "v1")
    report = shortlist.verify(packed.parent)
    assert report.n_files == len(list(packed.iterdir()))
    assert report.n_samples > 20
    assert "movies v1" in str(report)


def test_the_original_model_is_kept(packed: Path, ingredients: Ingredients):
    assert (packed / "ranker.lightgbm.txt").read_bytes() == ingredients.model.read_bytes()


def test_item_rows_stand_in_the_order_of_the_index(packed: Path, ingredients: Ingredients):
    items, _ = safetensors.load(packed / "items.safetensors")
    index, header = safetensors.load(packed / "index.safetensors")
    assert items["ids"].tolist() == ingredients.index.ids.tolist()
    assert np.array_equal(index["vectors"], ingredients.index.vectors)
    assert header == {"kind": "flat", "metric": "cosine"}
    row_of = {value: row for row, value in enumerate(ingredients.items["id"])}
    rows = [row_of[value] for value in items["ids"].tolist()]
    assert items["number.price"].tolist() == ingredients.items["price"][rows].tolist()
    sold = ingredients.items["sold"][rows]
    assert items["popular"].tolist() == np.argsort(-sold, kind="stable").tolist()


def test_the_engine_serves_what_was_packed(packed: Path, ingredients: Ingredients):
    engine = shortlist.Engine.load(packed.parent)
    found = engine.rank({"user": {"id": "u3"}, "context": {"hour": 7}}, k=5)
    assert len(found.ids) == 5
    cheap = engine.rank(
        {"user": {"id": "u3"}, "filter": "price < 0.5 and genre == 'jazz'", "k": 60}
    )
    row_of = {value: row for row, value in enumerate(ingredients.items["id"])}
    rows = [row_of[value] for value in cheap.ids.tolist()]
    assert rows
    assert all(ingredients.items["price"][row] < 0.5 for row in rows)
    assert all(ingredients.items["genre"][row] == "jazz" for row in rows)


def test_versions_follow_one_another(ingredients: Ingredients, tmp_path: Path):
    root = tmp_path / "fraud"
    found = [shortlist.pack(root, ranker=ingredients.model) for _ in range(3)]
    assert found == [root / "v1", root / "v2", root / "v3"]
    assert shortlist.Engine.load(root).version == "v3"
    assert shortlist.Engine.load(root / "v2").version == "v2"


def test_a_ranker_alone_scores_rows_by_the_models_names(ingredients: Ingredients, tmp_path: Path):
    version = shortlist.pack(tmp_path / "fraud", ranker=ingredients.model)
    engine = shortlist.Engine.load(version)
    row = {"user.age": 0.5, "item.price": 0.25, "similarity": 1.0}
    booster = lightgbm.Booster(model_file=ingredients.model)
    values = [[row.get(name, np.nan) for name in booster.feature_name()]]
    assert engine.score([row]).tolist() == booster.predict(values).tolist()
    assert not engine.ranks


def test_a_loaded_forest_is_packed_without_an_original(ingredients: Ingredients, tmp_path: Path):
    forest = shortlist.load_model(ingredients.model)
    version = shortlist.pack(tmp_path / "fraud", ranker=forest)
    assert not (version / "ranker.lightgbm.txt").exists()
    assert shortlist.verify(version).n_samples == 1


def test_features_and_a_ranker_score_rows_by_field(ingredients: Ingredients, tmp_path: Path):
    version = shortlist.pack(
        tmp_path / "fraud", ranker=ingredients.model, features=ingredients.features
    )
    lines = (version / "samples.jsonl").read_text().splitlines()
    assert set(json.loads(lines[0])["rows"][3]) <= {
        "user.age",
        "context.hour",
        "item.price",
        "item.genre",
    }
    shortlist.verify(version)


@pytest.mark.parametrize("library", [pandas.DataFrame, polars.DataFrame], ids=["pandas", "polars"])
def test_data_frames_pack_the_same_tables(ingredients, packed, tmp_path, library):
    content = ingredients.everything()
    users = {**content["users"], "vector": content["users"]["vector"].tolist()}
    version = shortlist.pack(
        tmp_path / "movies",
        **(content | {"items": library(content["items"]), "users": library(users)}),
    )
    for name in ("items.safetensors", "users.safetensors", "index.safetensors"):
        assert (version / name).read_bytes() == (packed / name).read_bytes()


def test_items_without_a_retriever_rank_the_callers_candidates(ingredients, tmp_path):
    content = ingredients.everything() | {"retriever": None}
    content["users"] = {"id": ["a"], "age": [3]}
    version = shortlist.pack(tmp_path / "movies", **content)
    engine = shortlist.Engine.load(version)
    ids = ingredients.items["id"][:4].tolist()
    assert sorted(engine.rank({"candidates": ids, "k": 4}).ids.tolist()) == sorted(ids)


def test_a_retriever_without_items_ranks_by_its_ids(ingredients, tmp_path):
    content = {"ranker": ingredients.model, "features": ingredients.features}
    version = shortlist.pack(tmp_path / "movies", retriever=ingredients.index, **content)
    settings = json.loads((version / "bundle.json").read_bytes())["settings"]
    assert settings["query"] == ["vector", "like"]
    engine = shortlist.Engine.load(version)
    assert len(engine.rank({"like": [100, 103]}, k=3).ids) == 3


def test_text_ids_are_packed(ingredients, tmp_path):
    content = ingredients.everything()
    names = [f"item {value}" for value in ingredients.index.ids]
    content["retriever"] = shortlist.Index.build(ingredients.index.vectors, ids=names, metric="ip")
    content["items"] = content["items"] | {"id": [f"item {v}" for v in content["items"]["id"]]}
    engine = shortlist.Engine.load(shortlist.pack(tmp_path / "movies", **content))
    assert set(engine.rank({"user": {"id": "u1"}}, k=60).ids) <= set(names)


def test_samples_may_be_given(ingredients, tmp_path):
    asked = [
        {"user": {"id": "u1"}, "k": 2},
        {"vector": np.ones(8, np.float32), "k": np.int64(1)},
        {"rows": [{"user.age": 3.0}]},
    ]
    version = shortlist.pack(tmp_path / "movies", **ingredients.everything(), samples=asked)
    lines = [json.loads(line) for line in (version / "samples.jsonl").read_text().splitlines()]
    assert [len(line["scores"]) for line in lines] == [2, 1, 1]
    assert shortlist.verify(version).n_samples == 3
    bare = shortlist.pack(tmp_path / "movies", **ingredients.everything(), samples=[])
    assert not (bare / "samples.jsonl").exists()
    assert shortlist.verify(bare).n_samples == 0


def test_a_sample_that_is_refused_publishes_nothing(ingredients, tmp_path):
    with pytest.raises(RequestError):
        shortlist.pack(tmp_path / "movies", **ingredients.everything(), samples=[{"k": -1}])
    assert list((tmp_path / "movies").iterdir()) == []


def with_names(ingredients: Ingredients, tmp_path: Path, names: list[str] | str) -> Path:
    rows = np.random.default_rng(1).random((100, 6))
    data = lightgbm.Dataset(rows, label=rows[:, 0], feature_name=names)
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, data, 2)
    return Path(booster.save_model(tmp_path / "other.txt") and tmp_path / "other.txt")


def test_a_model_of_other_feature_names_is_refused_with_the_difference(ingredients, tmp_path):
    names = [*ingredients.features.names[:5], "bm25"]
    content = ingredients.everything() | {"ranker": with_names(ingredients, tmp_path, names)}
    with pytest.raises(MismatchError) as error:
        shortlist.pack(tmp_path / "movies", **content)
    assert "only in the model: 'bm25'; only in the features: 'similarity'" in str(error.value)


def test_a_model_of_another_feature_order_is_refused_with_the_places(ingredients, tmp_path):
    first, second, *rest = ingredients.features.names
    model = with_names(ingredients, tmp_path, [second, first, *rest])
    with pytest.raises(MismatchError, match=f"feature 0 is '{second}' in the model, '{first}' in"):
        shortlist.pack(tmp_path / "movies", **(ingredients.everything() | {"ranker": model}))


def test_a_model_without_names_is_taken_by_count(ingredients, tmp_path):
    model = with_names(ingredients, tmp_path, "auto")
    version = shortlist.pack(tmp_path / "movies", **(ingredients.everything() | {"ranker": model}))
    shortlist.verify(version)
    fewer = f.FeatureSet(ingredients.features.features[:3])
    with pytest.raises(MismatchError, match="takes 6 features, the feature set makes 3"):
        shortlist.pack(tmp_path / "movies", ranker=model, features=fewer)


def test_features_that_a_forest_does_not_read_are_refused(ingredients, tmp_path):
    features = f.FeatureSet(
        [*ingredients.features.features[:5], f.Hashed("user.city", buckets=9, block="ids")]
    )
    with pytest.raises(MismatchError, match=r"'user\.city' in block 'ids'"):
        shortlist.pack(tmp_path / "movies", ranker=ingredients.model, features=features)


def test_ids_that_disagree_are_refused_with_examples(ingredients, tmp_path):
    content = ingredients.everything()
    content["items"] = content["items"] | {"id": np.arange(60)}
    with pytest.raises(MismatchError, match="60 of the retriever not in items, such as 100, 103"):
        shortlist.pack(tmp_path / "movies", **content)


@pytest.mark.parametrize(
    ("changes", "fragment"),
    [
        ({"fallback": "shrug"}, "fallback: got 'shrug'"),
        ({"query": ["vector", "guess"]}, "query: 'guess'"),
        ({"query": ["like", "like"]}, "query: 'like'"),
        ({"n_candidates": 0}, "n_candidates: got 0"),
        ({"n_candidates": 1.5}, "n_candidates: got 1.5"),
        ({"n_candidates": 10**9}, "n_candidates: got 1000000000"),
        ({"ranker": 7}, "ranker: got int, expected a path"),
        ({"features": None}, "retriever: needs features="),
        ({"features": None, "retriever": None}, "items: needs features="),
        ({"items": None, "retriever": None, "users": None}, "popularity: there are no items"),
        ({"items": {"name": ["a"]}}, "items: column 'id' is missing, there are name"),
        ({"items": {"id": []}, "retriever": None, "users": None, "popularity": None}, "no rows"),
        ({"users": {"id": ["a", "a"]}}, "users: id 'a' occurs twice"),
        (
            {"users": {"id": ["a"], "vector": [[1.0]]}},
            r"'vector': shape \(1, 1\), expected \(1, 8\)",
        ),
        ({"retriever": None}, "users: have vectors, but there is no retriever"),
        ({"items": None, "retriever": None, "popularity": None}, "users: needs items"),
        ({"popularity": "absent"}, "no column 'absent'"),
        ({"popularity": [1.0]}, "popularity: expected 60 numbers"),
        ({"filters": ["absent"]}, "'absent' does not exist"),
        ({"reference": {"user.age": [1.0]}}, r"context\.hour"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(
    ingredients, tmp_path, changes, fragment
):
    content = ingredients.everything() | changes
    with pytest.raises((ArgumentError, MismatchError), match=fragment):
        shortlist.pack(tmp_path / "movies", **content)
    assert not list(tmp_path.glob("movies/*"))


@pytest.mark.parametrize("name", ["a b", "é", "..", ".hidden", "-x"])
def test_names_of_bundles_are_plain(ingredients, tmp_path, name):
    with pytest.raises(ArgumentError, match="names the bundle"):
        shortlist.pack(tmp_path / name, ranker=ingredients.model)


def test_a_version_is_never_packed_into(packed, ingredients):
    with pytest.raises(ArgumentError, match="is a version itself"):
        shortlist.pack(packed, ranker=ingredients.model)


def test_a_missing_model_file_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"absent\.txt"):
        shortlist.pack(tmp_path / "fraud", ranker=tmp_path / "absent.txt")
    assert list(tmp_path.iterdir()) == []
