"""The kinds of features: immutable definitions, validated when they are made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from shortlist.errors import ArgumentError
from shortlist.features.checks import canonical_text, check_field, check_finite, check_int
from shortlist.features.feature import DENSE, Feature

__all__ = ["Categorical", "Cross", "Hashed", "Numeric", "Similarity"]

Scalar: TypeAlias = str | int | float | bool
Scale: TypeAlias = Literal["standard", "minmax"]

# Largest code of block "dense", where float32 holds it exactly, and of other blocks.
_MAX_CODE = {True: 2**24, False: 2**31 - 1}


@dataclass(frozen=True, kw_only=True, repr=False)
class _OneField(Feature):
    field: str = dataclasses.field(kw_only=False)

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field,)

    def to_dict(self) -> dict[str, object]:
        return super().to_dict() | {"field": self.field}

    def _check_names(self) -> None:
        object.__setattr__(self, "field", check_field(self.field))
        self._check_name_and_block(self.field)


@dataclass(frozen=True, repr=False)
class Numeric(_OneField):
    """A number: ``(x - offset) / divisor`` in float64, then float32.

    Parameters
    ----------
    field
        ``"user.NAME"``, ``"context.NAME"`` or ``"item.NAME"``; booleans count as 0 and 1.
    missing
        What stands for a missing value or NaN: ``"nan"``, or a finite number, which is not scaled.
    scale
        What `fit` learns: ``"standard"`` (mean and standard deviation), ``"minmax"`` (to 0..1), or
        None.
    offset, divisor
        The numbers themselves, where they are known; both or none. 0 and 1 without a scale.
    name
        The field unless given.
    block
        Always ``"dense"``.

    Raises
    ------
    ArgumentError
    """

    kind: ClassVar[str] = "numeric"
    missing: float | Literal["nan"] = dataclasses.field(default="nan", kw_only=True)
    scale: Scale | None = dataclasses.field(default=None, kw_only=True)
    offset: float | None = dataclasses.field(default=None, kw_only=True)
    divisor: float | None = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._check_names()
        self._check_dense_only()
        if self.missing != "nan":
            missing = check_finite(self.missing, f"{self.name}: missing (or 'nan')")
            object.__setattr__(self, "missing", missing)
        if self.scale not in (None, "standard", "minmax"):
            raise ArgumentError(
                f"{self.name}: scale must be 'standard', 'minmax' or None, not {self.scale!r}"
            )
        if (self.offset is None) != (self.divisor is None):
            raise ArgumentError(f"{self.name}: give both offset and divisor, or neither")
        if self.scale is None and self.offset is None:
            object.__setattr__(self, "offset", 0.0)
            object.__setattr__(self, "divisor", 1.0)
        elif self.offset is not None:
            offset = check_finite(self.offset, f"{self.name}: offset")
            divisor = check_finite(self.divisor, f"{self.name}: divisor")
            if divisor == 0:
                raise ArgumentError(f"{self.name}: divisor must not be 0")
            object.__setattr__(self, "offset", offset)
            object.__setattr__(self, "divisor", divisor)

    @property
    def unlearned(self) -> str | None:
        """What `fit` has yet to learn."""
        return f"the {self.scale} scale" if self.offset is None else None

    def summary(self) -> str:
        """Missing value and scaling."""
        scale = f", scale={self.scale!r}" if self.scale else ""
        known = f", offset={self.offset}, divisor={self.divisor}"
        if self.unlearned is not None:
            known = ", unfitted"
        elif (self.offset, self.divisor) == (0.0, 1.0):
            known = ""
        return f"missing={self.missing!r}{scale}{known}"

    def to_dict(self) -> dict[str, object]:
        """Give the entry of features.json."""
        return super().to_dict() | {
            "missing": self.missing,
            "scale": self.scale,
            "offset": self.offset,
            "divisor": self.divisor,
        }


@dataclass(frozen=True, repr=False, init=False)
class Categorical(_OneField):
    """A value's place in a vocabulary: 1 for the first entry, 0 for missing and unknown values.

    Parameters
    ----------
    field
        ``"user.NAME"``, ``"context.NAME"`` or ``"item.NAME"``.
    vocabulary
        The entries in order, unique; numbers are compared as their canonical text. None: `fit`
        learns it, the most frequent first.
    name
        The field unless given.
    block
        ``"dense"`` for float32 codes (at most 2**24 entries), any other name for an int32 block.

    Raises
    ------
    ArgumentError
    """

    kind: ClassVar[str] = "categorical"
    vocabulary: tuple[str, ...] | None = dataclasses.field(default=None, kw_only=True)

    def __init__(
        self,
        field: str,
        *,
        vocabulary: Iterable[Scalar] | None = None,
        name: str = "",
        block: str = DENSE,
    ) -> None:
        for key, value in (("field", field), ("name", name), ("block", block)):
            object.__setattr__(self, key, value)
        self._check_names()
        entries = None if vocabulary is None else self._check_vocabulary(vocabulary)
        object.__setattr__(self, "vocabulary", entries)

    def _check_vocabulary(self, vocabulary: Iterable[Scalar]) -> tuple[str, ...]:
        if isinstance(vocabulary, str | bytes):
            raise ArgumentError(f"{self.name}: vocabulary must be a list of entries, not one text")
        try:
            entries = tuple(canonical_text(entry) for entry in vocabulary)
        except ArgumentError as error:
            raise ArgumentError(f"{self.name}: vocabulary: {error}") from None
        most = _MAX_CODE[self.block == DENSE]
        if not 0 < len(entries) <= most:
            raise ArgumentError(
                f"{self.name}: vocabulary must have 1 to {most} entries, not {len(entries)}"
            )
        seen: set[str] = set()
        for entry in entries:
            if entry in seen:
                raise ArgumentError(f"{self.name}: vocabulary holds {entry!r} twice")
            seen.add(entry)
        return entries

    @property
    def unlearned(self) -> str | None:
        """What `fit` has yet to learn."""
        return "the vocabulary" if self.vocabulary is None else None

    def summary(self) -> str:
        """Size of the vocabulary."""
        known = "unfitted" if self.vocabulary is None else f"{len(self.vocabulary)} entries"
        return f"vocabulary=<{known}>"

    def to_dict(self) -> dict[str, object]:
        """Give the entry of features.json."""
        return super().to_dict() | {"vocabulary": list(self.vocabulary or ())}


@dataclass(frozen=True, repr=False)
class Hashed(_OneField):
    """A value's bucket: ``1 + xxh64(text, seed) % (buckets - 1)``, 0 where it is missing.

    Parameters
    ----------
    field
        ``"user.NAME"``, ``"context.NAME"`` or ``"item.NAME"``.
    buckets
        Codes are below this: 2 to 2**24 in block ``"dense"``, to 2**31 - 1 in others.
    seed
        0 to 2**63 - 1; features with different seeds collide differently.
    name
        The field unless given.
    block
        ``"dense"`` for float32 codes, any other name for an int32 block.

    Raises
    ------
    ArgumentError
    """

    kind: ClassVar[str] = "hashed"
    buckets: int = dataclasses.field(kw_only=True)
    seed: int = dataclasses.field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        self._check_names()
        _check_buckets(self)

    def summary(self) -> str:
        """Buckets and seed."""
        return f"buckets={self.buckets}" + (f", seed={self.seed}" if self.seed else "")

    def to_dict(self) -> dict[str, object]:
        """Give the entry of features.json."""
        return super().to_dict() | {"buckets": self.buckets, "seed": self.seed}


@dataclass(frozen=True, repr=False, init=False)
class Cross(Feature):
    """The bucket of two or three values together, 0 where one of them is missing.

    Parameters
    ----------
    fields
        Two or three different fields, of any sources; their order counts.
    buckets
        Codes are below this: 2 to 2**24 in block ``"dense"``, to 2**31 - 1 in others.
    seed
        0 to 2**63 - 1.
    name
        ``"a*b"`` unless given.
    block
        ``"dense"`` for float32 codes, any other name for an int32 block.

    Raises
    ------
    ArgumentError
    """

    kind: ClassVar[str] = "cross"
    crossed: tuple[str, ...] = ()
    buckets: int = 0
    seed: int = 0

    def __init__(
        self, *fields: str, buckets: int, seed: int = 0, name: str = "", block: str = DENSE
    ) -> None:
        crossed = tuple(check_field(name) for name in fields)
        if len(crossed) not in (2, 3) or len(set(crossed)) != len(crossed):
            raise ArgumentError(f"a Cross takes 2 or 3 different fields, not {list(crossed)}")
        values = {"crossed": crossed, "buckets": buckets, "seed": seed, "name": name}
        for key, value in (values | {"block": block}).items():
            object.__setattr__(self, key, value)
        self._check_name_and_block("*".join(crossed))
        _check_buckets(self)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it reads, as ``"source.name"``."""
        return self.crossed

    def summary(self) -> str:
        """Buckets and seed."""
        return f"buckets={self.buckets}" + (f", seed={self.seed}" if self.seed else "")

    def to_dict(self) -> dict[str, object]:
        """Give the entry of features.json."""
        own = {"fields": list(self.crossed), "buckets": self.buckets, "seed": self.seed}
        return super().to_dict() | own


@dataclass(frozen=True, kw_only=True, repr=False)
class Similarity(Feature):
    """The retrieval metric of query vector and item, exact in float32; NaN without a query vector.

    When serving, the engine computes it; in `FeatureSet.transform` it is the frame's column
    ``"similarity"``.

    Parameters
    ----------
    name
        ``"similarity"`` unless given.
    block
        Always ``"dense"``.
    """

    kind: ClassVar[str] = "similarity"

    def __post_init__(self) -> None:
        self._check_name_and_block("similarity")
        self._check_dense_only()


def _check_buckets(feature: Hashed | Cross) -> None:
    most = _MAX_CODE[feature.block == DENSE]
    buckets = check_int(feature.buckets, f"{feature.name}: buckets", 2, most)
    object.__setattr__(feature, "buckets", buckets)
    seed = check_int(feature.seed, f"{feature.name}: seed", 0, 2**63 - 1)
    object.__setattr__(feature, "seed", seed)
