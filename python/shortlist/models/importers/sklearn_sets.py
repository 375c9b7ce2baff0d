"""Categorical splits of HistGradientBoosting: bitsets of codes into sets of what rows hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortlist.models.importers.ensemble import ViewKind
from shortlist.models.importers.sklearn_tensors import Categories, Exported, reject

__all__ = ["SplitSets", "read_sets"]

_CHUNK = 4096  # bitsets unpacked at a time


@dataclass(frozen=True)
class SplitSets:
    """Sets of all splits; `kinds` is -1 where a split compares."""

    kinds: NDArray[np.int64]
    offsets: NDArray[np.int64]
    keys: NDArray[np.float64]
    has_none: NDArray[np.bool_]  # None is a category of the feature, so that missing values are
    none_left: NDArray[np.bool_]
    known: dict[int, NDArray[np.float64]]

    @classmethod
    def none(cls, n_splits: int) -> SplitSets:
        """Make the sets of splits that all compare."""
        return cls(
            kinds=np.full(n_splits, -1, dtype=np.int64),
            offsets=np.zeros(n_splits + 1, dtype=np.int64),
            keys=np.zeros(0),
            has_none=np.zeros(n_splits, dtype=bool),
            none_left=np.zeros(n_splits, dtype=bool),
            known={},
        )


def read_sets(
    exported: Exported, features: NDArray[np.int64], nodes: NDArray[np.int64]
) -> SplitSets:
    """Read the sets of the splits at `nodes`, which ask about `features`.

    Raises
    ------
    FormatError
    """
    rows = exported.tensors["sets"][nodes].astype(np.int64)
    bitsets = exported.tensors["left_bitsets"]
    if ((rows < -1) | (rows >= len(bitsets))).any():
        raise reject("sets", f"name a bitset that is none of the {len(bitsets)}")
    plain = _known_bits(exported)
    encoded = exported.description.categories
    both = sorted(set(plain) & set(encoded))
    if both:
        raise reject("known_features", f"has {both[0]}, of which there are categories besides")

    sets = SplitSets.none(nodes.size)
    owners: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    found = [np.zeros(0)]
    of_sets = np.flatnonzero(rows >= 0)
    for feature in np.unique(features[of_sets]).tolist():
        splits = of_sets[features[of_sets] == feature]
        if feature not in encoded and feature not in plain:
            raise reject("sets", f"has a split of feature {feature}, which is not categorical")
        categories = encoded.get(feature)
        sets.kinds[splits] = ViewKind.CATEGORY_24 if categories is None else ViewKind.VALUE
        which, codes = _members(bitsets, rows[splits])
        which = splits[which]
        if categories is not None:
            _check_codes(codes, categories, feature)
            if categories.none_code is not None:
                none = codes == categories.none_code
                sets.has_none[splits] = True
                sets.none_left[which[none]] = True
                which, codes = which[~none], codes[~none]
        owners.append(which)
        found.append(codes.astype(np.float64) if categories is None else _keys(codes, categories))
    owner = np.concatenate(owners)
    known = {feature: codes.astype(np.float64) for feature, codes in plain.items()}
    known |= {feature: _all_keys(categories) for feature, categories in encoded.items()}
    return SplitSets(
        sets.kinds,
        np.searchsorted(np.sort(owner), np.arange(nodes.size + 1)).astype(np.int64),
        np.concatenate(found)[np.argsort(owner, kind="stable")],
        sets.has_none,
        sets.none_left,
        known,
    )


def _known_bits(exported: Exported) -> dict[int, NDArray[np.int64]]:
    features = exported.tensors["known_features"]
    n_features = len(exported.description.feature_names)
    if ((features < 0) | (features >= n_features)).any() or np.unique(
        features
    ).size != features.size:
        raise reject("known_features", f"are not different features below {n_features}")
    bitsets = exported.tensors["known_bitsets"]
    which, codes = _members(bitsets, np.arange(features.size))
    split = np.split(codes, np.searchsorted(which, np.arange(1, features.size)))
    return dict(zip(features.tolist(), split, strict=False))


def _members(
    bitsets: NDArray[Any], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Codes in each of the bitsets, and which of `rows` each is of."""
    which, codes = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for first in range(0, rows.size, _CHUNK):
        words = bitsets[rows[first : first + _CHUNK]].astype("<u4")
        row, code = np.nonzero(np.unpackbits(words.view(np.uint8), axis=1, bitorder="little"))
        which.append(row + first)
        codes.append(code)
    return np.concatenate(which), np.concatenate(codes)


def _check_codes(codes: NDArray[np.int64], categories: Categories, feature: int) -> None:
    if codes.max(initial=-1) >= categories.n_codes:
        raise reject(
            "left_bitsets",
            f"have code {codes.max()} of feature {feature}, which has {categories.n_codes} "
            f"categories",
        )


def _keys(codes: NDArray[np.int64], categories: Categories) -> NDArray[np.float64]:
    return codes.astype(np.float64) if categories.numbers is None else categories.numbers[codes]


def _all_keys(categories: Categories) -> NDArray[np.float64]:
    if categories.numbers is not None:
        return categories.numbers
    return np.arange(len(categories.names or ()), dtype=np.float64)
