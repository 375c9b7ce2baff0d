"""Every kind of feature against numpy and the specification, and offline against online."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import feature_reference as reference
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist import features as f
from shortlist.errors import ArgumentError

NAN = math.nan


def column(feature, frame):
    """The one column of one feature."""
    blocks = f.FeatureSet([feature]).transform(frame)
    return blocks[feature.block][:, 0]


def test_numeric_is_scaled_in_float64_and_missing_stands_as_it_is():
    values = np.array([1e9 + 1, NAN, -3.25, math.inf, 1e300])
    feature = f.Numeric("user.x", offset=1e9, divisor=3.0)
    with np.errstate(over="ignore"):
        expected = ((values - 1e9) / 3.0).astype(np.float32)
    np.testing.assert_array_equal(column(feature, {"user.x": values}), expected)
    filled = column(f.Numeric("user.x", missing=-1, offset=1e9, divisor=3.0), {"user.x": values})
    np.testing.assert_array_equal(filled, np.where(np.isnan(values), np.float32(-1), expected))


def test_booleans_are_the_numbers_0_and_1():
    assert column(f.Numeric("user.x"), {"user.x": [True, False, None]}).tolist()[:2] == [1.0, 0.0]
    codes = column(f.Categorical("user.x", vocabulary=[1, 0]), {"user.x": [True, False, None]})
    assert codes.tolist() == [1, 2, 0]


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_learned_scales_are_numpys_in_float64(scale):
    values = np.random.default_rng(1).lognormal(3, 2, 1000)
    values[::7] = NAN
    known = values[np.isfinite(values)]
    offset, divisor = known.mean(), known.std()
    if scale == "minmax":
        offset, divisor = known.min(), known.max() - known.min()
    spec = f.FeatureSet([f.Numeric("user.x", scale=scale)]).fit({"user.x": values})
    expected = ((values - offset) / divisor).astype(np.float32)
    np.testing.assert_array_equal(spec.transform({"user.x": values}).dense[:, 0], expected)


def test_scales_leave_infinities_out_and_never_divide_by_zero():
    spec = f.FeatureSet([f.Numeric("user.x", scale="standard")]).fit(
        {"user.x": [5, math.inf, 5, None]}
    )
    assert (spec.features[0].offset, spec.features[0].divisor) == (5.0, 1.0)
    with pytest.raises(ArgumentError, match=r"'user.x' holds no number to learn a scale from"):
        f.FeatureSet([f.Numeric("user.x", scale="minmax")]).fit({"user.x": [None, NAN]})
    with pytest.raises(ArgumentError, match=r"'user.x': its minmax scale exceeds float64"):
        f.FeatureSet([f.Numeric("user.x", scale="minmax")]).fit({"user.x": [-1.7e308, 1.7e308]})


def test_vocabulary_codes_begin_at_1_and_unknown_and_missing_are_0():
    feature = f.Categorical("item.genre", vocabulary=["drama", "comedy", "", "7"])
    texts = ["comedy", None, "horror", "drama", "", "dramas", "7"]
    assert column(feature, {"item.genre": texts}).tolist() == [2, 0, 0, 1, 3, 0, 4]
    assert column(feature, {"item.genre": [7, 7.0, 7.5]}).tolist() == [4, 4, 0]


def test_learned_vocabularies_are_by_frequency_then_text():
    frame = {
        "item.genre": ["b", "a", "c", "a", "b", "é", None],
        "item.year": [7, 7, -0.0, 2.5, 0, NAN, 1],
    }
    spec = f.FeatureSet([f.Categorical("item.genre"), f.Categorical("item.year")]).fit(frame)
    assert spec.features[0].vocabulary == ("a", "b", "c", "é")
    assert spec.features[1].vocabulary == ("0", "7", "1", "2.5")
    with pytest.raises(
        ArgumentError, match=r"'item.genre' holds no value to learn a vocabulary from"
    ):
        f.FeatureSet([f.Categorical("item.genre")]).fit({"item.genre": [None]})


def test_large_vocabularies_find_every_entry():
    entries = [f"entry {i}" for i in range(50_000)]
    feature = f.Categorical("item.x", vocabulary=entries, block="ids")
    np.testing.assert_array_equal(column(feature, {"item.x": entries}), np.arange(1, 50_001))
    assert not column(feature, {"item.x": [f"entry {i}." for i in range(50_000)]}).any()


@pytest.mark.parametrize("block", ["dense", "ids"])
@pytest.mark.parametrize(("buckets", "seed"), [(2, 0), (3, 1), (1000, 2**63 - 1), (2**24, 7)])
def test_hashed_codes_follow_the_specification(block, buckets, seed):
    values = ["", "a", None, "ein längerer Text, der über zweiunddreißig Bytes hat", "日本"]
    feature = f.Hashed("user.x", buckets=buckets, seed=seed, block=block)
    codes = column(feature, {"user.x": values})
    assert codes.dtype == (np.float32 if block == "dense" else np.int32)
    assert codes.tolist() == [reference.hashed(value, buckets, seed) for value in values]


def test_the_largest_bucket_count_of_an_id_block_is_int32s():
    values = [f"v{i}" for i in range(200)]
    codes = column(f.Hashed("user.x", buckets=2**31 - 1, block="ids"), {"user.x": values})
    assert codes.tolist() == [reference.hashed(value, 2**31 - 1) for value in values]


CROSSES = [
    ("user.a", "user.b"),
    ("item.c", "item.d"),
    ("user.a", "context.e"),
    ("item.c", "user.a"),
    ("context.e", "item.d"),
    ("user.a", "user.b", "item.c"),
    ("user.a", "context.e", "item.d"),
    ("item.d", "item.c", "context.e"),
]


@pytest.mark.parametrize("fields", CROSSES, ids="*".join)
@pytest.mark.parametrize("block", ["dense", "ids"])
def test_crosses_follow_the_specification(fields, block):
    frame = {
        "user.a": ["x", "y", None, "x", ""],
        "user.b": [1, 2.5, 3, None, -0.0],
        "item.c": ["drama", "é", "x", "y", "z"],
        "item.d": [1e300, 7, 8, 9, None],
        "context.e": [12, 13, 14, 15, 16],
    }
    feature = f.Cross(*fields, buckets=2**20, seed=11, block=block)
    rows = zip(*(frame[field] for field in fields), strict=True)
    expected = [reference.crossed(list(row), 2**20, 11) for row in rows]
    assert column(feature, frame).tolist() == expected


def test_similarity_is_the_frames_column_as_float32():
    values = np.array([0.1, NAN, 2.5])
    assert (
        column(f.Similarity(), {"similarity": values}).tobytes()
        == values.astype(np.float32).tobytes()
    )
    with pytest.raises(ArgumentError, match="no column 'similarity'"):
        column(f.Similarity(), {"user.x": [1]})
    with pytest.raises(ArgumentError, match="'similarity': expected numbers"):
        column(f.Similarity(), {"similarity": ["a"]})


def wide():
    """Features of every kind and level, interleaved, in three blocks."""
    return f.FeatureSet(
        [
            f.Numeric("user.age", scale="standard"),
            f.Categorical("item.genre"),
            f.Cross("user.city", "item.genre", buckets=2**20, block="pairs"),
            f.Hashed("context.page", buckets=64, block="ids"),
            f.Numeric("item.price", missing=0.5, scale="minmax"),
            f.Cross("user.city", "context.page", buckets=4096),
            f.Similarity(),
            f.Hashed("item.genre", buckets=128, seed=3, name="genre bucket", block="ids"),
            f.Cross("item.genre", "item.brand", "item.price", buckets=999, seed=5),
            f.Categorical("user.age", vocabulary=[18, 30, 45.5], name="age code", block="ids"),
            f.Cross("user.age", "context.page", "item.brand", buckets=77, block="pairs"),
            f.Numeric("context.page length"),
        ]
    )


def wide_frame(n, seed):
    random = np.random.default_rng(seed)

    def some(values):
        return np.where(random.random(n) < 0.2, None, random.choice(np.array(values, object), n))

    return {
        "user.age": some([18, 30, 45.5, 71]),
        "user.city": some(["Berlin", "Zürich", "Lagos", ""]),
        "context.page": some(["home", "search"]),
        "context.page length": random.normal(size=n),
        "item.genre": some(["drama", "comedy", "noir"]),
        "item.brand": some([f"brand {i}" for i in range(9)]),
        "item.price": np.where(random.random(n) < 0.2, NAN, random.lognormal(size=n)),
        "similarity": random.normal(size=n).astype(np.float32),
    }


def reference_cell(feature, row):
    """One value of one feature, by the specification."""
    values = [row[field] for field in feature.fields]
    match feature:
        case f.Similarity():
            return np.float32(row["similarity"])
        case f.Numeric():
            if reference.text_of(values[0]) is None:
                return np.float32(NAN if feature.missing == "nan" else feature.missing)
            return np.float32((np.float64(values[0]) - feature.offset) / feature.divisor)
        case f.Categorical():
            known = dict(
                zip(feature.vocabulary, range(1, 1 + len(feature.vocabulary)), strict=True)
            )
            return known.get(reference.text_of(values[0]), 0)
        case f.Hashed():
            return reference.hashed(values[0], feature.buckets, feature.seed)
    return reference.crossed(values, feature.buckets, feature.seed)


def test_transform_follows_the_specification_for_every_kind_at_once():
    frame = wide_frame(120, seed=2)
    spec = wide().fit(frame)
    blocks = spec.transform(frame)
    assert list(blocks) == ["dense", "pairs", "ids"]
    for block, names in spec.blocks.items():
        features = [feature for feature in spec if feature.name in names]
        expected = np.array(
            [
                [reference_cell(x, {k: v[i] for k, v in frame.items()}) for x in features]
                for i in range(120)
            ],
            np.float32 if block == "dense" else np.int32,
        )
        assert blocks[block].dtype == expected.dtype
        assert blocks[block].tobytes() == expected.tobytes()


def test_rows_assembled_from_encoded_tables_equal_transform_bit_for_bit():
    frame = wide_frame(300, seed=3)
    spec = wide().fit(frame)
    similarity = frame["similarity"]
    encoded = {
        source: spec.encode_source(
            source,
            {k.partition(".")[2]: v for k, v in frame.items() if k.startswith(source)},
        )
        for source in ("user", "context", "item")
    }
    blocks = spec.transform(frame)
    native = spec._native
    columns = [columns for _, _, columns in native.blocks]
    for request in range(
        0, 300, 37
    ):  # one user and context against every item, as a request has them
        rows = native.assemble(
            tuple(part[request] for part in encoded["user"]),
            tuple(part[request] for part in encoded["context"]),
            encoded["item"],
            similarity,
        )
        again = {
            name: np.broadcast_to(values[request], values.shape).copy()
            if not name.startswith("item.") and name != "similarity"
            else values
            for name, values in frame.items()
        }
        offline = spec.transform(again)
        for block, where in zip(spec.blocks, columns, strict=True):
            assert rows[:, where].tobytes() == offline[block].tobytes()
            assert rows[request, where].tobytes() == blocks[block][request].tobytes()


def test_a_field_without_a_column_is_missing_in_encoded_tables():
    spec = f.FeatureSet(
        [f.Numeric("item.bm25", missing=-1), f.Cross("item.bm25", "item.x", buckets=9)]
    )
    cells, hashes = spec.encode_source("item", {"id": [1, 2], "x": ["a", "b"]})
    assert cells.shape == (2, 2) and hashes.shape == (2, 2)
    assert cells[:, 0].view(np.float32).tolist() == [-1, -1]
    assert not cells[:, 1].any()
    assert hashes[:, 0].tolist() == [0, 0] and hashes[:, 1].all()
    assert spec.fields("item") == ["bm25", "x"] and spec.fields("user") == []
    with pytest.raises(
        ArgumentError, match="source must be 'user', 'context' or 'item', not 'shop'"
    ):
        spec.encode_source("shop", {})


@pytest.mark.parametrize("n", [0, 1, 3])
def test_frames_of_every_library_transform_alike(n):
    frame = wide_frame(100, seed=4)
    spec = wide().fit(frame)
    few = {name: values[:n] for name, values in frame.items()}
    expected = spec.transform(few)
    typed = {k: pl.Series(v.tolist(), dtype=pl.String) for k, v in few.items() if k in TEXT_FIELDS}
    others = {
        k: pl.Series(v.tolist(), dtype=pl.Float64) for k, v in few.items() if k not in TEXT_FIELDS
    }
    for library in (pd.DataFrame(few), pl.DataFrame(typed | others)):
        for block, values in spec.transform(library).items():
            assert values.shape == (n, len(spec.blocks[block]))
            assert values.tobytes() == expected[block].tobytes()


TEXT_FIELDS = {"user.city", "context.page", "item.genre", "item.brand"}


def test_threads_may_share_a_feature_set():
    frame = wide_frame(2000, seed=5)
    spec = f.FeatureSet.from_json(wide().fit(frame).to_json())
    barrier = threading.Barrier(4)

    def run(_):
        barrier.wait(timeout=30)
        return spec.transform(frame).dense.tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(run, range(4)))) == 1


def test_unfitted_sets_say_what_is_missing():
    spec = f.FeatureSet([f.Numeric("user.age", scale="minmax"), f.Categorical("item.genre")])
    assert not spec.is_fitted
    message = "fit.. first.*the minmax scale of 'user.age', the vocabulary of 'item.genre'"
    for use in (
        lambda: spec.transform({"user.age": [1], "item.genre": ["a"]}),
        lambda: spec.encode_source("item", {"genre": ["a"]}),
        spec.to_json,
        lambda: spec.fingerprint,
    ):
        with pytest.raises(ArgumentError, match=message):
            use()


def test_fit_returns_a_new_set_and_keeps_what_is_known():
    spec = f.FeatureSet(
        [f.Numeric("user.age", scale="minmax"), f.Categorical("item.genre", vocabulary=["a"])]
    )
    fitted = spec.fit({"user.age": [1, 3]})
    assert fitted.is_fitted and not spec.is_fitted
    assert fitted.fit({}) == fitted
    with pytest.raises(ArgumentError, match=r"no column 'user.age'"):
        spec.fit({"user.years": [1]})


def test_transform_names_every_column_that_is_not_there():
    spec = f.FeatureSet([f.Numeric("user.age"), f.Cross("user.city", "item.genre", buckets=8)])
    with pytest.raises(ArgumentError, match=r"no column 'user.city', 'item.genre'"):
        spec.transform({"user.age": [1]})


def test_text_for_a_number_is_an_error_that_names_the_column():
    spec = f.FeatureSet([f.Numeric("user.age"), f.Hashed("user.age", buckets=9, name="h")])
    with pytest.raises(
        ArgumentError, match=r"column 'user.age' holds texts; a numeric feature reads it"
    ):
        spec.transform({"user.age": ["old"]})
    with pytest.raises(ArgumentError, match="expected numbers, found texts"):
        f.FeatureSet([f.Numeric("user.age", scale="minmax")]).fit({"user.age": ["old"]})


def test_blocks_behave_like_a_mapping_and_like_the_dense_array():
    blocks = f.FeatureSet(
        [f.Numeric("user.a"), f.Hashed("user.b", buckets=9, block="ids")]
    ).transform({"user.a": [1, 2], "user.b": ["x", "y"]})
    assert list(blocks) == ["dense", "ids"] and len(blocks) == 2
    assert blocks.names == {"dense": ("user.a",), "ids": ("user.b",)}
    assert np.shares_memory(np.asarray(blocks), blocks.dense)
    assert not np.shares_memory(np.array(blocks), blocks.dense)
    assert np.asarray(blocks, dtype=np.float64).dtype == np.float64
    assert repr(blocks) == "FeatureBlocks(dense: float32 (2, 1), ids: int32 (2, 1))"
    only_ids = f.FeatureSet([f.Hashed("user.b", buckets=9, block="ids")]).transform(
        {"user.b": ["x"]}
    )
    with pytest.raises(ArgumentError, match="no block 'dense'"):
        _ = only_ids.dense


CELLS = st.none() | st.text(max_size=40)
NUMBER = st.none() | st.floats() | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(CELLS, NUMBER, CELLS, NUMBER), min_size=1, max_size=12),
    st.integers(2, 2**24),
    st.integers(0, 2**63 - 1),
)
def test_transform_follows_the_specification_for_any_values(rows, buckets, seed):
    names = ("user.text", "user.number", "item.text", "item.number")
    frame = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    texts = list(dict.fromkeys(text for text in frame["item.text"] if text is not None))[::2]
    spec = f.FeatureSet(
        [
            f.Hashed("user.text", buckets=buckets, seed=seed),
            f.Hashed("item.number", buckets=buckets, seed=seed),
            f.Categorical("item.text", vocabulary=texts or ["?"]),
            f.Cross("user.text", "item.number", buckets=buckets, seed=seed),
            f.Cross("item.text", "user.number", "user.text", buckets=buckets, seed=seed),
            f.Numeric("user.number", offset=0.25, divisor=-3.0),
        ]
    )
    dense = spec.transform(frame).dense
    with np.errstate(over="ignore"):
        expected = [
            [reference_cell(x, dict(zip(names, row, strict=True))) for x in spec] for row in rows
        ]
    np.testing.assert_array_equal(dense, np.array(expected, np.float32))
