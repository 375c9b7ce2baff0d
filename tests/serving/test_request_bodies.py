"""Sizes, times and types of bodies."""

from __future__ import annotations

import pytest


def test_a_body_in_parts_is_joined(client, engine):
    answer = client.post("/v1/rank", parts=[b'{"k"', b":", b"", b"1}"])
    assert answer.status == 200
    assert engine.bodies == [b'{"k":1}']


def test_a_declared_length_above_the_limit_is_413_unread(client):
    answer = client.request("POST", "/v1/rank", headers={"content-length": "1001"}, stall=True)
    assert answer.status == 413
    assert "1000 bytes" in answer.json()["error"]
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("length", ["9" * 25, "9" * 5000])
def test_an_absurd_length_is_413(client, length):
    assert client.post("/v1/rank", headers={"content-length": length}).status == 413


def test_parts_above_the_limit_are_413_whatever_was_declared(client):
    answer = client.post(
        "/v1/rank",
        parts=[b"x" * 600, b"x" * 600],
        headers={"content-length": "", "transfer-encoding": "chunked"},
    )
    assert answer.status == 413


def test_a_body_of_the_limit_is_read(client, engine):
    assert client.post("/v1/rank", b" " * 998 + b"{}").status == 200
    assert len(engine.bodies[0]) == 1000


def test_http2_replies_name_no_connection(client):
    answer = client.post("/v1/rank", headers={"content-length": "5000"}, http_version="2")
    assert answer.status == 413
    assert "connection" not in answer.headers


def test_a_body_that_does_not_arrive_is_408(client, engine):
    answer = client.request("POST", "/v1/rank", headers={"content-length": "10"}, stall=True)
    assert answer.status == 408
    assert "0.05 s" in answer.json()["error"]
    assert answer.headers["connection"] == "close"
    assert engine.bodies == []


def test_http1_without_any_length_is_411(client):
    assert client.post("/v1/rank").status == 411


def test_http2_needs_no_length(client):
    answer = client.post("/v1/rank", b"{}", headers={"content-length": ""}, http_version="2")
    assert answer.status == 200


@pytest.mark.parametrize("length", ["-1", "+5", "1e3", "0x10", "five"])
def test_a_length_that_is_no_number_is_400(client, length):
    answer = client.post("/v1/rank", b"{}", headers={"content-length": length})
    assert answer.status == 400
    assert length in answer.json()["error"]


def test_a_client_that_leaves_gets_no_answer_and_is_counted(client, engine):
    assert client.post("/v1/rank", parts=[b'{"k"', None]) is None
    assert engine.bodies == []
    text = client.get("/metrics").body.decode()
    assert 'shortlist_http_replies_total{route="rank",status="499"} 1' in text


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=UTF-8",
        'application/JSON;charset="utf-8"',
        "application/vnd.shortlist+json",
        "text/json",
        "text/plain",
        "application/x-www-form-urlencoded",
    ],
)
def test_types_that_may_be_json_are_read(client, content_type):
    answer = client.post("/v1/rank", {}, headers={"content-type": content_type})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"content-type": "application/xml"}, "application/xml"),
        ({"content-type": "multipart/form-data; boundary=x"}, "multipart/form-data"),
        ({"content-type": "application/json; charset=latin-1"}, "latin-1"),
        ({"content-encoding": "gzip"}, "gzip"),
    ],
)
def test_other_types_and_encodings_are_415_by_name(client, headers, named):
    answer = client.post("/v1/rank", {}, headers=headers)
    assert answer.status == 415
    assert named in answer.json()["error"]
