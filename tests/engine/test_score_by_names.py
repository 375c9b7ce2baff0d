"""A ranker alone scores rows of its own features in any order, and refuses what is too large."""

from __future__ import annotations

import json

import lightgbm as lgb
import numpy as np
import pytest

import shortlist

N_FEATURES = 3000


@pytest.fixture(scope="module")
def booster() -> lgb.Booster:
    rng = np.random.default_rng(11)
    rows = rng.normal(size=(300, N_FEATURES))
    label = rows[:, 7] - rows[:, 2100] > 0
    params = {"objective": "binary", "num_leaves": 7, "verbose": -1, "num_threads": 1, "seed": 1}
    return lgb.train(params, lgb.Dataset(rows, label), 5)


@pytest.fixture(scope="module")
def engine(booster, tmp_path_factory) -> shortlist.Engine:
    folder = tmp_path_factory.mktemp("alone")
    booster.save_model(folder / "model.txt")
    return shortlist.Engine.load(shortlist.pack(folder / "wide", ranker=folder / "model.txt"))


def test_the_order_of_names_does_not_matter_and_what_is_not_sent_is_missing(booster, engine):
    rng = np.random.default_rng(12)
    rows = np.full((5, N_FEATURES), np.nan)
    sent = []
    for row in rows:
        chosen = rng.permutation(N_FEATURES)[:2000]
        row[chosen] = rng.normal(size=2000).astype(np.float32)
        sent.append({f"Column_{i}": float(row[i]) for i in chosen})
    assert engine.score(sent).tobytes() == booster.predict(rows).tobytes()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"rows":[{},{"Column_7":1,"Column_7":1}]}', r"rows\[1\].Column_7: occurs twice"),
        (b'{"rows":[{"Column_7":"1"}]}', r'rows\[0\].Column_7: got "1", expected a number or null'),
        (
            b'{"rows":[%s{}]}' % (b"{}," * 99_999),
            "rows: 100000 elements of 3000 values, at most 268435456 values are taken",
        ),
    ],
)
def test_a_bad_row_is_refused(engine, body, message):
    with pytest.raises(shortlist.RequestError, match=message):
        engine.score_json(body)


def test_what_no_feature_is_called_is_counted_whatever_it_holds(engine):
    reply = json.loads(engine.score_json(b'{"rows":[{"colour":["red"]},{"colour":{}}]}'))
    assert len(reply["scores"]) == 2
    assert engine.counters.snapshot()["unknown_attributes"] == {"colour": 2}


def test_a_strict_engine_names_an_endless_name_in_short(booster, tmp_path):
    booster.save_model(tmp_path / "model.txt")
    version = shortlist.pack(tmp_path / "wide", ranker=tmp_path / "model.txt")
    engine = shortlist.Engine.load(version, strict=True)
    with pytest.raises(shortlist.RequestError, match=r"^rows\[0\]\.é{32}: no feature") as error:
        engine.score_json(json.dumps({"rows": [{"é" * 10_000: 1}]}, ensure_ascii=False).encode())
    assert len(str(error.value)) < 100
