"""A loaded bundle that ranks candidates and scores rows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.arguments import checked_integer
from shortlist.errors import ArgumentError, RequestError
from shortlist.request_json import encode_request

__all__ = ["Engine", "Shortlist"]

_MAX_THREADS = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Shortlist:
    """The answer to one rank request, best first; a notebook shows it as a table.

    Attributes
    ----------
    ids : int64 array, or list of str
    scores : float64, shape (len(ids),)
        What the ranker's training library returns for the same features.
    version : version of the bundle that answered
    request_id : as sent, or None
    fallback : "popular" where no query vector was to be had, else None
    unknown_ids : candidates that were sent and that the item table lacks
    timings : microseconds by stage: parse, user, retrieve, features, score, select, total
    """

    ids: NDArray[np.int64] | list[str]
    scores: NDArray[np.float64]
    version: str
    request_id: str | None = None
    fallback: str | None = None
    unknown_ids: list[int] | list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.scores)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{place}</td><td>{escape(str(id_))}</td><td>{score:.6g}</td></tr>"
            for place, (id_, score) in enumerate(zip(self.ids, self.scores, strict=True), 1)
        )
        notes = [f"version {escape(self.version)}"]
        if self.fallback:
            notes.append(f"fallback: {escape(self.fallback)}")
        if "total" in self.timings:
            notes.append(f"{self.timings['total']:.0f} µs")
        return (
            f"<table><caption>{', '.join(notes)}</caption>"
            f"<tr><th>#</th><th>id</th><th>score</th></tr>{rows}</table>"
        )


class Engine:
    """One version of a bundle, loaded; immutable, and safe to call from any number of threads."""

    def __init__(self, core: _core.Engine, path: Path, counters: _core.Counters) -> None:
        self._core = core
        self._path = path
        self._counters = counters

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        verify: Literal["full", "fast"] = "full",
        parity: bool = True,
        strict: bool = False,
        counters: _core.Counters | None = None,
    ) -> Engine:
        """Load a bundle.

        Parameters
        ----------
        path : a folder of versions, of which the latest is taken, or one version
        verify : "full" checks the SHA-256 of every file; "fast" the manifest, sizes and bounds.
            Either way no file can make the engine read outside its memory.
        parity : score the sample requests stored when packing and compare bit for bit. Only with
            "full".
        strict : attributes that no feature reads are refused instead of counted
        counters : where requests are counted, such as memory that worker processes share; memory
            of its own where omitted

        Raises
        ------
        NotFoundError, FormatError, MismatchError, UnsupportedError, StorageError
            The message names the file and what is wrong with it.
        """
        from shortlist.bundle.loading import checked_version, external_ranker
        from shortlist.bundle.verification import check_parity

        if verify not in ("full", "fast"):
            raise ArgumentError(f"verify: got {verify!r}, expected 'full' or 'fast'")
        version = checked_version(Path(path), full=verify == "full")
        used = _core.Counters() if counters is None else counters
        ranker = external_ranker(version)
        core = _core.Engine(str(version), strict=strict, counters=used, ranker=ranker)
        engine = cls(core, version, used)
        if parity and verify == "full":
            # On an engine of its own, so that samples are not counted as requests.
            probe = _core.Engine(str(version), ranker=ranker)
            check_parity(cls(probe, version, _core.Counters()))
        return engine

    @property
    def name(self) -> str:
        """Name of the bundle."""
        return self._core.name

    @property
    def version(self) -> str:
        """Version of the bundle, such as "v2"."""
        return self._core.version

    @property
    def path(self) -> Path:
        """Folder of the version."""
        return self._path

    @property
    def ranks(self) -> bool:
        """Whether the bundle has items to rank; every bundle scores rows."""
        return self._core.ranks

    @property
    def counters(self) -> _core.Counters:
        """Requests, errors and stage latencies so far."""
        return self._counters

    def __repr__(self) -> str:
        return f"Engine({self.name!r}, {self.version!r})"

    def rank(self, request: Mapping[str, object], *, k: int | None = None) -> Shortlist:
        """Rank candidates for one request.

        Parameters
        ----------
        request : fields user, context, candidates, like, vector, exclude, filter, k, n_candidates,
            request_id; goes through the same parser as `rank_json`
        k : stands for the request's own k

        Raises
        ------
        RequestError
            The message names the field and what was expected.
        """
        return self._shortlist(self._core.rank(_encoded(request, k)))

    def rank_json(self, body: bytes, *, timings: bool = False) -> bytes:
        """Rank one request as JSON bytes; the reply is JSON bytes. Holds no GIL while it works.

        Parameters
        ----------
        body : UTF-8, at most 8 MiB
        timings : add the microseconds of each stage to the reply

        Raises
        ------
        RequestError
        """
        return self._core.rank_json(_checked_body(body), timings)

    def rank_many(
        self,
        requests: Sequence[Mapping[str, object] | bytes],
        *,
        k: int | None = None,
        n_threads: int = 1,
    ) -> list[Shortlist]:
        """Rank several requests, each as `rank` does, on threads of the native pool.

        Parameters
        ----------
        requests : dicts, or JSON bytes (which carry their own k)
        k : stands for the k of requests that are dicts
        n_threads : 1 to 1024

        Raises
        ------
        RequestError
            For the first bad request; the message begins with its position.
        ArgumentError
            `requests` is one request, or n_threads is out of range.
        """
        n_threads = checked_integer(n_threads, "n_threads", least=1, most=_MAX_THREADS)
        if isinstance(requests, Mapping | str | bytes):
            raise ArgumentError(
                f"requests: got {type(requests).__name__}, expected a list of requests"
            )
        bodies = []
        for position, request in enumerate(requests):
            try:
                bodies.append(request if isinstance(request, bytes) else _encoded(request, k))
            except RequestError as error:
                raise RequestError(f"requests[{position}]: {error}") from None
        return [self._shortlist(found) for found in self._core.rank_many(bodies, n_threads)]

    def score(self, rows: Sequence[Mapping[str, object]]) -> NDArray[np.float64]:
        """Score rows of feature values.

        Parameters
        ----------
        rows : one mapping a row; keys are the feature set's fields ("user.age"), or the model's
            feature names in a bundle that holds a ranker alone. What is absent is missing.

        Returns
        -------
        float64, shape (n,) or (n, n_outputs)

        Raises
        ------
        RequestError
        """
        if isinstance(rows, Mapping | str | bytes) or hasattr(rows, "columns"):
            raise ArgumentError(
                f"rows: got {type(rows).__name__}, expected a list of mappings, one a row"
            )
        return self._core.score(encode_request({"rows": list(rows)}))

    def score_json(self, body: bytes) -> bytes:
        """Score `{"rows": [{feature: value, ...}]}` as JSON bytes; the reply is JSON bytes.

        Raises
        ------
        RequestError
        """
        return self._core.score_json(_checked_body(body))

    def _shortlist(self, found: _core.Ranked) -> Shortlist:
        ids, scores, request_id, fallback, unknown_ids, timings = found
        return Shortlist(ids, scores, self.version, request_id, fallback, unknown_ids, timings)


def _encoded(request: Mapping[str, object], k: int | None) -> bytes:
    if not isinstance(request, Mapping):
        raise RequestError(f"request: got {type(request).__name__}, expected a mapping")
    return encode_request(request if k is None else {**request, "k": k})


def _checked_body(body: bytes) -> bytes:
    if not isinstance(body, bytes):
        raise ArgumentError(f"body: got {type(body).__name__}, expected bytes of JSON")
    return body
