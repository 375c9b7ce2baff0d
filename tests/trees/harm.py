"""What a file that was made to harm may cost its reader."""

import contextlib
import resource
import time

import pytest

from shortlist.errors import FormatError, UnsupportedError


@contextlib.contextmanager
def refused_at_once(data, message):
    """Expect a refusal within a second and with memory in proportion to the file."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises((FormatError, UnsupportedError), match=message):
        yield
    assert time.process_time() - started < 1.0
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 32 * 1024 + 20 * len(data) / 1024
