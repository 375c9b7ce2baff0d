"""What small subjects have in common: nothing to ask them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping


class MicroSubject(ABC):
    """One function under measurement."""

    @abstractmethod
    def call(self, i: int) -> object:
        """Run the function once on input number i."""

    def ask(self, question: Mapping[str, object]) -> object:
        """Small subjects have no answers to give beside their timing."""
        raise ValueError(f"nothing to answer: {dict(question)}")
