"""Fixtures of the server's tests."""

from __future__ import annotations

import pytest
from asgi_client import Client
from fake_engine import FakeEngine

from shortlist.serving import Application, Deployment, Limits


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def client(engine: FakeEngine) -> Client:
    limits = Limits(body_bytes=1000, body_timeout_s=0.05, n_threads=2, max_waiting=2)
    return Client(Application(Deployment.of([engine]), limits=limits))
