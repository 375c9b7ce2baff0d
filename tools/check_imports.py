"""Checks that dependencies run one way: #include in csrc/, import in python/shortlist/.

Usage: python tools/check_imports.py [ROOT]. Prints one line `file:line: what and why` for each
offence; exit code 1 where there is any.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# A folder may include itself and every folder of an earlier layer, never one of its own layer.
NATIVE_LAYERS: tuple[tuple[str, ...], ...] = (
    ("base",),
    ("cpu",),
    ("kernels",),
    ("json",),
    ("bundle",),
    ("table", "features", "retrieval", "trees", "telemetry", "arrow"),
    ("pipeline",),
    ("python",),
)

# The same for the modules and packages of python/shortlist; `__init__` is the package's own face.
PYTHON_LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("_core",),
    ("strict_json", "arguments", "frames", "request_json"),
    ("ids",),
    ("safetensors",),
    ("models", "index", "features"),
    ("hashing",),
    ("bundle",),
    ("engine", "batch"),
    ("__init__",),
    ("serving",),
    ("demo",),
    ("cli",),
)

# Units compiled with wide flags see nothing that could emit an inline function which the portable
# part shares.
WIDE_HEADERS = frozenset(
    {"cfloat", "climits", "cstddef", "cstdint", "cstring", "immintrin.h", "arm_neon.h"}
)
WIDE_UNITS = re.compile(r"csrc/kernels/(isa_\w+\.cpp|(body|vec)/.+)")
PYTHON_HEADERS = re.compile(r"(pybind11/|numpy/|Python\.h$)")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


@dataclass(frozen=True, order=True)
class Offence:
    """One line that breaks a rule."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def ranks(layers: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return the position of the layer of each name."""
    return {name: rank for rank, layer in enumerate(layers) for name in layer}


NATIVE_RANKS = ranks(NATIVE_LAYERS)
PYTHON_RANKS = ranks(PYTHON_LAYERS)


def check_edge(user: str, used: str, known: dict[str, int], verb: str) -> str | None:
    """Return why `user` may not depend on `used`, or None where it may."""
    if user == used or known[used] < known[user]:
        return None
    if known[used] == known[user]:
        return f"{user} {verb} {used}: siblings never depend on each other"
    return f"{user} {verb} {used}, which is of a later layer"


def check_include(path: str, folder: str, bracket: str, header: str) -> str | None:
    """Return what is wrong with one #include of a file in csrc/`folder`, or None."""
    if PYTHON_HEADERS.match(header) and folder != "python":
        return f"<{header}> outside csrc/python, the only folder that knows Python"
    if bracket == "<":
        if WIDE_UNITS.fullmatch(path) and header not in WIDE_HEADERS:
            allowed = ", ".join(sorted(WIDE_HEADERS))
            return f"<{header}> in a unit of one instruction set; allowed: {allowed}"
        return None
    used, slash, _ = header.partition("/")
    if not slash or used not in NATIVE_RANKS:
        folders = ", ".join(NATIVE_RANKS)
        return f'"{header}": expected a path from csrc/ that begins with one of {folders}'
    if WIDE_UNITS.fullmatch(path) and used != "kernels":
        return f'"{header}" in a unit of one instruction set; only headers of kernels/ are allowed'
    return check_edge(folder, used, NATIVE_RANKS, "includes")


def check_native(root: Path) -> Iterator[Offence]:
    """Yield the offences of csrc/."""
    for source in sorted((root / "csrc").rglob("*.[ch]pp")):
        path = source.relative_to(root).as_posix()
        folder = source.relative_to(root / "csrc").parts[0]
        if folder not in NATIVE_RANKS:
            yield Offence(
                path,
                1,
                f"csrc/{folder} has no layer; add it to NATIVE_LAYERS in {Path(__file__).name}",
            )
            continue
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1):
            if match := INCLUDE.match(line):
                message = check_include(path, folder, match[1], match[2])
                if message is not None:
                    yield Offence(path, number, message)


def imported_names(tree: ast.Module, package: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield line and top-level name within shortlist of every import.

    The name is `__init__` for the package itself. `package` is the path of the package that holds
    the module, such as ("shortlist", "models").
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "shortlist":
                    yield node.lineno, parts[1] if len(parts) > 1 else "__init__"
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            parts = base + (node.module.split(".") if node.module else [])
            if parts[:1] != ["shortlist"]:
                continue
            if len(parts) > 1:
                yield node.lineno, parts[1]
                continue
            for alias in node.names:
                yield node.lineno, alias.name if alias.name in PYTHON_RANKS else "__init__"


def check_python(root: Path) -> Iterator[Offence]:
    """Yield the offences of python/shortlist/."""
    package_root = root / "python" / "shortlist"
    for source in sorted([*package_root.rglob("*.py"), *package_root.rglob("*.pyi")]):
        path = source.relative_to(root).as_posix()
        inside = source.relative_to(package_root)
        module = inside.parts[0].partition(".")[0]
        if module not in PYTHON_RANKS:
            yield Offence(
                path, 1, f"{module} has no layer; add it to PYTHON_LAYERS in {Path(__file__).name}"
            )
            continue
        tree = ast.parse(source.read_text(encoding="utf-8"), filename=path)
        for line, used in imported_names(tree, ("shortlist", *inside.parts[:-1])):
            if used not in PYTHON_RANKS:
                yield Offence(
                    path,
                    line,
                    f"{module} imports {used}, which has no layer in {Path(__file__).name}",
                )
                continue
            message = check_edge(module, used, PYTHON_RANKS, "imports")
            if message is not None:
                yield Offence(path, line, message)


def main(arguments: Sequence[str]) -> int:
    """Check the project at `arguments[0]`, by default the one this file belongs to."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[1]
    offences = sorted([*check_native(root), *check_python(root)])
    for offence in offences:
        print(offence)
    if offences:
        print(f"{len(offences)} dependencies run the wrong way")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
