"""Exit codes, and which of them each error means."""

from __future__ import annotations

from enum import IntEnum

from shortlist.errors import ArgumentError, RequestError, ShortlistError, StorageError
from shortlist.serving.errors import ListenError

__all__ = ["EXIT_CODES_HELP", "ExitCode", "exit_code_of"]


class ExitCode(IntEnum):
    """What the process says to the shell; part of the documented interface."""

    OK = 0
    PROBLEM_FOUND = 1
    USAGE = 2
    REFUSED = 3
    ENVIRONMENT = 4


EXIT_CODES_HELP = (
    "Exit codes: 0 done; 1 the work found a problem (verification failed, some lines are bad); "
    "2 wrong usage; 3 a bundle, model or table is refused or not found; "
    "4 the environment (a missing extra, a port in use, files, network)."
)


def exit_code_of(error: ShortlistError | OSError) -> ExitCode:
    """Return the exit code of an error that ends a command."""
    if isinstance(error, ListenError | StorageError):
        return ExitCode.ENVIRONMENT
    if isinstance(error, ArgumentError):
        return ExitCode.USAGE
    if isinstance(error, RequestError):
        return ExitCode.PROBLEM_FOUND
    return ExitCode.REFUSED if isinstance(error, ShortlistError) else ExitCode.ENVIRONMENT
