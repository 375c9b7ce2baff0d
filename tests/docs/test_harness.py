"""The documentation's tests see what is wrong in a page."""

from __future__ import annotations

import pytest
from commands import Shell
from pages import Block, matches


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("scores 1.5 v1", "scores  -2.25e-05 v3"),
        ("13,760 bytes", "9 bytes"),
        ("[50,181,100]", "[2,4,10]"),
        ("one\n...\nlast", "one\ntwo\nthree\nlast\n"),
        ("Error: got ... expected 3", "Error: got 'x', expected 4"),
    ],
)
def test_numbers_spaces_and_dots_may_differ(shown, found):
    assert matches(shown, found)


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("ids", "scores"),
        ("one\nlast", "one\ntwo\nlast"),
        ("[1,2]", "[1,2,3]"),
        ("[50,181]", "[50]"),
        ("u17", "u18"),
    ],
)
def test_other_differences_are_seen(shown, found):
    assert not matches(shown, found)


@pytest.mark.parametrize(
    "text",
    [
        "$ frobnicate bundles\n",
        "$ pip install '.[absent]'\n",
        "$ pip install shortlist\n",
        "$ pytest tests/absent.py\n",
        "$ echo one\ntwo\n",
        "$ cat absent.txt\n",
        "$ echo one | frobnicate\n",
    ],
)
def test_a_command_that_is_unknown_or_wrong_fails(text, tmp_path):
    with pytest.raises(AssertionError):
        Shell(tmp_path).run_block(Block("console", 1, text))


def test_a_command_may_go_over_lines_and_end_with_a_code(tmp_path):
    Shell(tmp_path).run_block(Block("console", 1, "$ echo one \\\n    two\none two\n"))
    Shell(tmp_path).run_block(Block("console", 1, "$ ls absent  # exit code 2\n"))
