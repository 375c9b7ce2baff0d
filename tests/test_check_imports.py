"""tools/check_imports.py lets dependencies run one way and names each line that does not."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.fixture
def check(repository, tmp_path):
    """Write files into an empty project; return the offences that the tool prints for it."""
    (tmp_path / "csrc").mkdir()

    def check_files(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(repository / "tools" / "check_imports.py"), str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        lines = done.stdout.splitlines()
        assert done.returncode == (1 if lines else 0), done.stderr
        return lines[:-1]

    return check_files


def test_this_project_has_no_offence(repository):
    tool = repository / "tools" / "check_imports.py"
    done = subprocess.run([sys.executable, str(tool)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_includes_of_earlier_layers_and_of_the_own_folder_pass(check):
    text = '#include <vector>\n#include "base/error.hpp"\n#include "trees/node.hpp"\n'
    assert check({"csrc/trees/forest.cpp": text}) == []


@pytest.mark.parametrize(
    ("path", "line", "message"),
    [
        (
            "csrc/base/a.hpp",
            '#include "cpu/isa.hpp"',
            "base includes cpu, which is of a later layer",
        ),
        (
            "csrc/trees/a.cpp",
            '#include "features/set.hpp"',
            "trees includes features: siblings never",
        ),
        (
            "csrc/trees/a.cpp",
            '#include "pipeline/rank.hpp"',
            "trees includes pipeline, which is of a later",
        ),
        (
            "csrc/trees/a.cpp",
            '#include "forest.hpp"',
            "expected a path from csrc/ that begins with one of base,",
        ),
        ("csrc/trees/a.cpp", '#include "../base/error.hpp"', "expected a path from csrc/"),
        ("csrc/pipeline/a.cpp", "#include <pybind11/numpy.h>", "outside csrc/python"),
        ("csrc/base/a.cpp", "  #  include <Python.h>", "outside csrc/python"),
        (
            "csrc/kernels/isa_avx2.cpp",
            "#include <algorithm>",
            "<algorithm> in a unit of one instruction set",
        ),
        ("csrc/kernels/body/a.inl.hpp", "#include <bit>", "<bit> in a unit of one instruction set"),
        (
            "csrc/kernels/vec/a.hpp",
            '#include "base/error.hpp"',
            "only headers of kernels/ are allowed",
        ),
    ],
)
def test_a_wrong_include_is_named_with_file_and_line(check, path, line, message):
    (offence,) = check({path: f"// A file.\n\n{line}\n"})
    assert offence.startswith(f"{path}:3: ")
    assert message in offence


def test_pybind11_is_known_in_the_bindings_alone(check):
    text = '#include <pybind11/pybind11.h>\n#include "pipeline/rank.hpp"\n'
    assert check({"csrc/python/module.cpp": text}) == []


def test_the_dispatch_of_the_kernels_may_use_earlier_layers(check):
    assert check({"csrc/kernels/dispatch.cpp": '#include <string>\n#include "cpu/isa.hpp"\n'}) == []


def test_a_folder_or_module_without_a_layer_is_named(check):
    offences = check({"csrc/odd/a.cpp": "", "python/shortlist/odd.py": ""})
    assert offences == [
        "csrc/odd/a.cpp:1: csrc/odd has no layer; add it to NATIVE_LAYERS in check_imports.py",
        "python/shortlist/odd.py:1: odd has no layer; add it to PYTHON_LAYERS in check_imports.py",
    ]


def test_imports_of_earlier_layers_and_of_the_own_package_pass(check):
    text = (
        "import numpy\n"
        "from shortlist import _core, errors\n"
        "from shortlist.models.forest import Forest\n"
        "from .forest import Forest\n"
        "from ..errors import FormatError\n"
    )
    assert check({"python/shortlist/models/loading.py": text}) == []


@pytest.mark.parametrize(
    ("path", "line", "message"),
    [
        (
            "errors.py",
            "import shortlist.engine",
            "errors imports engine, which is of a later layer",
        ),
        ("errors.py", "from .engine import Engine", "errors imports engine"),
        (
            "models/a.py",
            "from shortlist.index import Index",
            "models imports index: siblings never",
        ),
        ("models/a.py", "from ..index import Index", "models imports index: siblings never"),
        ("models/a.py", "from .. import index", "models imports index: siblings never"),
        (
            "bundle/a.py",
            "from shortlist import Engine",
            "bundle imports __init__, which is of a later layer",
        ),
        ("bundle/a.py", "def f():\n    import shortlist", "bundle imports __init__"),
        ("serving/a.py", "from shortlist.cli import main", "serving imports cli"),
        ("demo.py", "from shortlist.odd import x", "demo imports odd, which has no layer"),
        ("__init__.py", "from shortlist.serving import app", "__init__ imports serving"),
    ],
)
def test_a_wrong_import_is_named_with_file_and_line(check, path, line, message):
    (offence,) = check({f"python/shortlist/{path}": f'"""A module."""\n{line}\n'})
    assert offence.startswith(f"python/shortlist/{path}:{2 + line.count(chr(10))}: ")
    assert message in offence
