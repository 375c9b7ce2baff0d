"""Exit codes and messages of the process itself."""

from __future__ import annotations

import os
import socket
from importlib.metadata import version

import pytest

from shortlist.cli.exit_code import ExitCode, exit_code_of
from shortlist.errors import (
    ArgumentError,
    FormatError,
    MismatchError,
    NotFoundError,
    RequestError,
    StorageError,
    UnsupportedError,
)
from shortlist.serving.errors import ListenError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RequestError(), 1),
        (ArgumentError(), 2),
        (FormatError(), 3),
        (MismatchError(), 3),
        (NotFoundError(), 3),
        (UnsupportedError(), 3),
        (StorageError(), 4),
        (ListenError(), 4),
        (OSError(), 4),
    ],
)
def test_each_error_has_its_exit_code(error, code):
    assert exit_code_of(error) == ExitCode(code)


def test_version_is_printed(execute):
    ended = execute("--version")
    assert (ended.returncode, ended.stdout) == (0, f"shortlist {version('shortlist')}\n")


def test_help_lists_commands_and_exit_codes(run):
    ended = run("--help")
    assert ended.exit_code == 0
    for shown in ("demo", "pack", "inspect", "verify", "rank", "serve", "Exit codes: 0"):
        assert shown in ended.stdout


@pytest.mark.parametrize("arguments", [[], ["nope"], ["rank"], ["serve", "b", "--port", "70000"]])
def test_wrong_usage_is_exit_code_2(execute, arguments):
    assert execute(*arguments).returncode == 2


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_without_its_packages_the_command_line_says_what_to_install(execute, package):
    ended = execute("--version", before=f"sys.modules[{package!r}] = None")
    assert ended.returncode == 2
    assert package in ended.stderr
    assert 'pip install "shortlist[cli]"' in ended.stderr
    assert "Traceback" not in ended.stderr


def test_serve_without_granian_says_what_to_install(execute, tmp_path):
    ended = execute("serve", tmp_path, before="sys.modules['granian'] = None")
    assert ended.returncode == 4
    assert ended.stderr.strip() == (
        'error: this command needs the package granian: pip install "shortlist[serve]"'
    )


def test_a_port_in_use_is_exit_code_4(execute, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = execute("serve", tmp_path, "--port", taken.getsockname()[1])
    assert ended.returncode == 4
    assert ended.stderr.startswith("error: cannot listen on 127.0.0.1:")


def test_an_unknown_host_is_exit_code_4(execute, tmp_path):
    ended = execute("serve", tmp_path, "--host", "256.256.256.256")
    assert ended.returncode == 4


def test_the_shell_can_complete_commands(execute):
    question = {"_SHORTLIST_COMPLETE": "complete_bash", "COMP_WORDS": "shortlist ve"}
    ended = execute(env={**os.environ, **question, "COMP_CWORD": "1"})
    assert ended.stdout.split() == ["verify"]
