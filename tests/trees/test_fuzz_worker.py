"""The worker of tools/fuzz tells crashes, refused memory, warnings and slow executions apart."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, os, signal, sys, time, warnings
from tools.fuzz.worker import run_all

class Target:
    def make(self, rng):
        return b""
    def judge(self, data, rng):
        self.n = getattr(self, "n", 0) + 1
        if self.n == 3:
            exec(sys.argv[1])
        return True

done = run_all(Target(), 0, range(10, 15), time.monotonic() + 60)
failure = done.failure and [done.failure.index, done.failure.what]
print(json.dumps([done.executions, done.accepted, failure]))
"""


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "Crash: SIGSEGV"),
        ("os.abort()", "Crash: SIGABRT"),
        ("bytearray(10**9)", "MemoryError"),
        ("warnings.warn('x')", "UserWarning"),
        ("[][1]", "IndexError"),
        ("end = time.process_time() + 1.2\nwhile time.process_time() < end: pass", "Slow"),
    ],
)
def test_an_execution_that_breaks_a_promise_is_named(repository, harm, what):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, harm],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )

    executions, accepted, (index, found) = json.loads(done.stdout)
    assert (executions, accepted, index) == (2, 2, 12)
    assert found.startswith(what)
