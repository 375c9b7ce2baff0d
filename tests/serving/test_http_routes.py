"""Which requests get which answers."""

from __future__ import annotations

import asyncio
import logging

import pytest
from asgi_client import Client
from fake_engine import FakeEngine

from shortlist.errors import ArgumentError
from shortlist.serving import Application, Deployment


@pytest.mark.parametrize(
    "path", ["/v1/rank", "/v1/models/movies/rank", "/v1/models/movies/versions/v1/rank"]
)
def test_rank_returns_the_engines_bytes(client, engine, path):
    answer = client.post(path, {"k": 2})
    assert answer.status == 200
    assert answer.json()["ids"] == [0, 1]
    assert engine.bodies == [b'{"k": 2}']
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))


@pytest.mark.parametrize(
    "path", ["/v1/score", "/v1/models/movies/score", "/v1/models/movies/versions/v1/score"]
)
def test_score_returns_the_engines_bytes(client, path):
    answer = client.post(path, {"rows": [{}, {}]})
    assert answer.status == 200
    assert answer.json() == {"scores": [0.5, 0.5], "version": "v1"}


def test_health_routes_answer_live_and_ready(client):
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}


def test_models_are_listed_with_their_default_version():
    engines = [FakeEngine("movies", "v2"), FakeEngine("movies", "v1"), FakeEngine("ads", "v7")]
    client = Client(Application(Deployment.of(engines)))
    assert client.get("/v1/models").json() == {
        "models": [
            {"name": "movies", "default": "v2", "versions": ["v2", "v1"]},
            {"name": "ads", "default": "v7", "versions": ["v7"]},
        ]
    }


def test_a_request_without_version_gets_the_champion():
    engines = [FakeEngine("movies", "v2"), FakeEngine("movies", "v1")]
    client = Client(Application(Deployment.of(engines)))
    assert client.post("/v1/models/movies/rank", {}).json()["version"] == "v2"
    assert client.post("/v1/models/movies/versions/v1/rank", {}).json()["version"] == "v1"
    assert client.post("/v1/rank", {}).json()["version"] == "v2"


def test_short_paths_need_a_single_model():
    client = Client(Application(Deployment.of([FakeEngine("movies"), FakeEngine("ads")])))
    answer = client.post("/v1/rank", {})
    assert answer.status == 404
    assert "'movies', 'ads'" in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/models/nope/rank", "'nope'"),
        ("/v1/models/movies/versions/v9/rank", "'v9'"),
        ("/v1/models//rank", "/v1/models//rank"),
        ("/v1/models/movies/rank/", "/v1/models/movies/rank/"),
        ("/v2/models/movies/infer", "/v2/models/movies/infer"),
        ("/", "'/'"),
    ],
)
def test_unknown_paths_and_models_are_404_by_name(client, path, named):
    answer = client.post(path, {})
    assert answer.status == 404
    assert named in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/rank", "POST"),
        ("DELETE", "/v1/models/movies/score", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("PUT", "/metrics", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_405_with_allow(client, method, path, allow):
    answer = client.request(method, path)
    assert answer.status == 405
    assert answer.headers["allow"] == allow
    assert method in answer.json()["error"]


def test_head_answers_the_headers_of_get_without_body(client):
    answer = client.request("HEAD", "/v2/health/live")
    assert answer.status == 200
    assert answer.body == b""
    assert answer.headers["content-length"] == str(len(b'{"live":true}'))


def test_timings_are_added_when_asked_for(client):
    assert "timings" in client.post("/v1/rank?timings=1", {}).json()
    assert "timings" not in client.post("/v1/rank?timings=0", {}).json()
    assert "timings" not in client.post("/v1/rank", {}).json()


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("/v1/rank?timing=1", "'timing'"),
        ("/v1/rank?timings=yes", "'yes'"),
        ("/v1/rank?timings", "''"),
        ("/v1/rank?timings=1&timings=1", "twice"),
        ("/v1/score?timings=1", "'timings'"),
        ("/v1/rank?%FF=1", "unknown query parameter"),
    ],
)
def test_bad_query_parameters_are_400_by_name(client, target, named):
    answer = client.post(target, {"rows": []})
    assert answer.status == 400
    assert named in answer.json()["error"]


def test_a_request_error_is_400_with_its_message(client):
    answer = client.post("/v1/rank", b"{")
    assert answer.status == 400
    assert answer.json() == {"error": "the body is not JSON; expected an object"}


def test_what_the_bundle_cannot_do_is_501(client):
    answer = client.post("/v1/rank", {"fail": "unsupported"})
    assert answer.status == 501
    assert answer.json() == {"error": "this bundle has no retriever"}


def test_an_unexpected_error_is_500_logged_and_not_shown(client, caplog):
    with caplog.at_level(logging.ERROR, logger="shortlist.serving"):
        answer = client.post("/v1/rank", {"fail": "detail"})
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert "RuntimeError: secret detail" in caplog.text


def test_a_replaced_deployment_serves_new_requests(client):
    client.application.deployment = Deployment.of([FakeEngine("movies", "v2")])
    assert client.post("/v1/rank", {}).json()["version"] == "v2"


def test_a_request_stays_with_the_deployment_it_began_with(client):
    async def replace_while_waiting() -> dict:
        request = asyncio.create_task(client.send("POST", "/v1/rank", parts=[b'{"sleep":0.1}']))
        await asyncio.sleep(0.03)
        client.application.deployment = Deployment.of([FakeEngine("movies", "v2")])
        return (await request).json()

    assert asyncio.run(replace_while_waiting())["version"] == "v1"


@pytest.mark.parametrize("engines", [[], [FakeEngine(), FakeEngine()]], ids=["none", "twice"])
def test_a_deployment_needs_engines_that_differ(engines):
    with pytest.raises(ArgumentError, match="expected"):
        Deployment.of(engines)
