"""An engine returns what its parts return on their own, and LightGBM's scores bit for bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest

import shortlist
from shortlist._core import available_isas


def bits(scores) -> list[bytes]:
    return [np.float64(score).tobytes() for score in scores]


def plain(value):
    """A value as JSON carries it: NaN is null."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and np.isnan(value) else value


def expected_order(scores, rows, k):
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], rows[i]))
    return order[:k]


def exact_candidates(catalogue, query, n, allowed=None):
    index = shortlist.Index.build(catalogue.vectors, ids=catalogue.items["id"])
    found = index.search(query, k=n, mask=allowed)
    keep = np.isfinite(found.scores[0])
    return found.ids[0][keep] - 100, found.scores[0][keep]


def check(catalogue, answer, user, rows, similarity, *, k, **overrides):
    dense = catalogue.features.transform(catalogue.frame(user, rows, similarity, **overrides)).dense
    scores = catalogue.booster.predict(dense)
    order = expected_order(scores, rows, k)
    assert list(answer.ids) == [100 + rows[i] for i in order]
    assert bits(answer.scores) == bits(scores[order])


def test_every_known_user_gets_lightgbm_scores_of_the_exact_candidates(catalogue, engine):
    for user in range(60):
        rows, similarity = exact_candidates(catalogue, catalogue.users["vector"][user], 100)
        answer = engine.rank({"user": {"id": f"u{user}"}}, k=20)
        check(catalogue, answer, user, rows, similarity, k=20)
        assert answer.version == "v1"
        assert answer.fallback is None


def test_json_and_objects_carry_the_same_bits(engine):
    request = {"user": {"id": "u7", "age": 30}, "context": {"hour": 9}, "request_id": 'né\n"1"'}
    answer = engine.rank(request, k=15)
    reply = json.loads(engine.rank_json(json.dumps({**request, "k": 15}).encode()))
    assert reply["ids"] == answer.ids.tolist()
    assert bits(reply["scores"]) == bits(answer.scores)
    assert reply["request_id"] == answer.request_id == 'né\n"1"'
    assert reply["version"] == "v1"
    assert "timings" not in reply


def test_timings_are_told_when_asked_for(engine):
    reply = json.loads(engine.rank_json(b'{"user":{"id":"u7"},"k":3}', timings=True))
    stages = reply["timings"]
    assert set(stages) == {
        "parse", "user", "retrieve", "features", "score", "select", "serialise", "total",
    }  # fmt: skip
    parts = sum(value for stage, value in stages.items() if stage != "total")
    assert 0 < parts <= stages["total"] * 1.01


def test_request_attributes_stand_over_the_table(catalogue, engine):
    rows, similarity = exact_candidates(catalogue, catalogue.users["vector"][4], 100)
    overrides = {"user.age": 71, "user.city": None, "context.hour": 3}
    answer = engine.rank(
        {"user": {"id": "u4", "age": 71, "city": None}, "context": {"hour": 3}}, k=30
    )
    check(catalogue, answer, 4, rows, similarity, k=30, **overrides)


def test_a_sent_vector_wins_over_the_users_table(catalogue, engine):
    vector = catalogue.vectors[5] * 2
    rows, similarity = exact_candidates(catalogue, vector, 100)
    answer = engine.rank({"vector": vector.tolist(), "user": {"id": "u1"}}, k=10)
    check(catalogue, answer, 1, rows, similarity, k=10)


def test_liked_items_make_the_query_and_are_not_offered(catalogue, engine):
    liked = [3, 17, 200]
    total = np.zeros(24, dtype=np.float32)
    for row in liked:
        total += catalogue.vectors[row]
    allowed = np.ones(700, dtype=bool)
    allowed[liked] = False
    rows, similarity = exact_candidates(catalogue, total / np.float32(3), 100, allowed)
    answer = engine.rank({"like": [103, 117, 99999, 300]}, k=25)
    check(catalogue, answer, None, rows, similarity, k=25)
    assert not {103, 117, 300} & set(answer.ids.tolist())


