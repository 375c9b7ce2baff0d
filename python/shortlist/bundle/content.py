"""What goes into a bundle: its parts checked against one another before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from shortlist.bundle import reference as references
from shortlist.bundle.frame import Columns, n_rows, read_columns, take_rows
from shortlist.bundle.ids import Ids, id_tensors, read_ids, rows_in_order
from shortlist.bundle.manifest import Settings
from shortlist.bundle.rankers import PackedRanker
from shortlist.bundle.requests import Asked, rank_requests, score_rows
from shortlist.bundle.tables import filter_tensors, numbers_of, popularity_order, vectors_of
from shortlist.bundle.writer import Writer
from shortlist.errors import ArgumentError, UnsupportedError
from shortlist.safetensors import Array

if TYPE_CHECKING:
    from shortlist.features import FeatureSet
    from shortlist.index import Index

__all__ = ["Content"]

_ID = "id"
_VECTOR = "vector"


@dataclass
class Content:
    """Everything that goes into the bundle, checked before anything is written."""

    ranker: PackedRanker
    features: FeatureSet | None
    retriever: Index | None
    reference: object
    items: Ids | None = None
    users: Ids | None = None
    item_tensors: dict[str, Array] = field(default_factory=dict)
    user_tensors: dict[str, Array] = field(default_factory=dict)

    def read_items(self, frame: object, filters: Sequence[str] | None, popularity: object) -> None:
        """Encode the item table, in the index's order where there is one."""
        if frame is None and self.retriever is None:
            for name, given in (("popularity", popularity), ("filters", filters)):
                if given is not None:
                    raise ArgumentError(f"{name}: there are no items")
            return
        if self.features is None:
            given = "items" if self.retriever is None else "retriever"
            raise ArgumentError(f"{given}: needs features= for the ranker to rank items by")
        if self.ranker.n_outputs != 1:
            raise ArgumentError(
                f"ranker: gives {self.ranker.n_outputs} scores a row, ranking items takes one"
            )
        index_ids = None if self.retriever is None else read_ids(self.retriever.ids, "retriever")
        if frame is None and self.retriever is not None:
            frame = {_ID: self.retriever.ids}
        columns = read_columns(frame, "items")
        cells, hashes = self._encoded("item", frame, "items")
        ids = _id_column(columns, "items")
        counts = _popularity_column(columns, popularity, len(ids))
        if index_ids is not None:
            order = rows_in_order(ids, index_ids, "items", "the retriever")
            columns, ids = take_rows(columns, order), index_ids
            cells, hashes = cells[order], hashes[order]
            counts = counts if counts is None else counts[order]
        if not len(ids):
            raise ArgumentError("items: no rows")
        attributes = {name: column for name, column in columns.items() if name != _ID}
        self.items = ids
        self.item_tensors = {
            **id_tensors(ids),
            "cells": cells,
            "hashes": hashes,
            "popular": popularity_order(counts, len(ids)),
            **filter_tensors(attributes, filters, "items"),
        }

    def read_users(self, frame: object) -> None:
        """Encode the user table."""
        if frame is None:
            return
        if self.features is None or self.items is None:
            raise ArgumentError("users: needs items and features to rank them by")
        columns = read_columns(frame, "users")
        ids = _id_column(columns, "users")
        vectors = columns.pop(_VECTOR, None)
        cells, hashes = self._encoded("user", frame, "users")
        self.users = ids
        self.user_tensors = {**id_tensors(ids), "cells": cells, "hashes": hashes}
        if vectors is not None:
            if self.retriever is None:
                raise ArgumentError("users: have vectors, but there is no retriever to search")
            what = f"users: column {_VECTOR!r}"
            self.user_tensors["vectors"] = vectors_of(vectors, self.retriever.dim, what)

    def fitting(self, settings: Settings) -> Settings:
        """Leave out a source of query vectors that this bundle cannot have."""
        query = settings.query
        if "vectors" not in self.user_tensors:
            query = tuple(source for source in query if source != "users")
        if self.retriever is not None and not query:
            given = list(settings.query)
            raise ArgumentError(f"query: {given} leaves no source of query vectors")
        return Settings(query, settings.fallback, settings.n_candidates, settings.raw_score)

    def questions(self, settings: Settings) -> list[dict[str, object]]:
        """Make up what the new bundle is asked."""
        if self.items is None:
            return [{"rows": score_rows(self._row_names(), self._reference_columns)}]
        features = self.features
        return rank_requests(
            Asked(
                items=self.items,
                users=self.users,
                vectors=None if self.retriever is None else self.retriever.vectors,
                query=settings.query,
                fallback=settings.fallback,
                fields={
                    "user": [] if features is None else features.fields("user"),
                    "context": [] if features is None else features.fields("context"),
                },
                reference=self._reference_columns,
            )
        )

    def write(self, writer: Writer) -> None:
        """Write every part but the samples."""
        if self.features is not None:
            definition = self.features.to_json().encode("utf-8")
            writer.write_bytes("features", "feature_set", "features.json", definition)
            writer.fingerprints["features"] = self.features.fingerprint
        for role, tensors in (("items", self.item_tensors), ("users", self.user_tensors)):
            if tensors:
                writer.write_tensors(role, "table", f"{role}.safetensors", tensors, {})
        if self.retriever is not None:
            vectors = {"vectors": self.retriever.vectors}
            if self.retriever.metric == "cosine":
                vectors["inverse_norms"] = self.retriever.inverse_norms
            header = {"kind": "flat", "metric": self.retriever.metric}
            writer.write_tensors("retriever", "flat", "index.safetensors", vectors, header)
        writer.parts.append(self.ranker.write(writer.draft.path))
        if self.reference is not None:
            content = references.encode(self._profile())
            writer.write_bytes("reference", "histograms", references.FILE_NAME, content)

    def _row_names(self) -> list[str]:
        """Keys of a row to score: fields of the features, or names of the ranker's features."""
        if self.features is None:
            return self.ranker.names
        return [
            f"{source}.{name}"
            for source in ("user", "context", "item")
            for name in self.features.fields(source)
        ]

    @cached_property
    def _reference_columns(self) -> Columns:
        return {} if self.reference is None else read_columns(self.reference, "reference")

    def _encoded(
        self, source: Literal["user", "item"], frame: object, what: str
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
        """Cells and hashes of a table, from the columns as the caller has them."""
        if self.features is None:
            raise ArgumentError(f"{what}: needs features=")
        try:
            return self.features.encode_source(source, frame)
        except ArgumentError as error:
            raise ArgumentError(f"{what}: {error}") from None

    def _profile(self) -> references.Reference:
        if self.ranker.n_outputs != 1:
            raise UnsupportedError(
                f"reference: the ranker gives {self.ranker.n_outputs} scores a row, one is handled"
            )
        if self.features is None:
            names = self.ranker.names
            matrix = _matrix(self._reference_columns, names)
            return references.profile(names, matrix, self.ranker.score(matrix))
        try:
            blocks = self.features.transform(self.reference)
        except ArgumentError as error:
            raise ArgumentError(f"reference: {error}") from None
        return references.profile(
            self.features.blocks["dense"], blocks.dense, self.ranker.score(blocks)
        )


def _id_column(columns: Columns, what: str) -> Ids:
    if _ID not in columns:
        raise ArgumentError(
            f"{what}: column {_ID!r} is missing, there are {', '.join(columns) or 'none'}"
        )
    return read_ids(columns[_ID], what)


def _popularity_column(columns: Columns, popularity: object, n_items: int) -> Array | None:
    """Find one number an item, in the table's order."""
    if popularity is None:
        return None
    if isinstance(popularity, str):
        if popularity not in columns:
            raise ArgumentError(f"popularity: items have no column {popularity!r}")
        column = columns[popularity]
    else:
        column = read_columns({"popularity": popularity}, "popularity")["popularity"]
    numbers = numbers_of(column)
    if numbers is None or len(numbers) != n_items:
        raise ArgumentError(f"popularity: expected {n_items} numbers, one an item")
    return numbers


def _matrix(columns: Columns, names: Sequence[str]) -> Array:
    """Columns of numbers side by side, float64."""
    matrix = np.empty((n_rows(columns), len(names)))
    for position, name in enumerate(names):
        numbers = numbers_of(columns[name]) if name in columns else None
        if numbers is None:
            raise ArgumentError(f"reference: column {name!r} is missing or does not hold numbers")
        matrix[:, position] = numbers
    return matrix
