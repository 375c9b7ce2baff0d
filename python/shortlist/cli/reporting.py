"""How a command ends by an error: one red line and an exit code, decided here once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

import typer

from shortlist.cli.console import fail
from shortlist.cli.exit_code import ExitCode, exit_code_of
from shortlist.errors import ShortlistError

__all__ = ["reporting"]

P = ParamSpec("P")

# The extra that brings each package which a command needs and the core does not.
EXTRA_OF_PACKAGE = {
    "granian": "serve",
    "implicit": "demo",
    "lightgbm": "demo",
    "scipy": "demo",
    "pyarrow": "parquet",
    "onnx": "onnx",
    "onnxruntime": "onnx",
}


def reporting(command: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command so that what it raises on purpose shows no traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BrokenPipeError:  # the reader of stdout has enough; the library ends quietly
            raise
        except (ShortlistError, OSError) as error:
            fail(str(error))
            raise typer.Exit(exit_code_of(error)) from error
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            extra = EXTRA_OF_PACKAGE.get(package)
            if extra is None:
                raise
            fail(f'this command needs the package {package}: pip install "shortlist[{extra}]"')
            raise typer.Exit(ExitCode.ENVIRONMENT) from error

    return run
