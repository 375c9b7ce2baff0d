"""The process of one contestant: pinned to its processors, it times itself on command.

Commands and replies are JSON, one a line: on standard input, and on what was standard output when
the process started. Whatever a library prints goes to standard error instead.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import IO

from bench.harness.cache import version_of
from bench.harness.contestant import AbsentError, Subject, find_subject


def main() -> None:
    settings = json.loads(sys.argv[1])
    replies = _claim_standard_output()
    os.sched_setaffinity(0, settings["processors"])
    subject_type = find_subject(settings["subject"])
    cache = Path(settings["cache"])
    try:
        if settings["prepare"]:
            subject_type.prepare(cache, **settings["preparation"])
            _send(replies, {"ready": {}})
            return
        subject = subject_type(cache, **settings["options"])
    except AbsentError as absence:
        _send(replies, {"absent": str(absence)})
        return
    _send(replies, {"ready": {name: version_of(name) for name in subject_type.packages()}})
    for line in sys.stdin:
        command = json.loads(line)
        if "ask" in command:
            _send(replies, subject.ask(command["ask"]))
        else:
            _send(replies, _time_calls(subject, command["start"], command["count"]))


def _time_calls(subject: Subject, start: int, count: int) -> list[int]:
    """Nanoseconds of each call, numbered from start."""
    clock = time.perf_counter_ns
    call = subject.call
    latencies = [0] * count
    for n in range(count):
        before = clock()
        call(start + n)
        latencies[n] = clock() - before
    return latencies


def _claim_standard_output() -> IO[str]:
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _send(replies: IO[str], reply: object) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
