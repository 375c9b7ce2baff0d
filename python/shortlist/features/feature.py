"""What features of every kind have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from shortlist.errors import ArgumentError
from shortlist.features.checks import check_text

__all__ = ["DENSE", "Feature"]

DENSE = "dense"


@dataclass(frozen=True, kw_only=True, repr=False)
class Feature:
    """What every kind has: a name, unique in its set, and the block its values go to."""

    kind: ClassVar[str]
    name: str = ""
    block: str = DENSE

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it reads, as ``"source.name"``."""
        return ()

    @property
    def level(self) -> Literal["request", "item", "pair"]:
        """Whether it is known once a request, once an item, or for each pair of them."""
        sources = {name.partition(".")[0] for name in self.fields}
        if sources == {"item"}:
            return "item"
        return "request" if sources and "item" not in sources else "pair"

    @property
    def unlearned(self) -> str | None:
        """What `fit` has yet to learn, in words; None when the feature is ready."""
        return None

    def to_dict(self) -> dict[str, object]:
        """Give the entry of features.json."""
        return {"kind": self.kind, "name": self.name, "block": self.block}

    def summary(self) -> str:
        """Say what is particular to it, in a few words."""
        return ""

    def __repr__(self) -> str:
        named = "" if self.name == "*".join(self.fields) else f", name={self.name!r}"
        block = "" if self.block == DENSE else f", block={self.block!r}"
        summary = f", {self.summary()}" if self.summary() else ""
        arguments = f"{', '.join(map(repr, self.fields))}{summary}{named}{block}"
        return f"{type(self).__name__}({arguments.removeprefix(', ')})"

    def _check_name_and_block(self, default: str) -> None:
        object.__setattr__(self, "name", check_text(self.name or default, "name"))
        check_text(self.block, f"{self.name}: block")

    def _check_dense_only(self) -> None:
        if self.block != DENSE:
            raise ArgumentError(
                f"{self.name}: block {self.block!r} holds integer codes; "
                f"a {type(self).__name__} belongs in 'dense'"
            )
