"""Builds the native tests as they ship, optimised, and runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig

import pytest


def tool(name: str) -> str:
    """The path of a build tool: that of this environment, or the system's."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    found = shutil.which(name, path=path)
    assert found is not None, f'{name} not found; it comes with pip install ".[test]"'
    return found


def run(*command: str) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"


@pytest.mark.skipif(
    not any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++")),
    reason="needs a C++ compiler",
)
def test_the_native_tests_pass(repository):
    build = repository / "build" / "native"
    run(
        tool("cmake"),
        f"-S{repository}",
        f"-B{build}",
        "-GNinja",
        f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}",
        "-DCMAKE_BUILD_TYPE=Release",
        "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON",
        "-DSHORTLIST_TESTS=ON",
        "-DSHORTLIST_PYTHON=OFF",
    )
    run(tool("cmake"), "--build", str(build))
    run(tool("ctest"), "--test-dir", str(build), "--output-on-failure", "--no-tests=error")
