"""Packing: a ranker, and what it takes to feed it, into the next version of a bundle."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from shortlist.arguments import checked_flag, checked_integer
from shortlist.bundle.content import Content
from shortlist.bundle.folder import is_flat_name
from shortlist.bundle.loading import open_native
from shortlist.bundle.manifest import FILE_NAME, MAX_CANDIDATES, Fallback, QuerySource, Settings
from shortlist.bundle.publish import publish
from shortlist.bundle.rankers import PackedRanker
from shortlist.bundle.verification import OpenEngine
from shortlist.bundle.writer import Writer
from shortlist.errors import ArgumentError, UnsupportedError

if TYPE_CHECKING:
    from shortlist.features import FeatureSet
    from shortlist.index import Index
    from shortlist.models import Forest

__all__ = ["pack"]


def pack(
    path: str | os.PathLike[str],
    *,
    ranker: str | os.PathLike[str] | Forest | object,
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
        A model file, or a trained object of LightGBM, XGBoost, CatBoost or scikit-learn, whose
        file is kept beside its compiled form; or a loaded forest. Alone it makes a bundle that
        scores rows.
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
        have no vectors; with a retriever another source must remain.
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
    RequestError
        The bundle cannot answer one of `samples`; the message names it.
    FormatError, UnsupportedError, NotFoundError, StorageError
        The model file cannot be taken, or the bundle not be written.
    """
    root = Path(path)
    name = _bundle_name(path)
    settings = _settings(query, fallback, n_candidates, raw_score)
    _check_types(features, retriever, filters, samples)
    packed_ranker = PackedRanker(ranker, features, raw_score=settings.raw_score)
    content = Content(packed_ranker, features, retriever, reference)
    content.read_items(items, filters, popularity)
    content.read_users(users)
    settings = content.fitting(settings)
    asked = content.questions(settings) if samples is None else list(samples)
    with publish(root) as draft:
        writer = Writer(draft, name, settings)
        content.write(writer)
        writer.write_samples(asked, open_engine)
    if draft.published is None:
        raise UnsupportedError(f"{root}: nothing was published")
    return draft.published


def _bundle_name(path: str | os.PathLike[str]) -> str:
    root = Path(path)
    name = root.absolute().name if os.fspath(path) else ""
    if not is_flat_name(name):
        raise ArgumentError(
            f"path: {name!r} names the bundle: expected letters, digits, '_', '.' and '-', "
            f"beginning with none of the last two"
        )
    if (root / FILE_NAME).exists():
        raise ArgumentError(f"path: {root} is a version itself, expected the folder of versions")
    return name


def _settings(query: Sequence[str], fallback: str, n_candidates: int, raw_score: bool) -> Settings:
    if isinstance(query, str) or not isinstance(query, Iterable):
        raise ArgumentError(f"query: got {query!r}, expected a list of sources")
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
    n_candidates = checked_integer(n_candidates, "n_candidates", least=1, most=MAX_CANDIDATES)
    return Settings(tuple(sources), action, n_candidates, checked_flag(raw_score, "raw_score"))


def _check_types(features: object, retriever: object, filters: object, samples: object) -> None:
    """Tell mistaken arguments before anything is read; what is None was not given."""
    from shortlist.features import FeatureSet
    from shortlist.index import Index

    for name, given, expected in (
        ("features", features, FeatureSet),
        ("retriever", retriever, Index),
    ):
        if given is not None and not isinstance(given, expected):
            raise ArgumentError(
                f"{name}: got {type(given).__name__}, expected shortlist's {expected.__name__}"
            )
    if isinstance(features, FeatureSet):
        features.to_json()
    if isinstance(filters, str):
        raise ArgumentError(f"filters: got {filters!r}, expected a list of columns")
    if samples is None:
        return
    if isinstance(samples, Mapping | str | bytes) or not isinstance(samples, Iterable):
        raise ArgumentError(f"samples: got {type(samples).__name__}, expected a list of requests")
