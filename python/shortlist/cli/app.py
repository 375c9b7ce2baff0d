"""The commands and their names."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from shortlist.cli.demo import demo
from shortlist.cli.exit_code import EXIT_CODES_HELP
from shortlist.cli.inspect import inspect
from shortlist.cli.pack import pack
from shortlist.cli.rank import rank
from shortlist.cli.reporting import reporting
from shortlist.cli.score import score
from shortlist.cli.serve import serve
from shortlist.cli.verify import verify

__all__ = ["app"]

app = typer.Typer(
    name="shortlist",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    epilog=EXIT_CODES_HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"shortlist {version('shortlist')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Retrieve, score and rank in one native call."""


app.command()(reporting(demo))
app.command()(reporting(pack))
app.command()(reporting(inspect))
app.command()(reporting(verify))
app.command()(reporting(rank))
app.command()(reporting(score))
app.command()(reporting(serve))
