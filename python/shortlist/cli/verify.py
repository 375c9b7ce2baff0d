"""``shortlist verify``: whether a bundle is what was packed, and scores as it did then."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shortlist.cli.console import fail, results
from shortlist.cli.documents import as_builtins, print_document
from shortlist.cli.exit_code import ExitCode
from shortlist.errors import FormatError, MismatchError, NotFoundError

__all__ = ["verify"]


def verify(
    bundle: Annotated[Path, typer.Argument(help="Folder of versions, or one version.")],
    *,
    parity: Annotated[
        bool, typer.Option(help="Compute the stored sample scores again and compare.")
    ] = True,
) -> None:
    """Check every file's size and SHA-256, and the sample scores stored when it was packed."""
    import shortlist
    from shortlist.bundle import resolve

    version = resolve(bundle)
    try:
        report = shortlist.verify(version, parity=parity)
    except (FormatError, MismatchError, NotFoundError) as error:
        fail(str(error))
        raise typer.Exit(ExitCode.PROBLEM_FOUND) from error
    print_document(results(), as_builtins(report))
    results().print("verified", style="green")
