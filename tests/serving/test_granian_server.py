"""The real server on 127.0.0.1: connections, signals, workers."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("granian")

SCRIPT = Path(__file__).with_name("fake_server.py")
# The fake engine stands beside this folder.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])}


class Server:
    """A server process that is ready."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(SCRIPT), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        self._connections: list[http.client.HTTPConnection] = []
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.process.communicate()[1]

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self._connections.append(connection)
        return connection

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float, str]:
        """Return the exit code, the seconds it took, and what was written to stderr."""
        started = time.monotonic()
        self.process.send_signal(number)
        errors = self.process.communicate(timeout=20)[1]
        return self.process.returncode, time.monotonic() - started, errors

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=20)


Start = Callable[..., Server]


@pytest.fixture
def start() -> Iterator[Start]:
    servers: list[Server] = []

    def launch(*options: str) -> Server:
        servers.append(Server(*options))
        return servers[-1]

    yield launch
    for server in servers:
        server.close()


def post(connection: http.client.HTTPConnection, content: object, path: str = "/v1/rank") -> dict:
    connection.request("POST", path, json.dumps(content), {"content-type": "application/json"})
    return json.loads(connection.getresponse().read())


def count(server: Server, labels: str) -> int:
    connection = server.connect()
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    found = re.search(rf"shortlist_http_replies_total{{{labels}}} (\d+)", text)
    return int(found[1]) if found else 0


def wait_for_count(server: Server, labels: str, at_least: int) -> None:
    """Replies are counted after they are sent, so a count may come a moment later."""
    deadline = time.monotonic() + 5
    while (found := count(server, labels)) < at_least:
        assert time.monotonic() < deadline, f"{labels}: {found}, expected {at_least}"
        time.sleep(0.01)


def test_rank_bad_input_and_metrics_on_one_kept_connection(start: Start):
    server = start()
    connection = server.connect()
    assert post(connection, {"k": 2})["ids"] == [0, 1]
    own = connection.sock.getsockname()
    assert "error" in post(connection, [])
    assert post(connection, {"k": 1}, "/v1/models/movies/versions/v1/rank")["ids"] == [0]
    wait_for_count(server, 'route="rank",status="200"', 2)
    wait_for_count(server, 'route="rank",status="400"', 1)
    assert connection.sock.getsockname() == own
    code, _, errors = server.stop()
    assert (code, errors) == (0, "")


def test_a_chunked_body_is_read(start: Start):
    connection = start().connect()
    connection.request("POST", "/v1/rank", iter([b'{"k"', b":1}"]), encode_chunked=True)
    assert json.loads(connection.getresponse().read())["ids"] == [0]


def test_a_body_above_the_limit_is_413(start: Start):
    server = start()
    with server.raw() as client:
        client.sendall(b"POST /v1/rank HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999\r\n\r\n{")
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")
    assert post(server.connect(), {"k": 1})["ids"] == [0]


def test_a_stalled_body_is_408_and_its_connection_ends(start: Start):
    with start("--body-timeout", "0.2").raw() as client:
        client.sendall(b"POST /v1/rank HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{")
        received = b""
        while part := client.recv(4096):
            received += part
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"within 0.2 s" in received


def test_a_client_that_leaves_in_its_body_is_counted(start: Start):
    server = start()
    with server.raw() as client:
        client.sendall(b"POST /v1/rank HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{")
        time.sleep(0.2)
    wait_for_count(server, 'route="rank",status="499"', 1)
    assert server.stop()[2] == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_accepted_requests_finish(start: Start, number: int):
    server = start()
    idle = server.connect()
    post(idle, {})
    answers: list[dict] = []
    slow = threading.Thread(
        target=lambda: answers.append(post(server.connect(), {"sleep": 0.8, "k": 1}))
    )
    slow.start()
    time.sleep(0.3)
    code, seconds, errors = server.stop(number)
    slow.join()
    assert answers[0]["ids"] == [0]
    assert (code, errors) == (0, "")
    assert 0.3 < seconds < 4


def test_what_does_not_finish_in_the_drain_time_is_cut_off(start: Start):
    server = start("--drain-timeout", "0.5")
    with server.raw() as client:
        client.sendall(b"POST /v1/rank HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{")
        time.sleep(0.2)
        code, seconds, errors = server.stop()
    assert code == 0
    assert seconds < 3
    assert "unfinished 0.5 s after the signal" in errors


def test_a_port_in_use_is_refused(start: Start):
    server = start()
    second = subprocess.run(
        [sys.executable, str(SCRIPT), "--port", str(server.port)],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
        timeout=20,
    )
    assert second.returncode == 1
    assert re.search(rf"ListenError.*127\.0\.0\.1:{server.port}.*in use", second.stderr)


def test_a_unix_socket_is_served_and_removed(start: Start, tmp_path: Path):
    path = tmp_path / "shortlist.sock"
    server = start("--uds", str(path))
    assert server.url == f"unix:{path}"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /v2/health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert client.recv(4096).endswith(b'{"ready":true}')
    assert server.stop()[0] == 0
    assert not path.exists()


def test_the_access_log_is_written_on_demand(start: Start):
    server = start("--access-log")
    post(server.connect(), {})
    assert '"POST /v1/rank HTTP/1.1" 200' in server.stop()[2]


def test_workers_share_a_port_and_their_counters(start: Start):
    server = start("--workers", "2")
    pids: set[int] = set()
    n_requests = 0
    while len(pids) < 2:
        pids.add(post(server.connect(), {})["pid"])
        n_requests += 1
        assert n_requests < 500
    assert os.getpid() not in pids
    assert server.process.pid not in pids
    wait_for_count(server, 'route="rank",status="200"', n_requests)
    for _ in range(10):
        assert count(server, 'route="rank",status="200"') == n_requests
    code, seconds, errors = server.stop()
    # granian may call a worker unwilling that has just ended: its log is not asked to be empty.
    assert code == 0
    assert not re.search("Traceback|panicked", errors)
    assert seconds < 5


def test_a_killed_worker_is_replaced_and_counters_go_on(start: Start):
    server = start("--workers", "2")
    victim = post(server.connect(), {})["pid"]
    os.kill(victim, signal.SIGKILL)
    deadline = time.monotonic() + 15
    pids: set[int] = set()
    n_answers = 1
    while len(pids) < 2:
        assert time.monotonic() < deadline
        try:
            pids.add(post(server.connect(), {})["pid"])
            n_answers += 1
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
        pids.discard(victim)
    # A reply is counted after it is sent: the victim's one may have died with it.
    wait_for_count(server, 'route="rank",status="200"', n_answers - 1)
    assert server.stop()[0] == 0


def test_workers_end_when_their_parent_is_killed(start: Start):
    server = start("--workers", "2")
    server.process.kill()
    # The workers hold stderr too: this returns once all of them are gone.
    server.process.communicate(timeout=15)
