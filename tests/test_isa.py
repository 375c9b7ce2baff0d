"""SHORTLIST_ISA forces an instruction set, and the forced one runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from instruction_sets import available_isas, run_under_isa

ACTIVE = "from shortlist import _core; print(_core.active_isa())"


@pytest.mark.parametrize("isa", available_isas())
def test_the_forced_instruction_set_is_the_one_that_runs(isa):
    assert run_under_isa(isa, ACTIVE).strip() == isa


def test_nothing_forced_means_the_fastest_one():
    assert run_under_isa("", ACTIVE).strip() == available_isas()[-1]


def test_an_unknown_instruction_set_is_refused_by_name():
    done = subprocess.run(
        [sys.executable, "-c", ACTIVE],
        env={**os.environ, "SHORTLIST_ISA": "sse9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        'ArgumentError: SHORTLIST_ISA: got "sse9", expected one that this processor has: portable'
        in done.stderr
    )
