"""Thresholds and categories into columns, and columns into views: a row becomes one rank a view.

A run of trees that reads more views than a node can count is cut into segments, each with views of
its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import UnsupportedError
from shortlist.models.importers.ensemble import ImportedEnsemble, ViewKind

__all__ = ["Segments", "make_segments"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Tensors = dict[str, NDArray[np.generic]]

MAX_THRESHOLDS = 65534  # of one column; csrc/trees/node.hpp has the same limits
MAX_CODES = 65533
MAX_VIEWS = 32767


@dataclass
class Segments:
    """How each split is decided.

    ``ranks`` and ``views`` have one entry a split (the rank of one that asks for a set is not
    used); ``set_splits`` and ``set_codes`` list the codes that go left, with those of missing and
    unknown values among them.
    """

    ranks: IntArray
    views: IntArray
    set_splits: IntArray
    set_codes: IntArray
    tensors: Tensors


@dataclass
class _Parts:
    """Columns, views and set codes of the segments so far."""

    column_features: list[IntArray] = field(default_factory=list)
    thresholds: list[FloatArray] = field(default_factory=list)
    threshold_counts: list[IntArray] = field(default_factory=list)
    keys: list[FloatArray] = field(default_factory=list)
    key_counts: list[IntArray] = field(default_factory=list)
    key_codes: list[IntArray] = field(default_factory=list)
    view_columns: list[IntArray] = field(default_factory=list)
    view_kinds: list[IntArray] = field(default_factory=list)
    view_counts: list[int] = field(default_factory=list)
    tree_ends: list[int] = field(default_factory=list)
    set_splits: list[IntArray] = field(default_factory=list)
    set_codes: list[IntArray] = field(default_factory=list)


class _TooManyError(Exception):
    """What a run of trees reads does not fit one segment."""


def make_segments(ensemble: ImportedEnsemble) -> Segments:
    """Rank thresholds and code categories, over as few segments as the limits allow.

    Raises
    ------
    UnsupportedError
        A single tree reads more than 32,767 views or distinguishes more than 65,533 classes of
        categories of one feature.
    """
    n_splits = int(ensemble.split_offsets[-1])
    ranks = np.zeros(n_splits, dtype=np.int64)
    views = np.zeros(n_splits, dtype=np.int64)
    parts = _Parts()
    known = _known_keys(ensemble)
    runs = [(0, ensemble.n_trees)]
    while runs:
        first, last = runs.pop()
        begin, end = (int(o) for o in ensemble.split_offsets[[first, last]])
        run = np.arange(begin, end)
        try:
            segment = _Segment(ensemble, run, known)
        except _TooManyError as error:
            if last - first <= 1:
                raise UnsupportedError(f"tree {first}: {error}") from None
            middle = (first + last) // 2
            runs += [(middle, last), (first, middle)]
            continue
        ranks[run], views[run] = segment.ranks, segment.views
        segment.append_to(parts)
        parts.tree_ends.append(last)
    return Segments(
        ranks,
        views,
        _joined(parts.set_splits),
        _joined(parts.set_codes),
        _tensors(parts),
    )


def _tensors(parts: _Parts) -> Tensors:
    columns_before = np.cumsum([0] + [len(features) for features in parts.column_features])
    order = np.argsort(_joined(parts.column_features), kind="stable")
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    threshold_counts, key_counts = _joined(parts.threshold_counts), _joined(parts.key_counts)
    thresholds = _reordered(_joined(parts.thresholds), threshold_counts, order)
    view_columns = [
        place[columns + before]
        for columns, before in zip(parts.view_columns, columns_before, strict=False)
    ]
    return {
        "column_features": _joined(parts.column_features)[order].astype(np.uint32),
        "thresholds": thresholds.astype(np.float64),
        "threshold_offsets": _offsets(threshold_counts[order]).astype(np.uint32),
        "keys": _reordered(_joined(parts.keys), key_counts, order).astype(np.float64),
        "key_offsets": _offsets(key_counts[order]).astype(np.uint32),
        "key_codes": _reordered(_joined(parts.key_codes), key_counts, order).astype(np.uint16),
        "view_columns": _joined(view_columns).astype(np.uint32),
        "view_kinds": _joined(parts.view_kinds).astype(np.uint8),
        "segment_views": _offsets(parts.view_counts).astype(np.uint32),
        "segment_trees": np.array([0, *parts.tree_ends], dtype=np.uint32),
    }


class _Segment:
    """The columns and views that one run of trees reads."""

    def __init__(
        self, ensemble: ImportedEnsemble, run: IntArray, known: Mapping[int, FloatArray]
    ) -> None:
        self._known = known
        self.ranks = np.zeros(run.size, dtype=np.int64)
        self.views = np.zeros(run.size, dtype=np.int64)
        self._run = run
        self._features = ensemble.features[run].astype(np.int64)
        self._kinds = ensemble.kinds[run].astype(np.int64)
        is_set = self._kinds >= ViewKind.CATEGORY
        self._rank_thresholds(np.flatnonzero(~is_set), ensemble.thresholds[run])
        self._code_sets(ensemble, np.flatnonzero(is_set))
        self._number()

    def _rank_thresholds(self, numeric: IntArray, thresholds: FloatArray) -> None:
        """Position of each threshold among the distinct ones of its feature, in slices that fit."""
        features, thresholds = self._features[numeric], thresholds[numeric]
        order = np.lexsort((thresholds, features))
        features, thresholds = features[order], thresholds[order]
        fresh = np.ones(order.size, dtype=bool)
        fresh[1:] = (features[1:] != features[:-1]) | (thresholds[1:] != thresholds[:-1])
        nth = np.cumsum(fresh) - 1
        new_feature = np.ones(order.size, dtype=bool)
        new_feature[1:] = features[1:] != features[:-1]
        position = nth - nth[np.flatnonzero(new_feature)][np.cumsum(new_feature) - 1]
        self.ranks[numeric[order]] = position % MAX_THRESHOLDS
        slices = position // MAX_THRESHOLDS
        new_column = new_feature.copy()
        new_column[1:] |= slices[1:] != slices[:-1]
        self._numeric_columns = features[new_column]
        self._columns = np.zeros(self._features.size, dtype=np.int64)
        self._columns[numeric[order]] = np.cumsum(new_column) - 1
        self._thresholds = thresholds[fresh]
        column_of = (np.cumsum(new_column) - 1)[fresh]
        self._threshold_counts = np.bincount(column_of, minlength=self._numeric_columns.size)

    def _code_sets(self, ensemble: ImportedEnsemble, sets: IntArray) -> None:
        """Make a column for each feature and kind of key; keys treated alike share a code."""
        self._set_columns: list[int] = []
        self._keys: list[FloatArray] = []
        self._codes: list[IntArray] = []
        self._set_splits: list[IntArray] = []
        self._set_codes: list[IntArray] = []
        pairs = self._features[sets] * 16 + self._kinds[sets]
        for pair in np.unique(pairs):
            chosen = sets[pairs == pair]
            splits = self._run[chosen]
            self._columns[chosen] = self._numeric_columns.size + len(self._set_columns)
            self._set_columns.append(int(pair) // 16)
            owners, members = _members(ensemble, splits)
            known = self._known.get(int(pair) // 16, np.zeros(0))
            keys, which = np.unique(np.concatenate((members, known)), return_inverse=True)
            codes = _classes(which[: members.size], owners, keys.size)
            n_codes = int(codes.max(initial=-1)) + 1
            if n_codes > MAX_CODES:
                name = ensemble.feature_names[int(pair) // 16]
                raise _TooManyError(
                    f"feature {name!r} has {n_codes} classes of categories; {MAX_CODES} are handled"
                )
            self._keys.append(keys)
            self._codes.append(codes)
            self._set_splits.append(owners)
            self._set_codes.append(codes[which[: members.size]])
            for left, code in (
                (ensemble.missing_left, n_codes),
                (ensemble.unknown_left, n_codes + 1),
            ):
                goes = splits[left[splits]] if left is not None else splits[:0]
                self._set_splits.append(goes)
                self._set_codes.append(np.full(goes.size, code, dtype=np.int64))

    def _number(self) -> None:
        pairs = self._columns * 16 + self._kinds
        distinct, inverse = np.unique(pairs, return_inverse=True)
        features = np.concatenate((self._numeric_columns, self._set_columns)).astype(np.int64)
        # Views must ascend by feature, as the columns will stand.
        order = np.lexsort((distinct, features[distinct // 16]))
        place = np.empty(order.size, dtype=np.int64)
        place[order] = np.arange(order.size)
        if distinct.size > MAX_VIEWS:
            raise _TooManyError(
                f"{distinct.size} pairs of feature and missing rule; {MAX_VIEWS} are handled"
            )
        self._column_features = features
        self.views = place[inverse]
        self._view_columns = distinct[order] // 16
        self._view_kinds = distinct[order] % 16

    def append_to(self, parts: _Parts) -> None:
        """Add what was found to the arrays of all segments."""
        n_numeric, n_sets = self._numeric_columns.size, len(self._set_columns)
        parts.column_features.append(self._column_features)
        parts.thresholds.append(self._thresholds)
        parts.threshold_counts += [self._threshold_counts, np.zeros(n_sets, dtype=np.int64)]
        parts.keys += self._keys
        parts.key_counts += [
            np.zeros(n_numeric, dtype=np.int64),
            np.array([keys.size for keys in self._keys], dtype=np.int64),
        ]
        parts.key_codes += self._codes
        parts.view_columns.append(self._view_columns)
        parts.view_kinds.append(self._view_kinds)
        parts.view_counts.append(self._view_columns.size)
        parts.set_splits += self._set_splits
        parts.set_codes += self._set_codes


def _known_keys(ensemble: ImportedEnsemble) -> dict[int, FloatArray]:
    """By feature, the keys that are not unknown; none where unknown values go as known ones do."""
    if ensemble.unknown_left is None or not ensemble.unknown_left.any():
        return {}
    owners = np.repeat(ensemble.features, np.diff(ensemble.category_offsets))
    order = np.argsort(owners, kind="stable")
    features, starts = np.unique(owners[order], return_index=True)
    keys = np.split(ensemble.categories[order], starts[1:])
    known = {int(f): np.unique(k) for f, k in zip(features, keys, strict=False)}
    for feature, more in ensemble.known_categories.items():
        known[feature] = np.union1d(known.get(feature, np.zeros(0)), more)
    return known


def _members(ensemble: ImportedEnsemble, splits: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the keys of these splits' sets, one after another, and whose each is."""
    starts = ensemble.category_offsets[splits]
    counts = ensemble.category_offsets[splits + 1] - starts
    offsets = _offsets(counts)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    return np.repeat(splits, counts), ensemble.categories[np.repeat(starts, counts) + within]


