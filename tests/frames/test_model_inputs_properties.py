"""A frame gives the same matrix, cell for cell, whichever library holds it."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from representations import NUMBERS, REPRESENTATIONS, Column

from shortlist.models.inputs import ModelInputs

TEXTS = ["", "a", "b", "Ångström", "a text that is longer than a view", "\0", "NA", "nan", "1"]
NUMERIC_NAMES = (3, 0, 1.5, -2, 2**53 + 1, True, float("inf"))


def cells(kind: str):
    if kind == "text":
        return st.sampled_from(TEXTS)
    if kind == "bool":
        return st.booleans()
    if kind.startswith("float"):
        return st.one_of(
            st.sampled_from([0.0, -0.0, 1.5, 3.0, float("inf"), float("-inf"), 5e-324]),
            st.floats(allow_nan=False, width=int(kind[5:])),
        ).map(lambda value: float(np.dtype(kind).type(value)))
    limits = np.iinfo(kind)
    edges = [v for v in (0, 1, 3, -2, 2**53 + 1, 2**63 - 1) if limits.min <= v <= limits.max]
    return st.one_of(st.sampled_from(edges), st.integers(int(limits.min), int(limits.max)))


@st.composite
def tables(draw) -> list[Column]:
    n_rows = draw(st.integers(0, 12))
    kinds = draw(st.lists(st.sampled_from([*NUMBERS, "text"]), min_size=1, max_size=10))
    columns = []
    for position, kind in enumerate(kinds):
        cell = cells(kind)
        if draw(st.booleans()):
            cell = st.one_of(st.none(), cell)
        values = draw(st.lists(cell, min_size=n_rows, max_size=n_rows))
        columns.append(Column(f"{kind} {position}", kind, values))
    return columns


def rounded_once(value: object, kind: str, dtype: type) -> float:
    with np.errstate(over="ignore"):
        return np.array([value], dtype=kind).astype(dtype)[0]


def expected_matrix(columns: list[Column], names: dict, dtype: type) -> np.ndarray:
    out = np.empty((len(columns[0].values), len(columns)), dtype=dtype)
    for position, column in enumerate(columns):
        for row, value in enumerate(column.values):
            if value is None:
                out[row, position] = np.nan
            elif position in names:
                known = names[position]
                out[row, position] = next((i for i, n in enumerate(known) if n == value), -1)
            else:
                out[row, position] = rounded_once(value, column.kind, dtype)
    return out


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    bits = np.uint32 if a.dtype == np.float32 else np.uint64
    nan = np.isnan(a)
    return bool((nan == np.isnan(b)).all() and (a.view(bits) == b.view(bits))[~nan].all())


@pytest.mark.parametrize("representation", REPRESENTATIONS)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(
    columns=tables(),
    seed=st.integers(0, 2**32),
    dtype=st.sampled_from([np.float32, np.float64]),
    data=st.data(),
)
def test_cells_are_those_of_the_values(representation, columns, seed, dtype, data):
    choices = random.Random(seed)
    names = {}
    for position, column in enumerate(columns):
        if column.kind == "text":
            names[position] = tuple(choices.sample(TEXTS, 4))
        elif choices.random() < 0.3:
            names[position] = NUMERIC_NAMES
    shuffled = data.draw(st.permutations(columns))
    inputs = ModelInputs([column.name for column in columns], names, ())
    frame = REPRESENTATIONS[representation](shuffled, choices)

    found = inputs.matrix(frame, dtype)

    expected = expected_matrix(columns, names, dtype)
    assert found.dtype == dtype
    assert found.flags.c_contiguous
    assert found.shape == expected.shape
    assert same_bits(found, expected), (found, expected)
