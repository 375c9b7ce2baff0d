"""Commands of the pages, run for real; one that is not known here fails the test."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pages import ROOT, Block, matches

_RUN = {"shortlist", "curl", "echo", "cat", "ls"}
_EXIT_CODE = re.compile(r"# exit code (\d+)$")
_COMMAND = re.compile(r"((?:[^\n]*\\\n)*[^\n]*)\n?(.*)", re.DOTALL)
_TIMEOUT_S = 60


class Shell:
    """Runs the commands of one page in its folder, and a server beside them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: subprocess.Popen[str] | None = None
        self._address = ""
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "COLUMNS": "160",
            "TERM": "dumb",
            "PYTHONWARNINGS": "error",
        }

    def run_block(self, block: Block) -> None:
        """Run each command and compare what follows it with its output."""
        for command, shown in _commands(block):
            programs = _simple_commands(command)
            if all(_is_only_recognised(words) for words in programs):
                continue
            unknown = [words[0] for words in programs if words[0] not in _RUN]
            assert not unknown, f"{command}: no test knows how to run {unknown[0]}"
            if programs[0][:2] == ["shortlist", "serve"]:
                found = self.start([*programs[0], "--port", "0"])
            else:
                found = self._run(command)
            assert not shown or matches(shown, found), (
                f"{command}\nthe page shows:\n{shown}\nit prints:\n{found}"
            )

    def start(self, words: list[str]) -> str:
        """Start a server in place of the one before; returns the line that has its address."""
        self.stop()
        if words[0] == "shortlist":
            words = [str(Path(sys.executable).parent / "shortlist"), *words[1:]]
        self._server = subprocess.Popen(
            words,
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        line = self._server.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, line + self._server.communicate(timeout=_TIMEOUT_S)[0]
        self._address = address[0]
        return line

    def stop(self) -> None:
        """End the server; what it said last must be no failure."""
        if self._server is None:
            return
        server, self._server = self._server, None
        try:
            server.send_signal(signal.SIGTERM)
            rest = server.communicate(timeout=_TIMEOUT_S)[0]
            assert server.returncode == 0, rest
        finally:
            server.kill()
            server.wait()

    def _run(self, command: str) -> str:
        if "curl" in command and shutil.which("curl") is None:
            pytest.skip("the page's commands need curl")
        expected = _EXIT_CODE.search(command)
        if self._address:
            command = re.sub(r"http://127\.0\.0\.1:\d+", self._address, command)
        ended = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
        wanted = int(expected[1]) if expected else 0
        assert ended.returncode == wanted, f"{command}: {ended.returncode}\n{ended.stdout}"
        return ended.stdout


def _commands(block: Block) -> list[tuple[str, str]]:
    """Commands, each with the output shown below it; without "$ " every line is a command."""
    if block.language == "sh":
        return [(line, "") for line in block.text.splitlines() if line.strip()]
    first, *parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not first.strip(), f"line {block.line}: output before the first command"
    return [_COMMAND.fullmatch(part).groups() for part in parts]


def _simple_commands(command: str) -> list[list[str]]:
    lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    found: list[list[str]] = [[]]
    for word in lexer:
        if word in ("&&", "||", "|", ";"):
            found.append([])
        else:
            found[-1].append(word)
    return found


def _is_only_recognised(words: list[str]) -> bool:
    """Commands that make sense for a reader, yet not in a test; what they name must exist."""
    if words[:2] == ["pip", "install"]:
        _check_extras(words[2:])
        return True
    if words[0] == "pytest":
        return all((ROOT / word).exists() for word in words[1:])
    if words[0] == "bash" and len(words) == 2:
        return (ROOT / words[1]).is_file()
    if words[:2] == ["python", "-m"]:
        return (ROOT / words[2] / "__main__.py").is_file()
    # Run by test_demo.py, with the data at hand.
    return words[:2] == ["shortlist", "demo"]


def _check_extras(arguments: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    for argument in arguments:
        found = re.fullmatch(r"\.(?:\[([\w,]+)\])?", argument)
        assert found, f"pip install {argument}: expected the folder, with or without extras"
        for extra in (found[1] or "").split(","):
            assert not extra or extra in extras, f"pip install {argument}: no extra {extra}"