def _classes(which: IntArray, owners: IntArray, n_keys: int) -> IntArray:
    """Return a number for each key, the same for those that stand in the same sets."""
    entries = np.unique(np.column_stack((which, owners)), axis=0) if which.size else None
    counts = np.zeros(n_keys, dtype=np.int64)
    owned = b""
    if entries is not None:
        counts = np.bincount(entries[:, 0], minlength=n_keys)
        owned = entries[:, 1].astype(np.int64).tobytes()
    ends = (8 * np.cumsum(counts)).tolist()
    numbers: dict[bytes, int] = {}
    begin = 0
    codes = np.zeros(n_keys, dtype=np.int64)
    for key, end in enumerate(ends):
        codes[key] = numbers.setdefault(owned[begin:end], len(numbers))
        begin = end
    return codes


def _reordered(
    values: IntArray | FloatArray, counts: IntArray, order: IntArray
) -> IntArray | FloatArray:
    """Slices of ``values`` of these sizes, in another order."""
    offsets = _offsets(counts)
    sizes = counts[order]
    within = np.arange(offsets[-1]) - np.repeat(_offsets(sizes)[:-1], sizes)
    reordered: IntArray | FloatArray = values[np.repeat(offsets[:-1][order], sizes) + within]
    return reordered


def _joined(arrays: Sequence[IntArray] | Sequence[FloatArray]) -> IntArray:
    joined: IntArray = np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int64)
    return joined


def _offsets(counts: IntArray | list[int]) -> IntArray:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
