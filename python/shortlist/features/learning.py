"""What fit learns from a column: scales and vocabularies."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np

from shortlist import _core
from shortlist.errors import ArgumentError
from shortlist.features.columns import Column, Frame, Numbers, column_texts
from shortlist.features.feature import Feature
from shortlist.features.kinds import Categorical, Numeric

__all__ = ["learned"]


def learned(feature: Feature, frame: Frame) -> Feature:
    """Give the feature with what it lacks, learned from the frame's column of its field."""
    if isinstance(feature, Numeric):
        return _with_scale(feature, frame.read(feature.field))
    if isinstance(feature, Categorical):
        return _with_vocabulary(feature, frame.read(feature.field, as_text=True))
    raise ArgumentError(f"{feature.name}: a {feature.kind} feature learns nothing")


def _with_scale(feature: Numeric, column: Column) -> Numeric:
    if isinstance(column, tuple):
        raise ArgumentError(f"column {feature.field!r}: expected numbers, found texts")
    values: Numbers = column[np.isfinite(column)]
    if values.size == 0:
        raise ArgumentError(f"column {feature.field!r} holds no number to learn a scale from")
    if feature.scale == "standard":
        offset, divisor = float(values.mean()), float(values.std())
    else:
        offset = float(values.min())
        divisor = float(values.max()) - offset
    if not (np.isfinite(offset) and np.isfinite(divisor)):
        raise ArgumentError(f"column {feature.field!r}: its {feature.scale} scale exceeds float64")
    return dataclasses.replace(feature, offset=offset, divisor=divisor or 1.0)


def _with_vocabulary(feature: Categorical, column: Column) -> Categorical:
    counts: Counter[str] = Counter()
    if isinstance(column, tuple):
        counts.update(column_texts(column))
    else:
        values, frequencies = np.unique(column[~np.isnan(column)], return_counts=True)
        texts = _core.canonical_texts(values)
        counts.update(dict(zip(filter(None, texts), frequencies.tolist(), strict=True)))
    if not counts:
        raise ArgumentError(f"column {feature.field!r} holds no value to learn a vocabulary from")
    entries = sorted(counts, key=lambda text: (-counts[text], text))
    return dataclasses.replace(feature, vocabulary=tuple(entries))
