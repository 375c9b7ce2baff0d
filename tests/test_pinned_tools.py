"""The linters' versions are stated once for CI and once for pre-commit, and agree."""

from __future__ import annotations

import re
import tomllib


def test_pre_commit_pins_the_versions_of_the_lint_group(repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    pinned = dict(tool.split("==") for tool in project["dependency-groups"]["lint"])
    hooks = (repository / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    used = re.findall(r"([\w-]+)==([\w.]+)", hooks)
    assert {name for name, _ in used} == {"ruff", "clang-format"}
    assert all(pinned[name] == version for name, version in used)