def test_liked_items_that_the_caller_sends_are_ranked(engine):
    answer = engine.rank({"like": [103], "candidates": [103, 117]}, k=5)
    assert sorted(answer.ids.tolist()) == [103, 117]


def test_filter_and_exclude_hold(catalogue, engine):
    price = catalogue.items["price"]
    genre = np.array([value or "" for value in catalogue.items["genre"]])
    allowed = (price < 25) & np.isin(genre, ["jazz", "noir"])
    allowed[[150, 151, 152]] = False
    rows, similarity = exact_candidates(catalogue, catalogue.users["vector"][9], 100, allowed)
    answer = engine.rank(
        {
            "user": {"id": "u9"},
            "filter": "price < 25 and genre in ['jazz', 'noir']",
            "exclude": [250, 251, 252, 5],
            "n_candidates": 100,
        },
        k=100,
    )
    assert 0 < len(answer) < 100
    check(catalogue, answer, 9, rows, similarity, k=100)


def test_a_filter_that_nothing_passes_gives_an_empty_list(engine):
    answer = engine.rank({"user": {"id": "u9"}, "filter": "price < -5"}, k=5)
    assert len(answer) == 0
    assert json.loads(engine.rank_json(b'{"user":{"id":"u9"},"filter":"price < -5","k":5}')) == {
        "ids": [], "scores": [], "version": "v1",
    }  # fmt: skip


def test_callers_candidates_are_ranked_with_their_attributes(catalogue, engine):
    rows = [10, 400, 20, 30]
    index = shortlist.Index.build(catalogue.vectors, ids=catalogue.items["id"])
    query = catalogue.users["vector"][2]
    similarity = index.score(np.repeat(query[None], 4, axis=0), [100 + row for row in rows])
    answer = engine.rank(
        {
            "user": {"id": "u2"},
            "candidates": [
                {"id": 110, "bm25": 7.5},
                500,
                77,
                {"id": 120, "bm25": 0.25},
                {"id": 130},
                110,
            ],
        },
        k=10,
    )
    check(catalogue, answer, 2, rows, similarity, k=10, **{"item.bm25": [7.5, None, 0.25, None]})
    assert answer.unknown_ids == [77]


def test_candidates_without_a_query_have_no_similarity(catalogue, engine):
    answer = engine.rank({"candidates": [110, 500, 120]}, k=3)
    check(catalogue, answer, None, [10, 400, 20], [np.nan] * 3, k=3)


def test_an_unknown_user_gets_popular_items_and_is_told(catalogue, engine):
    popular = np.argsort(-catalogue.items["popularity"], kind="stable")[:100]
    answer = engine.rank({"user": {"id": "nobody", "age": 25}}, k=12)
    assert answer.fallback == "popular"
    check(catalogue, answer, None, popular, [np.nan] * 100, k=12, **{"user.age": 25})
    assert json.loads(engine.rank_json(b'{"user":{"id":"x"},"k":1}'))["fallback"] == "popular"


def test_k_beyond_what_passes_gives_what_there_is(engine):
    assert len(engine.rank({"candidates": [101, 102]}, k=9000)) == 2
    assert len(engine.rank({"user": {"id": "u1"}, "n_candidates": 10_000}, k=9999)) == 700


def test_rank_many_gives_the_same_as_rank_on_any_number_of_threads(engine):
    requests = [{"user": {"id": f"u{i % 60}"}, "context": {"hour": i}} for i in range(200)]
    single = [engine.rank(request, k=7) for request in requests]
    for n_threads in (1, 2, 5):
        many = engine.rank_many(requests, k=7, n_threads=n_threads)
        assert [bits(answer.scores) for answer in many] == [bits(a.scores) for a in single]
        assert [answer.ids.tolist() for answer in many] == [a.ids.tolist() for a in single]


def test_sets_series_and_numpy_values_stand_for_the_lists_and_numbers_they_hold(catalogue, engine):
    vector = catalogue.vectors[5]
    plain = engine.rank({"vector": vector.tolist(), "exclude": [105, 120], "k": 9})
    for form in (vector, tuple(vector), pd.Series(vector), pl.Series(vector)):
        request = {"vector": form, "exclude": {105, np.int32(120)}, "k": np.int64(9)}
        answer = engine.rank_many([request], n_threads=np.int64(1))[0]
        assert answer.ids.tolist() == plain.ids.tolist()
        assert bits(answer.scores) == bits(plain.scores)


