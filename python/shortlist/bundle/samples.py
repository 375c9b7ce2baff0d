"""samples.jsonl: requests with the replies given when the bundle was packed, to be given again.

One JSON object a line: ``{"request", "ids", "scores"}`` or ``{"rows", "scores"}``. Scores are
float64 in their shortest form, which reads back as the same bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from shortlist import strict_json
from shortlist.bundle.folder import Folder
from shortlist.errors import FormatError, MismatchError, RequestError
from shortlist.request_json import encode_request

__all__ = [
    "FILE_NAME",
    "Answer",
    "RankSample",
    "Sample",
    "SampleEngine",
    "ScoreSample",
    "decode",
    "encode",
    "read",
    "record",
    "replay",
]

FILE_NAME = "samples.jsonl"
_MAX_BYTES = 64 << 20


class Answer(Protocol):
    """Ids and scores of a ranked list."""

    @property
    def ids(self) -> NDArray[np.int64] | list[str]:
        """Best first."""

    @property
    def scores(self) -> NDArray[np.float64]:
        """One for each id."""


class SampleEngine(Protocol):
    """What answers samples: a loaded bundle."""

    def rank(self, request: Mapping[str, object], /) -> Answer:
        """Answer one request."""

    def score(self, rows: Sequence[Mapping[str, object]], /) -> NDArray[np.float64]:
        """Score rows of feature values."""


class RankSample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request and its reply."""

    request: dict[str, object]
    ids: list[int | str]
    scores: list[float]


class ScoreSample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows and their scores, row after row."""

    rows: list[dict[str, object]]
    scores: list[float]


Sample: TypeAlias = RankSample | ScoreSample


def record(engine: SampleEngine, asked: Iterable[Mapping[str, object]]) -> list[Sample]:
    """Ask the engine: an entry with the one key ``"rows"`` for scores, any other for a list.

    Raises
    ------
    RequestError
        The message begins with the entry's position.
    """
    recorded = []
    for position, entry in enumerate(asked):
        if not isinstance(entry, Mapping):
            raise RequestError(
                f"samples[{position}]: got {type(entry).__name__}, expected a mapping"
            )
        try:
            # As it will be read back.
            plain = msgspec.json.decode(encode_request(entry), type=dict[str, object])
            recorded.append(_ask(engine, plain))
        except RequestError as error:
            raise RequestError(f"samples[{position}]: {error}") from None
    return recorded


def replay(engine: SampleEngine, samples: Sequence[Sample]) -> None:
    """Ask again and compare bit for bit.

    Raises
    ------
    MismatchError
        Names the line, the place in the list, and both values.
    """
    for line, sample in enumerate(samples, 1):
        asked: dict[str, object] = (
            {"rows": sample.rows} if isinstance(sample, ScoreSample) else sample.request
        )
        _compare(_ask(engine, asked), sample, f"{FILE_NAME}: line {line}")


def encode(samples: Iterable[Sample]) -> bytes:
    """Text of samples.jsonl."""
    return b"".join(msgspec.json.encode(sample) + b"\n" for sample in samples)


def read(folder: Folder) -> list[Sample]:
    """Read samples.jsonl of an open folder; raises `FormatError` and what reading raises."""
    return decode(folder.read(FILE_NAME, max_bytes=_MAX_BYTES))


def decode(data: bytes) -> list[Sample]:
    """Validate the text of a samples.jsonl; a FormatError names the line."""
    return [
        _decode_line(line, f"{FILE_NAME}: line {number}")
        for number, line in enumerate(data.splitlines(), 1)
    ]


def _decode_line(line: bytes, where: str) -> Sample:
    document = strict_json.decode(line, where)
    is_rows = isinstance(document, dict) and "rows" in document
    try:
        if is_rows:
            return msgspec.convert(document, ScoreSample)
        sample = msgspec.convert(document, RankSample)
    except msgspec.ValidationError as error:
        raise FormatError(f"{where}: {error}") from None
    if len(sample.ids) != len(sample.scores):
        raise FormatError(f"{where}: {len(sample.ids)} ids, {len(sample.scores)} scores")
    return sample


def _ask(engine: SampleEngine, asked: dict[str, object]) -> Sample:
    rows = asked.get("rows")
    if isinstance(rows, list) and len(asked) == 1:
        return ScoreSample(rows, np.ravel(engine.score(rows)).tolist())
    answer = engine.rank(asked)
    ids = answer.ids.tolist() if isinstance(answer.ids, np.ndarray) else list(answer.ids)
    return RankSample(asked, ids, answer.scores.tolist())


def _compare(found: Sample, expected: Sample, where: str) -> None:
    if len(found.scores) != len(expected.scores):
        raise MismatchError(
            f"{where}: {len(found.scores)} scores now, {len(expected.scores)} when packed"
        )
    if isinstance(found, RankSample) and isinstance(expected, RankSample):
        for place, (now, then) in enumerate(zip(found.ids, expected.ids, strict=True), 1):
            if type(now) is not type(then) or now != then:
                raise MismatchError(f"{where}: place {place}: id {now!r} now, {then!r} when packed")
    bits = [
        np.array(scores, dtype=np.float64).view(np.uint64)
        for scores in (found.scores, expected.scores)
    ]
    differing = np.flatnonzero(bits[0] != bits[1])
    if differing.size:
        place = int(differing[0])
        raise MismatchError(
            f"{where}: place {place + 1}: score {found.scores[place]!r} now, "
            f"{expected.scores[place]!r} when packed"
        )
