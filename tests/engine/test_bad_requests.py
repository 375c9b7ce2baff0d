"""Every malformed request is refused with a message that names the field and what was expected."""

from __future__ import annotations

import datetime
import json
import random

import numpy as np
import pandas as pd
import pytest

import shortlist

BAD = [
    (b"", "not valid JSON at byte 0"),
    (b"[]", "body: got an array, expected an object"),
    (b"nonsense", "not valid JSON"),
    (b'{"k":1', "not valid JSON at byte 6"),
    (b'{"k":1}', "none of user, vector, like and candidates"),
    (b'{"user":{"id":"u1"}}', "k: missing"),
    (b'{"user":{"id":"u1"},"k":0}', "k: got 0, expected an integer from 1 to 10000"),
    (b'{"user":{"id":"u1"},"k":-1}', "k: got -1"),
    (b'{"user":{"id":"u1"},"k":1000000000}', "k: got 1000000000"),
    (b'{"user":{"id":"u1"},"k":1.5}', "k: got 1.5"),
    (b'{"user":{"id":"u1"},"k":2.0}', r"k: got 2\.0, expected an integer"),
    (b'{"user":{"id":"u1"},"k":"5"}', 'k: got "5"'),
    (b'{"user":{"id":"u1"},"k":null}', "k: got null"),
    (b'{"user":{"id":"u1"},"k":1,"k":2}', 'field "k" occurs twice'),
    (b'{"user":{"id":"u1"},"k":1,"limit":2}', 'unknown field "limit", expected user'),
    (b'{"user":"u1","k":1}', 'user: got "u1", expected an object'),
    (b'{"user":{"id":5},"k":1}', "user.id: got 5, expected a string id"),
    (b'{"user":{"id":"u1","age":"old"},"k":1}', 'user.age: got "old", expected a number'),
    (b'{"user":{"id":"u1","age":[1]},"k":1}', "user.age: got an array"),
    (b'{"user":{"id":"u1","age":1,"age":2},"k":1}', "user.age: occurs twice"),
    (b'{"user":{"id":"u1","id":"u2"},"k":1}', "user.id: occurs twice"),
    (b'{"candidates":[{"id":101,"id":102}],"k":1}', r"candidates\[0\].id: occurs twice"),
    (b'{"user":{"id":"u1","age":NaN},"k":1}', "not valid JSON"),
    (b'{"user":{"id":"u1","age":1e999},"k":1}', "beyond the range of float64"),
    (b'{"user":{"id":"u1"},"context":[],"k":1}', "context: got an array"),
    (b'{"vector":[1,2],"k":1}', "vector: 2 elements, expected 24"),
    (b'{"vector":"x","k":1}', "vector: got"),
    (b'{"vector":[%s],"k":1}' % b",".join([b"1"] * 23 + [b'"a"']), r'vector\[23\]: got "a"'),
    (b'{"vector":[%s],"k":1}' % b",".join([b"1"] * 23 + [b"1e300"]), r"vector\[23\]: got 1e\+300"),
    (b'{"like":["a"],"k":1}', r'like\[0\]: got "a", expected an integer id'),
    (b'{"like":{},"k":1}', "like: got an object"),
    (b'{"candidates":[1.5],"k":1}', r"candidates\[0\]: got 1.5, expected an integer id"),
    (b'{"candidates":[101,{"bm25":1}],"k":1}', r"candidates\[1\]: the object has no id"),
    (b'{"candidates":[{"id":101,"bm25":"x"}],"k":1}', r"candidates\[0\].bm25: got"),
    (b'{"user":{"id":"u1"},"exclude":["x"],"k":1}', r"exclude\[0\]: got"),
    (b'{"user":{"id":"u1"},"filter":3,"k":1}', "filter: got 3, expected a string"),
    (b'{"user":{"id":"u1"},"filter":"cost < 3","k":1}', "filter: cost: unknown item attribute"),
    (b'{"user":{"id":"u1"},"filter":"price <","k":1}', "filter: expected a number.*at byte 7"),
    (b'{"candidates":[101],"n_candidates":30,"k":5}', "n_candidates: sent with candidates"),
    (b'{"user":{"id":"u1"},"n_candidates":3,"k":5}', "n_candidates: got 3, expected at least k"),
    (b'{"user":{"id":"u1"},"n_candidates":1000001,"k":5}', "n_candidates: got 1000001"),
    (b'{"user":{"id":"u1"},"request_id":7,"k":5}', "request_id: got 7"),
    (b'{"user":{"id":"u\xff"},"k":5}', "not valid UTF-8"),
    (b"[" * 5_000_000, "nested too deep"),
    (b'{"user":' * 40 + b"1" + b"}" * 40, "nested too deep"),
    (b"x" * 10_000_000, "body: 10000000 bytes, at most 8388608"),
    (b'{"candidates":[%s],"k":1}' % (b"1," * 100_000 + b"1"), "candidates: 100001 elements"),
]


