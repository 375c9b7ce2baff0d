"""Packing: a ranker, and what it takes to feed it, into the next version of a bundle."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from shortlist import safetensors
from shortlist.bundle import manifest as manifests
from shortlist.bundle import reference as references
from shortlist.bundle import samples as sampling
from shortlist.bundle.folder import Folder, is_flat_name
from shortlist.bundle.frame import Columns, n_rows, read_columns, take_rows
from shortlist.bundle.ids import Ids, id_tensors, read_ids, rows_in_order
from shortlist.bundle.loading import open_native
from shortlist.bundle.manifest import (
    MAX_CANDIDATES,
    Fallback,
    FileEntry,
    Manifest,
    Part,
    QuerySource,
    Settings,
)
from shortlist.bundle.publish import Draft, publish
from shortlist.bundle.rankers import PackedRanker
from shortlist.bundle.requests import Asked, rank_requests, score_rows
from shortlist.bundle.tables import filter_tensors, numbers_of, popularity_order, vectors_of
from shortlist.bundle.verification import OpenEngine
from shortlist.errors import ArgumentError, UnsupportedError
from shortlist.safetensors import Array

if TYPE_CHECKING:
    from shortlist.features import FeatureSet
    from shortlist.index import Index
    from shortlist.models import Forest

__all__ = ["pack"]

_ID = "id"
_VECTOR = "vector"


def pack(
    path: str | os.PathLike[str],
    *,
    ranker: str | os.PathLike[str] | Forest,
    retriever: Index | None = None,
    features: FeatureSet | None = None,
    items: object = None,
    users: object = None,
    query: Sequence[str] = ("vector", "users", "like"),
    popularity: object = None,
    fallback: str = "popular",
    n_candidates: int = 500,
    raw_score: bool = False,
    filters: Sequence[str] | None = None,
    reference: object = None,
    samples: Iterable[Mapping[str, object]] | None = None,
    open_engine: OpenEngine = open_native,
) -> Path:
    """Pack the next version of a bundle.

    It is written beside its place, asked the sample requests, and only then renamed to its number:
    readers see all of it or nothing.

    Parameters
    ----------
    path
        The bundle's folder of versions, made if need be; its name is the bundle's.
    ranker
        A model file, kept beside its compiled form; or a loaded forest. Alone it makes a bundle
        that scores rows.
    retriever
        Index over the items; needs `features`. Its ids must be those of `items`, in any order.
    features
        Fitted features, of the ranker's names in the ranker's order. A ranker that was trained
        without names only has to take as many.
    items, users
        Table with a column ``"id"`` of integers or texts (dict of columns, pandas or polars), the
        features' fields by their bare names, and for users optionally ``"vector"``, shape (n, dim).
        With a retriever and no items, items have ids alone.
    query
        Where a query vector comes from, first match first: ``"vector"`` (the request), ``"users"``
        (their table), ``"like"`` (mean of items). ``"users"`` is left out of a bundle whose users
        have no vectors.
    popularity
        A number an item: a column's name, or values in the order of `items`. None ranks items as
        the index, or without one the table, has them.
    fallback
        What a request without a query vector gets: ``"popular"`` items, or an ``"error"``.
    n_candidates
        Candidates scored for a request that does not say how many, 1 to 100,000.
    raw_score
        Scores without the objective's transform.
    filters
        Columns of `items` that requests may filter by; None takes every one that holds numbers,
        texts or lists of texts.
    reference
        Rows as `features.transform` takes them (without features: columns by the ranker's feature
        names), of which the bundle keeps histograms to see drift by, and values for the samples.
    samples
        Requests, or ``{"rows": [...]}``, asked in place of the ones made up by default.
    open_engine
        Makes the engine that answers the samples from the version's folder.

    Returns
    -------
    Folder of the new version.

    Raises
    ------
    ArgumentError, MismatchError
        The message names the argument, or what two arguments disagree about.
    FormatError, UnsupportedError, NotFoundError, StorageError
        The model file cannot be taken, or the bundle not be written.
    """
    root = Path(path)
    name = _bundle_name(root)
    settings = _settings(query, fallback, n_candidates, raw_score)
    packed_ranker = PackedRanker(ranker, features, raw_score=raw_score)
    content = _Content(
        packed_ranker,
        features,
        retriever,
        None if reference is None else read_columns(reference, "reference"),
    )
    content.read_items(items, filters, popularity)
    content.read_users(users)
    settings = content.fitting(settings)
    asked = content.questions(settings) if samples is None else list(samples)
    with publish(root) as draft:
        writer = _Writer(draft, name, settings)
        content.write(writer)
        writer.write_samples(asked, open_engine)
    if draft.published is None:
        raise UnsupportedError(f"{root}: nothing was published")
    return draft.published


def _bundle_name(root: Path) -> str:
    name = root.absolute().name
    if not is_flat_name(name):
        raise ArgumentError(
            f"path: {name!r} names the bundle: expected letters, digits, '_', '.' and '-', "
            f"beginning with none of the last two"
        )
    if (root / manifests.FILE_NAME).exists():
        raise ArgumentError(f"path: {root} is a version itself, expected the folder of versions")
    return name


def _settings(query: Sequence[str], fallback: str, n_candidates: int, raw_score: bool) -> Settings:
    sources: list[QuerySource] = []
    for given in query:
        known = next((source for source in get_args(QuerySource) if source == given), None)
        if known is None or known in sources:
            raise ArgumentError(
                f"query: {given!r}: expected each of {', '.join(get_args(QuerySource))} once"
            )
        sources.append(known)
    action: Fallback | None = next((f for f in get_args(Fallback) if f == fallback), None)
    if action is None:
        raise ArgumentError(
            f"fallback: got {fallback!r}, expected one of {', '.join(get_args(Fallback))}"
        )
    if isinstance(n_candidates, bool) or not isinstance(n_candidates, int):
        raise ArgumentError(f"n_candidates: got {n_candidates!r}, expected an integer")
    if not 1 <= n_candidates <= MAX_CANDIDATES:
        raise ArgumentError(f"n_candidates: got {n_candidates}, expected 1 to {MAX_CANDIDATES}")
    return Settings(tuple(sources), action, n_candidates, raw_score)


@dataclass
class _Writer:
    """Writes parts into a draft and remembers them for its manifest."""

    draft: Draft
    name: str
    settings: Settings
    parts: list[Part] = field(default_factory=list)
    fingerprints: dict[str, str] = field(default_factory=dict)

    def write_bytes(self, role: str, kind: str, file_name: str, content: bytes) -> None:
        (self.draft.path / file_name).write_bytes(content)
        form = file_name.rpartition(".")[2]
        self.parts.append(Part(role, kind, form, (file_name,)))

    def write_tensors(
        self,
        role: str,
        kind: str,
        file_name: str,
        tensors: Mapping[str, Array],
        header: Mapping[str, str],
    ) -> None:
        safetensors.save(self.draft.path / file_name, tensors, header)
        self.parts.append(Part(role, kind, "safetensors", (file_name,)))

    def write_samples(self, asked: Iterable[Mapping[str, object]], open_engine: OpenEngine) -> None:
        """Let the written bundle answer, and write its answers and the manifest."""
        self.write_manifest()
        recorded = sampling.record(open_engine(self.draft.path), asked)
        if recorded:
            content = sampling.encode(recorded)
            self.write_bytes("samples", "replies", sampling.FILE_NAME, content)
            self.write_manifest()

    def write_manifest(self) -> None:
        with Folder(self.draft.path) as folder:
            files = {
                name: FileEntry(folder.size(name), folder.sha256(name))
                for part in self.parts
                for name in part.files
            }
        self.draft.write_manifest(
            Manifest(
                schema=f"{manifests.SCHEMA[0]}.{manifests.SCHEMA[1]}",
                name=self.name,
                version=self.draft.version,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                shortlist=metadata.version("shortlist"),
                fingerprints=self.fingerprints,
                files=files,
                parts=tuple(self.parts),
                settings=self.settings,
            )
        )


@dataclass
class _Content:
    """Everything that goes into the bundle, checked before anything is written."""

    ranker: PackedRanker
    features: FeatureSet | None
    retriever: Index | None
    reference: Columns | None
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
        columns: Columns = (
            {_ID: self.retriever.ids}
            if frame is None and self.retriever is not None
            else read_columns(frame, "items")
        )
        ids = _id_column(columns, "items")
        counts = _popularity_column(columns, popularity, len(ids))
        if index_ids is not None:
            order = rows_in_order(ids, index_ids, "items", "the retriever")
            columns, ids = take_rows(columns, order), index_ids
            counts = counts if counts is None else counts[order]
        if not len(ids):
            raise ArgumentError("items: no rows")
        attributes = {name: column for name, column in columns.items() if name != _ID}
        cells, hashes = self.features.encode_source("item", columns)
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
        cells, hashes = self.features.encode_source("user", columns)
        self.users = ids
        self.user_tensors = {**id_tensors(ids), "cells": cells, "hashes": hashes}
        if vectors is not None:
            if self.retriever is None:
                raise ArgumentError("users: have vectors, but there is no retriever to search")
            what = f"users: column {_VECTOR!r}"
            self.user_tensors["vectors"] = vectors_of(vectors, self.retriever.dim, what)

    def fitting(self, settings: Settings) -> Settings:
        """Leave out a source of query vectors that this bundle cannot have."""
        if "vectors" in self.user_tensors:
            return settings
        query = tuple(source for source in settings.query if source != "users")
        return Settings(query, settings.fallback, settings.n_candidates, settings.raw_score)

    def questions(self, settings: Settings) -> list[dict[str, object]]:
        """Make up what the new bundle is asked."""
        if self.items is None:
            return [{"rows": score_rows(self._row_names(), self.reference or {})}]
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
                reference=self.reference or {},
            )
        )

    def write(self, writer: _Writer) -> None:
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
            content = references.encode(self._profile(self.reference))
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

    def _profile(self, columns: Columns) -> references.Reference:
        if self.ranker.n_outputs != 1:
            raise UnsupportedError(
                f"reference: the ranker gives {self.ranker.n_outputs} scores a row, one is handled"
            )
        if self.features is None:
            names = self.ranker.names
            matrix = _matrix(columns, names)
            return references.profile(names, matrix, self.ranker.score(matrix))
        blocks = self.features.transform(columns)
        return references.profile(
            self.features.blocks["dense"], blocks.dense, self.ranker.score(blocks)
        )


def _id_column(columns: Columns, what: str) -> Ids:
    if _ID not in columns:
        raise ArgumentError(f"{what}: column {_ID!r} is missing, there are {', '.join(columns)}")
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
