"""``shortlist inspect``: what is in a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from shortlist.cli.console import results
from shortlist.cli.documents import as_builtins, print_document

__all__ = ["inspect"]


def inspect(
    bundle: Annotated[Path, typer.Argument(help="Folder of versions, or one version.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show what a bundle holds: parts, files with sizes and checksums, fingerprints, settings."""
    import shortlist

    found = as_builtins(shortlist.inspect(bundle))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found)))
    else:
        print_document(results(), found)
