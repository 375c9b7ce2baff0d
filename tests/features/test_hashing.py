"""XXH64 and canonical texts against published vectors and independent implementations."""

import csv
import math
from pathlib import Path

import feature_reference as reference
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shortlist import _core
from shortlist.errors import ArgumentError
from shortlist.hashing import xxh64

VECTORS = "shared/data/hash-vectors/hashes.csv"


def canonical(number: float) -> str | None:
    return _core.canonical_texts(np.array([number]))[0]


def test_xxh64_agrees_with_the_published_vectors():
    folders = Path(__file__).resolve().parents
    path = next((folder / VECTORS for folder in folders if (folder / VECTORS).exists()), None)
    if path is None:
        pytest.skip("no ../shared/data/hash-vectors beside the project")
    with path.open(newline="") as file:
        rows = [
            (bytes.fromhex(row["utf8_hex"]), int(row["xxh64_seed0"]))
            for row in csv.DictReader(file)
        ]
    assert len(rows) > 700
    assert [xxh64(data) for data, _ in rows] == [expected for _, expected in rows]


@pytest.mark.parametrize(
    ("data", "seed", "expected"),
    [(b"", 0, 0xEF46DB3751D8E999), (b"a", 0, 0xD24EC4F1A98C6E5B), (b"abc", 0, 0x44BC2CF5AD770999)],
)
def test_xxh64_of_known_texts(data, seed, expected):
    assert xxh64(data, seed) == reference.xxh64(data, seed) == expected


@given(st.binary(max_size=200), st.integers(0, 2**64 - 1))
def test_xxh64_agrees_with_plain_python(data, seed):
    assert xxh64(data, seed) == reference.xxh64(data, seed)


@given(st.floats(allow_nan=False))
@example(-0.0)
@example(0.1)
@example(1e-5)
@example(5e-324)
@example(1.7976931348623157e308)
@example(2.0**53 - 1)
@example(2.0**53)
@example(2.0**70)
@example(1e22)
@example(1e23)
@example(123456789012345680000.0)
def test_canonical_text_is_the_shortest_of_reprs_digits(number):
    text = canonical(number)
    assert text == reference.canonical_text(number)
    assert text is not None and float(text) == number


@given(st.floats(1e-4, 1e15).filter(lambda x: x != int(x)))
def test_canonical_text_is_repr_where_fixed_notation_is_shorter(number):
    if math.floor(math.log10(number)) >= -1:
        assert canonical(number) == repr(number)


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_canonical_text_of_an_integer_is_its_decimal_text(number):
    assert canonical(float(number)) == str(number)


def test_canonical_text_of_nan_is_missing():
    assert canonical(math.nan) is None
    assert [canonical(math.inf), canonical(-math.inf)] == ["inf", "-inf"]


def test_columns_hash_like_their_texts_and_missing_values_are_zero():
    expected = [xxh64("drama"), 0, xxh64("é")]
    texts = ["drama", None, "é"]
    for column in (texts, pd.Series(texts), pl.Series(texts), np.array(texts, object)):
        assert xxh64(column).tolist() == expected
    assert xxh64([1, 2.5, None]).tolist() == [xxh64("1"), xxh64("2.5"), 0]
    assert xxh64(np.array([True, False]), 9).tolist() == [xxh64("1", 9), xxh64("0", 9)]


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, True, "0"])
def test_seeds_out_of_range_are_refused(seed):
    with pytest.raises(ArgumentError, match="seed must be an integer"):
        xxh64("a", seed)


def test_text_that_is_not_unicode_is_refused():
    with pytest.raises(ArgumentError, match="not Unicode"):
        xxh64("\ud800")
    with pytest.raises(ArgumentError, match=r"column 'values'.*not Unicode"):
        xxh64(["\ud800"])
