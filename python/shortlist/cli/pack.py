"""``shortlist pack``: files into a bundle."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shortlist.cli.console import notes
from shortlist.cli.tables import read_entities, read_matrix, read_table
from shortlist.errors import ArgumentError, FormatError

if TYPE_CHECKING:
    import shortlist
    from shortlist.bundle.frame import Columns

__all__ = ["pack"]

DEFAULT_QUERY = "vector,users,like"


class Metric(StrEnum):
    """How a query vector and an item vector are compared."""

    IP = "ip"
    COSINE = "cosine"
    L2 = "l2"


class Fallback(StrEnum):
    """What answers a request that no query vector comes from."""

    POPULAR = "popular"
    ERROR = "error"


def pack(
    out: Annotated[
        Path, typer.Argument(help="The bundle's folder of versions; the next version is written.")
    ],
    *,
    ranker: Annotated[
        Path, typer.Option(help="Trained model, such as LightGBM's text.", exists=True)
    ],
    features: Annotated[
        Path | None,
        typer.Option(help="Feature definitions: FeatureSet.to_json().", exists=True),
    ] = None,
    items: Annotated[
        Path | None,
        typer.Option(help="Items with an 'id' column: .csv or .parquet.", exists=True),
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(
            help="Item vectors, a row an item: .npy. Without --items ids are row numbers.",
            exists=True,
        ),
    ] = None,
    metric: Annotated[Metric, typer.Option(help="How vectors are compared.")] = Metric.IP,
    users: Annotated[
        Path | None,
        typer.Option(help="Users with an 'id' column: .csv or .parquet.", exists=True),
    ] = None,
    user_vectors: Annotated[
        Path | None, typer.Option(help="User vectors, a row a user: .npy.", exists=True)
    ] = None,
    query: Annotated[
        str,
        typer.Option(help="Where a query vector comes from, in this order."),
    ] = DEFAULT_QUERY,
    popularity: Annotated[
        str | None, typer.Option(help="Column of the items that orders popular ones.")
    ] = None,
    fallback: Annotated[
        Fallback, typer.Option(help="The answer where no query vector is found.")
    ] = Fallback.POPULAR,
    n_candidates: Annotated[
        int, typer.Option(help="Candidates that the ranker scores for a request.", min=1)
    ] = 500,
    filters: Annotated[
        str | None,
        typer.Option(help="Columns of the items to filter by, with commas; by default all."),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="Training rows that drift is measured against: .csv or .parquet.", exists=True
        ),
    ] = None,
    raw_score: Annotated[
        bool, typer.Option("--raw-score", help="Scores without the objective's transform.")
    ] = False,
    text_ids: Annotated[
        bool, typer.Option("--text-ids", help="Ids of CSV files are texts, even if all digits.")
    ] = False,
) -> None:
    """Pack a model and its tables into the next immutable version of a bundle.

    A ranker alone gives a bundle that scores rows.
    """
    import shortlist
    from shortlist.features import FeatureSet

    if user_vectors is not None and users is None:
        raise ArgumentError("--user-vectors is given without --users; expected both")
    with notes().status("reading tables"):
        item_table = None if items is None else read_entities(items, text_ids=text_ids)
        user_table = None if users is None else read_entities(users, text_ids=text_ids)
        reference_table = None if reference is None else read_table(reference)
        if user_table is not None and user_vectors is not None:
            user_table["vector"] = read_matrix(user_vectors)
    with notes().status("packing"):
        version = shortlist.pack(
            out,
            retriever=_index(vectors, item_table, metric),
            features=None if features is None else FeatureSet.from_json(_text(features)),
            ranker=ranker,
            items=item_table,
            users=user_table,
            query=_names(query),
            popularity=popularity,
            fallback=fallback.value,
            n_candidates=n_candidates,
            raw_score=raw_score,
            filters=None if filters is None else _names(filters),
            reference=reference_table,
        )
    typer.echo(str(version))


def _index(vectors: Path | None, items: Columns | None, metric: Metric) -> shortlist.Index | None:
    import shortlist

    if vectors is None:
        return None
    ids = None if items is None else items["id"]
    return shortlist.Index.build(read_matrix(vectors), ids=ids, metric=metric.value)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not UTF-8: {error}") from None
