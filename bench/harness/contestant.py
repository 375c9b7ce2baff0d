"""What a contestant is: a class that makes its artefacts, opens them, and answers call number i."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Options = Mapping[str, "str | int | float | bool"]


class AbsentError(RuntimeError):
    """A contestant cannot take part; the message says why."""


class Subject(Protocol):
    """The code under measurement, inside a process of its own."""

    def call(self, i: int) -> object:
        """Do the work once on input number i; this is what is timed."""

    def ask(self, question: Mapping[str, object]) -> object:
        """Answer a question about the work, untimed; the reply must be JSON."""


class SubjectType(Protocol):
    """How a subject is made; options are keyword arguments."""

    @staticmethod
    def packages() -> tuple[str, ...]:
        """Distributions whose versions belong on the results page."""

    @staticmethod
    def prepare(cache: Path, **preparation: str | float | bool) -> None:
        """Make slow artefacts once, in a process that is not measured."""

    def __call__(self, cache: Path, **options: str | float | bool) -> Subject:
        """Open what was prepared."""


@dataclass(frozen=True)
class Contestant:
    """A line in a table, and where its subject is found ('module:Class').

    `options` are keyword arguments of the class, `preparation` those of its `prepare`;
    `environment` adds variables to its processes. An optional one may be absent, and a match says
    why; any other must take part.
    """

    name: str
    subject: str
    options: Options = field(default_factory=dict)
    preparation: Options = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    processors: int = 1
    optional: bool = False


def find_subject(path: str) -> SubjectType:
    """Import 'module:Class'."""
    module, _, name = path.partition(":")
    found: SubjectType = getattr(importlib.import_module(module), name)
    return found