@pytest.mark.parametrize(("body", "message"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_a_bad_rank_request_is_refused(engine, body, message):
    with pytest.raises(shortlist.RequestError, match=message):
        engine.rank_json(body)
    with pytest.raises(shortlist.RequestError, match=message):
        engine._core.rank(body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "rows: missing"),
        (b'{"rows":{}}', "rows: got an object"),
        (b'{"rows":[1]}', r"rows\[0\]: got 1, expected an object"),
        (b'{"rows":[],"rows":[]}', 'field "rows" occurs twice'),
        (b'{"rows":[],"k":1}', 'unknown field "k"'),
        (b'{"rows":[{},{"user.age":"x"}]}', r'rows\[1\].user.age: got "x", expected a number'),
        (b'{"rows":[{"user.age":{}}]}', r"rows\[0\].user.age: got an object"),
        (b'{"rows":[{"similarity":"x"}]}', r"rows\[0\].similarity: got"),
        (b'{"rows":[{},{"user.age":1,"user.age":2}]}', r"rows\[1\].user.age: occurs twice"),
        (b'{"rows":[{"similarity":1,"similarity":1}]}', r"rows\[0\].similarity: occurs twice"),
    ],
)
def test_a_bad_score_request_is_refused(engine, body, message):
    with pytest.raises(shortlist.RequestError, match=message):
        engine.score_json(body)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"user": {"age": float("nan")}}, r"user\.age: got nan, expected a finite number"),
        ({"vector": [1.0, float("inf")]}, r"vector\[1\]: got inf"),
        ({"vector": np.array([np.nan])}, "vector: holds a value that is not finite"),
        ({"user": {"id": object()}}, r"user\.id: got a value of type object, expected text"),
        (
            {"context": {"day": datetime.date(2024, 1, 1)}},
            r"context\.day: got a value of type date",
        ),
        ({"context": {"tag": b"x"}}, r"context\.tag: got a value of type bytes"),
        ({"user": {"age": pd.NA}}, r"user\.age: got a value of type NAType"),
        ({"user": {"ages": [1.0, {"a": np.float32("nan")}]}}, r"user\.ages\[1\]\.a: got nan"),
        ({"user": {3: 1}}, "user: key 3: expected text"),
        ({"like": {float("inf")}}, r"like\[0\]: got inf"),
        (
            {"context": {"a": np.array(["2024-01-01"], "M8[D]")}},
            r"context\.a: an array of datetime64",
        ),
        ({"like": ["\ud800"]}, "cannot be written as JSON"),
        ([1], "expected a mapping"),
    ],
)
def test_a_dict_that_json_cannot_carry_is_refused(engine, request_, message):
    with pytest.raises(shortlist.RequestError, match=message):
        engine.rank(request_, k=1)


def test_a_dict_that_holds_itself_is_refused(engine):
    request: dict = {}
    request["user"] = request
    with pytest.raises(shortlist.RequestError, match="nested too deep"):
        engine.rank(request, k=1)


def test_what_is_no_json_body_or_list_of_requests_is_refused(engine):
    for call in (engine.rank_json, engine.score_json):
        for body in ("{}", bytearray(b"{}"), {"k": 1}):
            with pytest.raises(shortlist.ArgumentError, match=r"body: got .*, expected bytes"):
                call(body)
    for requests in ({"user": {"id": "u1"}}, b"{}", "{}"):
        with pytest.raises(shortlist.ArgumentError, match="requests: got"):
            engine.rank_many(requests)
    for rows in ({"user.age": [1.0]}, pd.DataFrame({"user.age": [1.0]})):
        with pytest.raises(shortlist.ArgumentError, match=r"rows: got .*, expected a list of map"):
            engine.score(rows)
    for n_threads in (0, True, 1.0, 5000):
        with pytest.raises(shortlist.ArgumentError, match=r"n_threads: got .* from 1 to 1024"):
            engine.rank_many([], n_threads=n_threads)


def test_mutated_requests_never_crash(engine):
    rng = random.Random(5)
    good = json.dumps(
        {
            "user": {"id": "u1", "age": 3.5, "city": "Rome"},
            "context": {"hour": 4},
            "candidates": [{"id": 105, "bm25": 1e-3}, 106],
            "exclude": [107],
            "filter": "price < 20 and genre in ['jazz']",
            "k": 5,
            "request_id": "a\\u00e9",
        }
    ).encode()
    answered = 0
    for _ in range(20_000):
        body = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(body))
            action = rng.random()
            if action < 0.4:
                body[at] = rng.randrange(256)
            elif action < 0.7:
                del body[at : at + rng.randint(1, 8)]
            else:
                body[at:at] = bytes(rng.choices(b'{}[]",:0e-.\\u', k=rng.randint(1, 3)))
        try:
            json.loads(engine.rank_json(bytes(body)))
            answered += 1
        except shortlist.RequestError as error:
            str(error).encode()
    assert answered > 0
