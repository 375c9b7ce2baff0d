"""The entries of features.json, as typed structures."""

from __future__ import annotations

from typing import Literal

import msgspec

from shortlist.features.feature import Feature
from shortlist.features.kinds import Categorical, Cross, Hashed, Numeric, Similarity

__all__ = ["read_features"]


class _Entry(msgspec.Struct, tag_field="kind", forbid_unknown_fields=True):
    name: str
    block: str

    def feature(self) -> Feature:
        raise NotImplementedError


class _Numeric(_Entry, tag="numeric"):
    field: str
    missing: float | Literal["nan"]
    scale: Literal["standard", "minmax"] | None
    offset: float
    divisor: float

    def feature(self) -> Feature:
        return Numeric(
            self.field,
            missing=self.missing,
            scale=self.scale,
            offset=self.offset,
            divisor=self.divisor,
            name=self.name,
            block=self.block,
        )


class _Categorical(_Entry, tag="categorical"):
    field: str
    vocabulary: list[str]

    def feature(self) -> Feature:
        return Categorical(self.field, vocabulary=self.vocabulary, name=self.name, block=self.block)


class _Hashed(_Entry, tag="hashed"):
    field: str
    buckets: int
    seed: int

    def feature(self) -> Feature:
        return Hashed(
            self.field, buckets=self.buckets, seed=self.seed, name=self.name, block=self.block
        )


class _Cross(_Entry, tag="cross"):
    fields: list[str]
    buckets: int
    seed: int

    def feature(self) -> Feature:
        return Cross(
            *self.fields, buckets=self.buckets, seed=self.seed, name=self.name, block=self.block
        )


class _Similarity(_Entry, tag="similarity"):
    def feature(self) -> Feature:
        return Similarity(name=self.name, block=self.block)


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal[1]
    features: list[_Numeric | _Categorical | _Hashed | _Cross | _Similarity]


def read_features(text: str | bytes) -> list[Feature]:
    """Make the features of a features.json that the native reader has accepted."""
    document = msgspec.json.decode(text, type=_Document)
    return [entry.feature() for entry in document.features]
