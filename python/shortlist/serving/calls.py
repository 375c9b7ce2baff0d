"""Where an engine's call runs: short ones on the event loop, longer ones on a few threads.

A hand-over to a thread costs more than a short call takes; a long call on the event loop would make
every other connection wait. The native call holds no GIL, so threads run side by side.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from shortlist.serving.errors import HttpError

__all__ = ["CallRunner", "CallTimes"]

INLINE_BELOW_S = 1e-3
# Weight of the newest time in the moving mean.
ALPHA = 0.125
N_SIZE_CLASSES = 33


class CallTimes:
    """Moving means of measured seconds, one for each power of two of the body's length.

    Bodies of unlike length are unlike work: one row to score, or a hundred thousand. A class that
    was never measured is expected to be long.
    """

    __slots__ = ("_means",)

    def __init__(self) -> None:
        self._means: list[float | None] = [None] * N_SIZE_CLASSES

    def expected_s(self, n_bytes: int) -> float | None:
        """Return the expected seconds of a call with ``n_bytes`` of body; None if unknown."""
        return self._means[_size_class(n_bytes)]

    def record(self, n_bytes: int, seconds: float) -> None:
        """Add a measured time. Threads may race: one of two times is then lost, nothing else."""
        size = _size_class(n_bytes)
        mean = self._means[size]
        self._means[size] = seconds if mean is None else mean + ALPHA * (seconds - mean)


class CallRunner:
    """Runs calls inline or on threads, by their expected time.

    Parameters
    ----------
    n_threads : how many longer calls run at once.
    max_waiting : how many longer calls may run or wait; more are answered by 503 at once.
    """

    def __init__(self, *, n_threads: int, max_waiting: int) -> None:
        self._executor = ThreadPoolExecutor(n_threads, thread_name_prefix="shortlist-call")
        self._max_waiting = max_waiting
        self._n_waiting = 0

    async def run(self, call: Callable[[bytes], bytes], body: bytes, times: CallTimes) -> bytes:
        """Answer ``call(body)``; the time of a successful call is recorded in ``times``.

        Raises
        ------
        HttpError : 503 with ``Retry-After``, when too many longer calls are waiting.
        Whatever the call raises.
        """
        expected_s = times.expected_s(len(body))
        if expected_s is not None and expected_s < INLINE_BELOW_S:
            return _timed(call, body, times)
        if self._n_waiting >= self._max_waiting:
            raise HttpError(
                503,
                f"{self._n_waiting} calls are already waiting; try again later",
                headers=((b"retry-after", b"1"),),
            )
        self._n_waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, _timed, call, body, times)
        finally:
            self._n_waiting -= 1

    def close(self) -> None:
        """End the threads once their calls are answered."""
        self._executor.shutdown(wait=True)


def _timed(call: Callable[[bytes], bytes], body: bytes, times: CallTimes) -> bytes:
    started = time.perf_counter()
    answer = call(body)
    times.record(len(body), time.perf_counter() - started)
    return answer


def _size_class(n_bytes: int) -> int:
    return min(n_bytes.bit_length(), N_SIZE_CLASSES - 1)
