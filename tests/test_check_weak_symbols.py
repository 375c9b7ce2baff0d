"""tools/check_weak_symbols.py accepts units that define their table alone and names the rest."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

TABLE = """namespace shortlist {
struct KernelTable { int (*f)(int); };
extern const KernelTable kTestKernels;
}
"""
USE = "namespace shortlist { const KernelTable kTestKernels = {f}; }\n"


@pytest.fixture
def check(repository, tmp_path):
    """Compile a unit named isa_test.cpp and return what the tool prints for its object."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("needs a C++ compiler")

    def check_unit(text, name="isa_test.cpp"):
        source, unit = tmp_path / name, tmp_path / f"{name}.o"
        source.write_text(TABLE + text, encoding="utf-8")
        subprocess.run([compiler, "-std=c++20", "-c", str(source), "-o", str(unit)], check=True)
        done = subprocess.run(
            [sys.executable, str(repository / "tools" / "check_weak_symbols.py"), str(unit)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == (1 if done.stdout else 0), done.stderr
        return done.stdout

    return check_unit


def test_a_unit_that_defines_its_table_alone_passes(check):
    assert check("namespace { int f(int x) { return x; } }\n" + USE) == ""


def test_an_inline_function_is_a_weak_symbol(check):
    assert "isa_test.cpp.o: weak symbol f(int)" in check(
        "inline int f(int x) { return x; }\n" + USE
    )


def test_a_global_function_is_named(check):
    assert "isa_test.cpp.o: global symbol f(int); expected" in check(
        "int f(int x) { return x; }\n" + USE
    )


def test_a_function_of_another_unit_is_named(check):
    assert "isa_test.cpp.o: needs f(int) from outside the unit" in check("int f(int);\n" + USE)


def test_nothing_to_check_is_an_error(check):
    assert "no object of an instruction set" in check("", name="other.cpp")
