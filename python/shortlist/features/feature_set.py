"""A set of features: one definition and one code, offline for frames and online for requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from shortlist import _core
from shortlist.errors import ArgumentError
from shortlist.features.columns import Column, Frame
from shortlist.features.document import read_features
from shortlist.features.feature import Feature
from shortlist.features.kinds import Similarity
from shortlist.features.learning import learned

__all__ = ["FeatureBlocks", "FeatureSet"]

Block: TypeAlias = NDArray[np.float32] | NDArray[np.int32]
Source: TypeAlias = Literal["user", "context", "item"]

_SIMILARITY_COLUMN = "similarity"


class FeatureBlocks(Mapping[str, Block]):
    """Feature values by block: ``blocks["dense"]`` is float32 (n, m), any other block int32 (n, m).

    ``np.asarray(blocks)`` is the dense block.
    """

    def __init__(self, blocks: Mapping[str, Block], names: Mapping[str, tuple[str, ...]]) -> None:
        self._blocks = dict(blocks)
        self.names = dict(names)  #: block -> names of its columns

    def __getitem__(self, block: str) -> Block:
        return self._blocks[block]

    def __iter__(self) -> Iterator[str]:
        return iter(self._blocks)

    def __len__(self) -> int:
        return len(self._blocks)

    @property
    def dense(self) -> NDArray[np.float32]:
        """The block ``"dense"``: float32, shape (n, m), C-contiguous, no copy."""
        if "dense" not in self._blocks:
            raise ArgumentError(f"there is no block 'dense', only {list(self._blocks)}")
        return self._blocks["dense"].view(np.float32)

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[np.generic]:
        same = dtype is None or np.dtype(dtype) == np.float32
        if copy is False and not same:
            raise ValueError(f"the dense block is float32; as {np.dtype(dtype)} it must be copied")
        return np.array(self.dense, dtype, copy=bool(copy) or not same)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name}: {a.dtype} {a.shape}" for name, a in self._blocks.items())
        return f"FeatureBlocks({shapes})"


class FeatureSet:
    """An ordered, immutable set of features with unique names.

    Parameters
    ----------
    features
        `Numeric`, `Categorical`, `Hashed`, `Cross` and `Similarity` definitions, at least one.

    Raises
    ------
    ArgumentError
        The set is empty, or two features have one name.
    """

    def __init__(self, features: Iterable[Feature]) -> None:
        self.features = tuple(features)
        for feature in self.features:
            if not isinstance(feature, Feature):
                raise ArgumentError(f"expected features such as Numeric, not {feature!r}")
        if not self.features:
            raise ArgumentError("a feature set needs at least one feature")
        seen: set[str] = set()
        for name in self.names:
            if name in seen:
                raise ArgumentError(f"two features are named {name!r}; give one another name=")
            seen.add(name)

    @property
    def names(self) -> list[str]:
        """Names in definition order."""
        return [feature.name for feature in self.features]

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        """Block -> names of its columns, in the order that `transform` gives."""
        blocks: dict[str, tuple[str, ...]] = {}
        for feature in self.features:
            blocks[feature.block] = (*blocks.get(feature.block, ()), feature.name)
        return blocks

    @property
    def is_fitted(self) -> bool:
        """Whether every scale and vocabulary is known."""
        return all(feature.unlearned is None for feature in self.features)

    @property
    def uses_similarity(self) -> bool:
        """Whether a feature reads the retrieval metric."""
        return any(isinstance(feature, Similarity) for feature in self.features)

    def fields(self, source: Source) -> list[str]:
        """Names of the fields read from one source, without its prefix."""
        _check_source(source)
        prefix = f"{source}."
        read = [name for feature in self.features for name in feature.fields]
        return list(dict.fromkeys(n.removeprefix(prefix) for n in read if n.startswith(prefix)))

    def fit(self, frame: object) -> FeatureSet:
        """Learn the scales and vocabularies that are not known yet.

        Parameters
        ----------
        frame
            Mapping of columns, pandas or polars, named by field (``"user.age"``). Only columns of
            features that have something to learn are read; missing values are left out.

        Returns
        -------
        A new, fitted set; this one is not changed. Standard scales are mean and standard deviation
        (ddof 0) of the finite values in float64, minmax scales their minimum and range; a divisor
        that would be 0 is 1. Vocabularies hold the most frequent text first, equally frequent ones
        in the order of their text.

        Raises
        ------
        ArgumentError
            A column is missing, of the wrong type, or without a value to learn from.
        """
        table = Frame(frame)
        todo = [feature for feature in self.features if feature.unlearned]
        _require(table, [name for feature in todo for name in feature.fields])
        return FeatureSet([learned(f, table) if f.unlearned else f for f in self.features])

    def transform(self, frame: object) -> FeatureBlocks:
        """Compute every feature, with the code that serves requests.

        Parameters
        ----------
        frame
            Mapping of columns, pandas or polars, named by field (``"user.age"``), with a column
            ``"similarity"`` where a feature reads it; other columns are ignored.

        Returns
        -------
        Blocks of shape (n, features in the block), float32 or int32.

        Raises
        ------
        ArgumentError
            The set is not fitted, a column is missing or of the wrong type.
        """
        native = self._native
        table = Frame(frame)
        wanted = [name for feature in self.features for name in feature.fields]
        _require(table, wanted + [_SIMILARITY_COLUMN] * self.uses_similarity)
        similarity = self._similarity(table) if self.uses_similarity else None
        arrays = native.transform(
            self._columns(table, "user", prefix=True),
            self._columns(table, "context", prefix=True),
            self._columns(table, "item", prefix=True),
            similarity,
            table.n_rows,
        )
        blocks = {name: array for (name, _, _), array in zip(native.blocks, arrays, strict=True)}
        return FeatureBlocks(blocks, self.blocks)

    def encode_source(
        self, source: Source, frame: object
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
        """Encode what the features need of one source's rows, as a bundle's tables store it.

        Parameters
        ----------
        source
            ``"user"``, ``"context"`` or ``"item"``.
        frame
            Mapping of columns, pandas or polars, named without the prefix (``"age"``). A field
            without a column is missing in every row: requests may bring it.

        Returns
        -------
        Cells (n, features of this source alone) and field hashes (n, fields in crosses).

        Raises
        ------
        ArgumentError
            The set is not fitted, or a column is of the wrong type.
        """
        _check_source(source)
        table = Frame(frame)
        columns = self._columns(table, source, prefix=False)
        return self._native.encode_source(source, columns, table.n_rows)

    def to_json(self) -> str:
        """Features.json in canonical form: sorted keys, no spaces.

        Raises
        ------
        ArgumentError
            The set is not fitted.
        """
        self._check_fitted()
        document = {"version": 1, "features": [feature.to_dict() for feature in self.features]}
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> FeatureSet:
        """Read features.json.

        Parameters
        ----------
        text
            As `to_json` writes it; white space and the order of keys do not matter.

        Raises
        ------
        FormatError
            Names the feature and the key.
        UnsupportedError
            A newer version of the format.
        """
        native = _core.FeatureSet.from_json(text)
        features = cls(read_features(text))
        features.__dict__["_native"] = native
        return features

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of `to_json`, in hexadecimal: equal sets share it."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def describe(self) -> str:
        """Give a table of the features, as text."""
        rows = [("name", "kind", "level", "block", "definition")]
        rows += [
            (f.name, f.kind, f.level, f.block, f.summary() if f.fields else "retrieval metric")
            for f in self.features
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])

    def __len__(self) -> int:
        return len(self.features)

    def __iter__(self) -> Iterator[Feature]:
        return iter(self.features)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeatureSet) and self.features == other.features

    def __hash__(self) -> int:
        return hash(self.features)

    def __repr__(self) -> str:
        return "FeatureSet([\n" + "".join(f"    {feature!r},\n" for feature in self.features) + "])"

    def __reduce__(self) -> tuple[type[FeatureSet], tuple[tuple[Feature, ...]]]:
        return FeatureSet, (self.features,)

    @cached_property
    def _native(self) -> _core.FeatureSet:
        return _core.FeatureSet.from_json(self.to_json())

    def _check_fitted(self) -> None:
        todo = [
            f"{feature.unlearned} of {feature.name!r}"
            for feature in self.features
            if feature.unlearned
        ]
        if todo:
            raise ArgumentError(f"call fit() first: not known yet are {', '.join(todo)}")

    def _columns(self, table: Frame, source: Source, *, prefix: bool) -> list[Column | None]:
        columns: list[Column | None] = []
        for field, as_text, as_number in self._native.fields(source):
            name = f"{source}.{field}" if prefix else field
            column = table.read(name, as_text=as_text) if name in table else None
            if as_number and isinstance(column, tuple):
                raise ArgumentError(f"column {name!r} holds texts; a numeric feature reads it")
            columns.append(column)
        return columns

    def _similarity(self, table: Frame) -> NDArray[np.float32]:
        column = table.read(_SIMILARITY_COLUMN)
        if isinstance(column, tuple):
            raise ArgumentError(f"column {_SIMILARITY_COLUMN!r}: expected numbers, found texts")
        return column.astype(np.float32)


def _require(table: Frame, wanted: Iterable[str]) -> None:
    absent = [name for name in dict.fromkeys(wanted) if name not in table]
    if absent:
        raise ArgumentError(f"the frame has no column {', '.join(map(repr, absent))}")


def _check_source(source: object) -> None:
    if source not in ("user", "context", "item"):
        raise ArgumentError(f"source must be 'user', 'context' or 'item', not {source!r}")
