"""``shortlist verify``: whether a bundle is what was packed, and scores as it did then."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shortlist.cli.console import fail, results
from shortlist.cli.documents import as_builtins, print_document
from shortlist.cli.exit_code import ExitCode
from shortlist.errors import FormatError, MismatchError

__all__ = ["verify"]


def verify(
    bundle: Annotated[Path, typer.Argument(help="Folder of versions, or one version.")],
) -> None:
    """Check every file's size and SHA-256, and the sample scores stored when it was packed."""
    import shortlist

    try:
        report = shortlist.verify(bundle)
    except (FormatError, MismatchError) as error:
        fail(str(error))
        raise typer.Exit(ExitCode.PROBLEM_FOUND) from error
    if report is not None:
        print_document(results(), as_builtins(report))
    results().print("verified", style="green")
