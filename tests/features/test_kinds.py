"""Definitions: what they hold, and what they refuse."""

import dataclasses

import pytest

from shortlist import features as f
from shortlist.errors import ArgumentError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: f.Numeric("age"), "expected 'user.NAME'"),
        (lambda: f.Numeric("user."), "expected 'user.NAME'"),
        (lambda: f.Numeric("shop.age"), "expected 'user.NAME'"),
        (lambda: f.Numeric(3), "expected 'user.NAME'"),
        (lambda: f.Numeric("user.\ud800"), "lone surrogate"),
        (lambda: f.Numeric("user.age", missing="zero"), "missing .or 'nan'. must be a number"),
        (lambda: f.Numeric("user.age", missing=float("inf")), "must be finite"),
        (
            lambda: f.Numeric("user.age", scale="robust"),
            "scale must be 'standard', 'minmax' or None",
        ),
        (lambda: f.Numeric("user.age", offset=1.0), "both offset and divisor"),
        (lambda: f.Numeric("user.age", offset=1.0, divisor=0.0), "divisor must not be 0"),
        (lambda: f.Numeric("user.age", offset=1.0, divisor=float("nan")), "divisor must be finite"),
        (lambda: f.Numeric("user.age", block="ids"), "belongs in 'dense'"),
        (lambda: f.Numeric("user.age", name=3), "name must be text"),
        (lambda: f.Similarity(block="ids"), "belongs in 'dense'"),
        (lambda: f.Categorical("item.genre", vocabulary=[]), "1 to 16777216 entries, not 0"),
        (lambda: f.Categorical("item.genre", vocabulary="drama"), "not one text"),
        (lambda: f.Categorical("item.genre", vocabulary=["a", "b", "a"]), "holds 'a' twice"),
        (lambda: f.Categorical("item.genre", vocabulary=[1, 1.0]), "holds '1' twice"),
        (lambda: f.Categorical("item.genre", vocabulary=[None]), "expected text or a number"),
        (lambda: f.Categorical("item.genre", vocabulary=[float("nan")]), "not NaN"),
        (lambda: f.Categorical("item.genre", vocabulary=[2**53]), "give such ids as texts"),
        (lambda: f.Categorical("item.genre", block=""), "block must be text"),
        (lambda: f.Hashed("user.city", buckets=1), "buckets must be 2 to 16777216, not 1"),
        (lambda: f.Hashed("user.city", buckets=2**24 + 1), "2 to 16777216"),
        (lambda: f.Hashed("user.city", buckets=2**31, block="ids"), "2 to 2147483647"),
        (lambda: f.Hashed("user.city", buckets=2.5), "must be an integer"),
        (lambda: f.Hashed("user.city", buckets=True), "not True"),
        (lambda: f.Hashed("user.city", buckets=10, seed=-1), "seed must be 0 to"),
        (lambda: f.Cross("user.city", buckets=10), "2 or 3 different fields"),
        (lambda: f.Cross("user.a", "user.a", buckets=10), "2 or 3 different fields"),
        (lambda: f.Cross("user.a", "user.b", "user.c", "user.d", buckets=10), "2 or 3 different"),
        (lambda: f.Cross("user.a", "b", buckets=10), "field 'b': expected"),
        (lambda: f.FeatureSet([]), "at least one feature"),
        (lambda: f.FeatureSet(["user.age"]), "expected features such as Numeric"),
        (
            lambda: f.FeatureSet([f.Numeric("user.a"), f.Hashed("user.a", buckets=9)]),
            "'user.a'; give",
        ),
    ],
)
def test_wrong_definitions_are_refused_with_what_was_expected(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_names_default_to_the_fields():
    features = [
        f.Numeric("user.age"),
        f.Cross("user.city", "item.genre", "context.hour", buckets=64),
        f.Similarity(),
        f.Hashed("user.age", buckets=8, name="age bucket"),
    ]
    names = ["user.age", "user.city*item.genre*context.hour", "similarity", "age bucket"]
    assert f.FeatureSet(features).names == names


@pytest.mark.parametrize(
    ("feature", "level"),
    [
        (f.Numeric("user.age"), "request"),
        (f.Hashed("context.page", buckets=9), "request"),
        (f.Cross("user.a", "context.b", buckets=9), "request"),
        (f.Categorical("item.genre"), "item"),
        (f.Cross("item.a", "item.b", buckets=9), "item"),
        (f.Cross("user.a", "item.b", buckets=9), "pair"),
        (f.Similarity(), "pair"),
    ],
)
def test_levels_follow_from_the_fields(feature, level):
    assert feature.level == level


def test_definitions_are_immutable_comparable_and_short_in_print():
    feature = f.Categorical("item.genre", vocabulary=["drama", 7])
    assert feature.vocabulary == ("drama", "7")
    assert feature == f.Categorical("item.genre", vocabulary=("drama", "7"))
    assert feature != f.Categorical("item.genre", vocabulary=("7", "drama"))
    assert repr(feature) == "Categorical('item.genre', vocabulary=<2 entries>)"
    with pytest.raises(dataclasses.FrozenInstanceError):
        feature.name = "other"


def test_describe_tells_each_features_kind_level_block_and_size():
    spec = f.FeatureSet(
        [
            f.Categorical("item.genre"),
            f.Hashed("user.city", buckets=64, seed=5, block="ids"),
            f.Similarity(),
        ]
    )
    header, line, *rows = spec.describe().splitlines()
    assert header.split() == ["name", "kind", "level", "block", "definition"]
    assert set(line) == {"-", " "}
    assert [row.split() for row in rows] == [
        ["item.genre", "categorical", "item", "dense", "vocabulary=<unfitted>"],
        ["user.city", "hashed", "request", "ids", "buckets=64,", "seed=5"],
        ["similarity", "similarity", "pair", "dense", "retrieval", "metric"],
    ]
