"""``shortlist rank``: lines in, lines out."""

from __future__ import annotations

import json

import pytest


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def ids(text: str) -> list[list[int] | None]:
    """The ids of each answer, None where it is an error."""
    return [answer.get("ids") for answer in lines(text)]


def test_each_line_is_answered_in_order(run, bundle):
    ended = run("rank", bundle, input='{"k":1}\n\n{"k":3}')
    assert ended.exit_code == 0
    assert ids(ended.stdout) == [[0], [0, 1, 2]]


def test_bad_lines_are_answered_by_errors_and_exit_code_1(run, bundle):
    ended = run("rank", bundle, input='{"k":1}\n[]\n\n{\n{"k":2}\n')
    assert ended.exit_code == 1
    assert ids(ended.stdout) == [[0], None, None, [0, 1]]
    assert lines(ended.stdout)[1:3] == [
        {"error": "the body is an array; expected an object", "line": 2},
        {"error": "the body is not JSON; expected an object", "line": 4},
    ]
    assert "2 bad lines" in ended.stderr


def test_k_and_timings_apply_to_every_line(run, bundle):
    ended = run("rank", bundle, "--k", "1", "--timings", input='{"k":5,"user":{"a":[1]}}\n{}\n')
    assert ended.exit_code == 0
    assert ids(ended.stdout) == [[0], [0]]
    assert all(answer["timings"] for answer in lines(ended.stdout))


@pytest.mark.parametrize("line", ["[1]", "{", "[" * 100_000])
def test_k_leaves_bad_lines_to_the_engine(run, bundle, line):
    ended = run("rank", bundle, "--k", "1", input=line + "\n")
    assert ended.exit_code == 1
    assert "expected an object" in lines(ended.stdout)[0]["error"]


def test_files_are_read_and_written(run, bundle, tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"k":1}\n')
    ended = run("rank", bundle, source, "--output", target)
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert ids(target.read_text()) == [[0]]


def test_a_missing_bundle_is_one_red_line_and_exit_code_3(run, bundle):
    ended = run("rank", bundle / "nope", input="{}\n")
    assert ended.exit_code == 3
    assert ended.stdout == ""
    assert ended.stderr.strip() == f"error: {bundle}/nope: there is no bundle"


def test_an_unwritable_output_is_exit_code_4(run, bundle, tmp_path):
    ended = run("rank", bundle, "-o", tmp_path / "no" / "folder", input="{}\n")
    assert ended.exit_code == 4
    assert ended.stderr.startswith("error: ")
