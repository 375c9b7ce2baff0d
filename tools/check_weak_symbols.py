"""Checks that the objects of the instruction sets define their kernel table and nothing else.

An inline function that such an object emits is a weak symbol, and the linker may keep that copy,
compiled with wide flags, for the whole program: a crash on smaller processors.
Usage: check_weak_symbols.py [--nm NM] OBJECT...; objects other than isa_*.o are passed over.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

UNIT = re.compile(r"isa_\w+\.cpp\.o(bj)?$")
# As nm prints them: an optional value, the kind, the demangled name.
SYMBOL = re.compile(r"^(?:[0-9a-fA-F]+)?\s+(?P<kind>\S)\s(?P<name>.+)$")
TABLE = re.compile(r"shortlist::k\w+Kernels")
# Where exceptions are unwound: a pointer in data, the same in every object.
UNWINDING = re.compile(r"DW\.ref\.\w+")
# Undefined names that are no C++ functions: the compiler's own calls, such as memcpy.
PLAIN_C = re.compile(r"[A-Za-z_]\w*")


def offences(listing: str) -> Iterator[str]:
    """Yield what is wrong in nm's listing of one object."""
    for line in listing.splitlines():
        match = SYMBOL.match(line)
        if match is None:
            continue
        kind, name = match["kind"], match["name"]
        if kind in "WwVvu":
            if not UNWINDING.fullmatch(name):
                yield f"weak symbol {name}"
        elif kind == "U":
            if not PLAIN_C.fullmatch(name):
                yield f"needs {name} from outside the unit"
        elif kind.isupper() and not TABLE.fullmatch(name):
            yield f"global symbol {name}; expected the kernel table alone"


def main(arguments: Sequence[str]) -> int:
    """Check the objects named in `arguments`; 1 where a symbol escapes or no object is a unit."""
    parser = argparse.ArgumentParser(
        description="Objects of the instruction sets export their table alone."
    )
    parser.add_argument("--nm", default="nm", help="the nm of the compiler in use")
    parser.add_argument("objects", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    units = [path for path in options.objects if UNIT.search(path.name)]
    if not units:
        print("no object of an instruction set (isa_*.o) among those given")
        return 1
    failed = False
    for unit in units:
        listing = subprocess.run(
            [options.nm, "--demangle", str(unit)], check=True, capture_output=True, text=True
        ).stdout
        for offence in offences(listing):
            print(f"{unit.name}: {offence}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
