"""The command line ``shortlist``; its packages come with the extra [cli]."""

from __future__ import annotations

import sys

__all__ = ["main"]

PACKAGES = ("typer", "rich", "click", "shellingham")


def main() -> None:
    """Run the command line; exit codes are those of `shortlist.cli.exit_code.ExitCode`."""
    try:
        from shortlist.cli.app import app
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in PACKAGES:
            raise
        sys.stderr.write(
            f"the command line needs the package {package}, which is not installed:\n"
            '    pip install "shortlist[cli]"\n'
        )
        sys.exit(2)
    app()
