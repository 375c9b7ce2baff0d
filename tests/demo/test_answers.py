"""On real ratings every way to ask gives LightGBM's own scores, bit for bit."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from demo_console import COMMAND, quiet_steps, serving

from shortlist import Engine, Index
from shortlist.demo import dataset, split
from shortlist.demo.dataset import Dataset
from shortlist.demo.definition import feature_set, frame
from shortlist.demo.packing import N_CANDIDATES, pack
from shortlist.demo.train import Trained, train

K = 50


@dataclass
class Packed:
    data: Dataset
    trained: Trained
    version: Path


@pytest.fixture(scope="module")
def packed(shared_path, tmp_path_factory):
    data = dataset.read(shared_path("data", "ml-100k"))
    trained = train(data, split.split(data), feature_set(data), quiet_steps())
    return Packed(data, trained, pack(data, trained, tmp_path_factory.mktemp("bundles") / "movies"))


@pytest.fixture(scope="module")
def expected(packed):
    """For each person: the ids and scores that LightGBM and NumPy give."""
    return [by_lightgbm(packed, user) for user in packed.trained.scene.at.users.tolist()]


@pytest.fixture(scope="module")
def requests(packed):
    at, data = packed.trained.scene.at, packed.data
    return [
        {
            "user": {"id": int(data.users.ids[user])},
            "exclude": data.items.ids[at.seen[user]].tolist(),
            "k": K,
        }
        for user in at.users.tolist()
    ]


def by_lightgbm(packed, user):
    data, trained, scene = packed.data, packed.trained, packed.trained.scene
    index = Index.build(scene.vectors.items, ids=data.items.ids, metric="ip")
    query = scene.vectors.users[user : user + 1]
    similarity = index.score(np.repeat(query, len(index), axis=0), data.items.ids)
    unseen = np.flatnonzero(~scene.at.seen[user])
    nearest = unseen[np.argsort(-similarity[unseen], kind="stable")[:N_CANDIDATES]]
    pairs = frame(
        scene.users, scene.items, scene.vectors, user=np.full(len(nearest), user), item=nearest
    )
    pairs["similarity"] = similarity[nearest]
    scores = trained.booster.predict(trained.features.transform(pairs).dense)
    best = np.lexsort((nearest, -scores))[:K]
    return data.items.ids[nearest[best]].tolist(), scores[best].tolist()


def test_rank_gives_the_scores_of_lightgbm_for_everybody(packed, requests, expected):
    engine = Engine.load(packed.version)

    answers = [engine.rank(request) for request in requests]

    assert [(a.ids.tolist(), a.scores.tolist()) for a in answers] == expected


def test_rank_json_and_rank_many_give_the_same(packed, requests, expected):
    engine = Engine.load(packed.version)

    replies = [json.loads(engine.rank_json(json.dumps(request).encode())) for request in requests]
    many = engine.rank_many(requests, n_threads=2)

    assert [(reply["ids"], reply["scores"]) for reply in replies] == expected
    assert [(a.ids.tolist(), a.scores.tolist()) for a in many] == expected


def test_the_server_gives_the_same(packed, requests, expected):
    command = [COMMAND, "serve", packed.version, "--port", "0"]
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process,
        serving(process, process.stderr) as lines,
    ):
        url = next(line for line in lines if "serving on" in line).split()[2]
        replies = [ask(f"{url}/v1/rank", request) for request in requests]

    assert [(reply["ids"], reply["scores"]) for reply in replies] == expected


def ask(url, request):
    body = json.dumps(request).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20) as reply:
        return json.load(reply)


def test_training_again_gives_the_same_ranker(packed):
    data = packed.data

    again = train(data, split.split(data), feature_set(data), quiet_steps())

    assert again.booster.model_to_string() == packed.trained.booster.model_to_string()


def test_everybody_who_rated_before_the_split_is_known_and_others_get_what_is_popular(packed):
    engine = Engine.load(packed.version)
    seen = packed.trained.scene.at.seen.any(axis=1)
    stranger = int(packed.data.users.ids[~seen][0])

    for user in packed.data.users.ids[seen].tolist():
        assert engine.rank({"user": {"id": user}, "k": 1}).fallback is None
    assert engine.rank({"user": {"id": stranger}, "k": 1}).fallback == "popular"
