"""Where calls run, and how many may wait."""

from __future__ import annotations

import asyncio
import threading

import pytest

from shortlist.serving.calls import CallRunner, CallTimes
from shortlist.serving.errors import HttpError


@pytest.fixture
def runner():
    runner = CallRunner(n_threads=2, max_waiting=2)
    yield runner
    runner.close()


def thread_name(body: bytes) -> bytes:
    return threading.current_thread().name.encode()


def run(runner: CallRunner, times: CallTimes, body: bytes = b"12345678") -> str:
    return asyncio.run(runner.run(thread_name, body, times)).decode()


def test_a_call_never_measured_runs_on_a_thread(runner):
    assert run(runner, CallTimes()).startswith("shortlist-call")


def test_a_call_measured_short_runs_inline(runner):
    times = CallTimes()
    run(runner, times)
    assert run(runner, times) == threading.current_thread().name


def test_a_call_measured_long_runs_on_a_thread(runner):
    times = CallTimes()
    times.record(8, 0.5)
    assert run(runner, times).startswith("shortlist-call")


def test_a_long_call_that_becomes_short_moves_inline(runner):
    times = CallTimes()
    times.record(8, 0.005)
    ran = [run(runner, times) for _ in range(40)]
    assert ran[0].startswith("shortlist-call")
    assert ran[-1] == threading.current_thread().name


def test_bodies_of_unlike_length_are_expected_apart(runner):
    times = CallTimes()
    times.record(8, 1e-5)
    assert times.expected_s(15) == 1e-5
    assert times.expected_s(16) is None
    assert times.expected_s(2**40) is None


def test_failed_calls_leave_no_time(runner):
    def fail(body: bytes) -> bytes:
        raise ValueError("no")

    times = CallTimes()
    with pytest.raises(ValueError, match="no"):
        asyncio.run(runner.run(fail, b"12345678", times))
    assert times.expected_s(8) is None


def test_calls_beyond_the_bound_are_refused_at_once(runner):
    release = threading.Event()

    def wait(body: bytes) -> bytes:
        release.wait(10)
        return body

    async def overload() -> list[bytes]:
        times = CallTimes()
        accepted = [asyncio.create_task(runner.run(wait, b"x", times)) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(HttpError) as refused:
            await runner.run(wait, b"x", times)
        assert refused.value.status == 503
        assert (b"retry-after", b"1") in refused.value.headers
        release.set()
        return await asyncio.gather(*accepted)

    assert asyncio.run(overload()) == [b"x", b"x"]


def test_long_calls_leave_the_event_loop_free(client):
    async def overtake() -> bool:
        slow = asyncio.create_task(client.send("POST", "/v1/rank", parts=[b'{"sleep":0.3}']))
        await asyncio.sleep(0.02)
        live = await client.send("GET", "/v2/health/live")
        overtaken = live.status == 200 and not slow.done()
        await slow
        return overtaken

    assert asyncio.run(overtake())