def test_rank_many_names_the_bad_request(engine):
    with pytest.raises(shortlist.RequestError, match=r"requests\[1\]: k: got 0"):
        engine.rank_many([{"user": {"id": "u1"}, "k": 1}, {"user": {"id": "u1"}, "k": 0}])


def test_threads_share_an_engine(engine):
    body = b'{"user":{"id":"u3"},"k":9}'
    expected = engine.rank_json(body)
    wrong = []

    def work():
        for _ in range(200):
            if engine.rank_json(body) != expected:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


RUN = """
import sys, shortlist
engine = shortlist.Engine.load(sys.argv[1])
for user in range(60):
    sys.stdout.buffer.write(engine.rank_json(b'{"user":{"id":"u%d"},"k":20}' % user))
"""


def test_every_instruction_set_answers_with_the_same_bytes(catalogue):
    replies = {
        isa: subprocess.run(
            [sys.executable, "-c", RUN, str(catalogue.path)],
            env={**os.environ, "SHORTLIST_ISA": isa},
            capture_output=True,
            check=True,
        ).stdout
        for isa in available_isas()
    }
    assert replies["portable"]
    assert set(replies.values()) == {replies["portable"]}


def test_scores_of_rows_are_those_of_ranking(catalogue, engine):
    rows, similarity = exact_candidates(catalogue, catalogue.users["vector"][6], 30)
    frame = catalogue.frame(6, rows, similarity)
    sent = [{name: plain(column[i]) for name, column in frame.items()} for i in range(len(rows))]
    expected = catalogue.booster.predict(catalogue.features.transform(frame).dense)
    assert bits(engine.score(sent)) == bits(expected)
    reply = json.loads(engine.score_json(json.dumps({"rows": sent, "request_id": "r"}).encode()))
    assert bits(reply["scores"]) == bits(expected)
    assert reply["request_id"] == "r"


def test_requests_errors_and_unknown_attributes_are_counted(catalogue):
    engine = shortlist.Engine.load(catalogue.path)
    engine.rank({"user": {"id": "u1", "agee": 3}, "context": {"hr": 1}}, k=1)
    engine.rank({"user": {"id": "who"}}, k=1)
    engine.rank({"candidates": [{"id": 101 + i, "bm26": i} for i in range(3)]}, k=1)
    with pytest.raises(shortlist.RequestError):
        engine.rank({"user": {"id": "u1"}}, k=0)
    counts = engine.counters.snapshot()
    assert counts["routes"]["rank"]["requests"] == 4
    assert counts["routes"]["rank"]["errors"] == 1
    assert counts["routes"]["rank"]["stages"]["total"]["count"] == 3
    assert counts["fallbacks"] == 1
    assert counts["unknown_attributes"] == {
        "user.agee": 1,
        "context.hr": 1,
        "candidates.bm26": 3,
    }


def test_a_long_unknown_attribute_is_counted_under_a_name_that_is_valid_text(catalogue):
    engine = shortlist.Engine.load(catalogue.path)
    for n in range(50, 70):
        engine.rank({"user": {"id": "u1", "a" * n + "\U0001f600" * 3: 1}}, k=1)
    counted = engine.counters.snapshot()["unknown_attributes"]
    assert sum(counted.values()) == 20
    assert all(name.startswith("user.aaa") for name in counted)


def test_a_strict_engine_refuses_unknown_attributes(catalogue):
    engine = shortlist.Engine.load(catalogue.path, strict=True)
    with pytest.raises(shortlist.RequestError, match=r"user\.agee: no feature reads"):
        engine.rank({"user": {"id": "u1", "agee": 3}}, k=1)


def test_a_notebook_shows_a_table(engine):
    html = engine.rank({"user": {"id": "u1"}}, k=2)._repr_html_()
    assert html.count("<tr>") == 3
    assert "version v1" in html
