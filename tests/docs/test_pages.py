"""Every block of code in the documentation does what its page shows."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

import pytest
from commands import Shell
from pages import PAGES, ROOT, Block, Page, matches

LANGUAGES = {"python", "console", "sh", "json", "text"}
_SHOWN = re.compile(r"\s# -> (.*)$")
_SERVES = re.compile(r"^serve\(", re.MULTILINE)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_blocks_of_a_page_run_in_order(path, world, tmp_path, monkeypatch):
    page = Page.read(path)
    world.copy_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page", **world.names()}
    shell = Shell(tmp_path)
    try:
        for block in page.blocks():
            if block.language == "python":
                run_python(block, names, path, shell)
            elif block.language in ("console", "sh"):
                shell.run_block(block)
            elif block.language == "json":
                json.loads(block.text)
    finally:
        shell.stop()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_block_says_what_it_is(path):
    page = Page.read(path)
    assert page.text.count("\n```") % 2 == 0
    unknown = [block.line for block in page.blocks() if block.language not in LANGUAGES]
    assert not unknown, f"{path.name}: lines {unknown}: expected one of {sorted(LANGUAGES)}"


def run_python(block: Block, names: dict[str, object], path: Path, shell: Shell) -> None:
    """Run a block; an expression followed by `# -> TEXT` must have that repr, or fail like that."""
    if _SERVES.search(block.text):
        script = Path("serves.py")
        script.write_text(re.sub(r"port=\d+", "port=0", block.text))
        shell.start([sys.executable, "-u", str(script.absolute())])
        shell.stop()
        return
    lines = block.text.splitlines()
    where = str(path.relative_to(ROOT))
    for statement in ast.parse(block.text).body:
        ast.increment_lineno(statement, block.line - 1)
        shown = _SHOWN.search(lines[statement.end_lineno - block.line])
        if shown is None:
            exec(compile(ast.Module([statement], []), where, "exec"), names)
            continue
        assert isinstance(statement, ast.Expr), f"{where}: only expressions have values to show"
        found = value_of(compile(ast.Expression(statement.value), where, "eval"), names)
        assert matches(shown[1], found), (
            f"{where}:{statement.lineno}: the page shows {shown[1]}, it is {found}"
        )


def value_of(expression, names: dict[str, object]) -> str:
    try:
        return repr(eval(expression, names))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
