"""features.json: what round trips, what its fingerprint is, and what is refused."""

import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist import features as f
from shortlist.errors import FormatError, ShortlistError, UnsupportedError


def test_json_round_trips_with_the_same_fingerprint():
    spec = f.FeatureSet.from_json(small())
    again = f.FeatureSet.from_json(spec.to_json())
    assert again == spec and hash(again) == hash(spec)
    assert again.to_json() == spec.to_json()
    entries = json.loads(spec.to_json())["features"]
    document = {"version": 1, "features": [dict(reversed(entry.items())) for entry in entries]}
    shuffled = json.dumps(document, indent=2)
    assert f.FeatureSet.from_json(shuffled.encode()).fingerprint == spec.fingerprint
    assert pickle.loads(pickle.dumps(spec)).fingerprint == spec.fingerprint


def test_fingerprints_stay_what_they_were_and_differ_between_sets():
    spec = f.FeatureSet([f.Numeric("user.age", missing=0), f.Cross("user.é", "item.b", buckets=64)])
    expected = (
        '{"features":[{"block":"dense","divisor":1.0,"field":"user.age","kind":"numeric","missing":0.0,'
        '"name":"user.age","offset":0.0,"scale":null},{"block":"dense","buckets":64,'
        '"fields":["user.é","item.b"],"kind":"cross","name":"user.é*item.b","seed":0}],"version":1}'
    )
    expected_fingerprint = "9b00f602a4b9b90c0393d2266048358ba36aa1a954a2f39827e158337aa7b4b2"
    assert spec.to_json() == expected
    assert spec.fingerprint == expected_fingerprint
    assert f.FeatureSet(spec.features[::-1]).fingerprint != spec.fingerprint


HOSTILE = [
    (lambda d: d.update(version=2), "version 2 is not read by this release"),
    (lambda d: d.update(version="1"), "key 'version': expected an integer, found a string"),
    (lambda d: d.pop("version"), "key 'version' is missing"),
    (lambda d: d.update(extra=1), "unknown key 'extra'"),
    (lambda d: d.update(features={}), "key 'features': expected an array, found an object"),
    (lambda d: d.update(features=[]), "at least one feature"),
    (lambda d: d.update(features=[3]), "feature 0: expected an object, found an integer"),
    (lambda d: d["features"][0].pop("name"), "feature 0: key 'name' is missing"),
    (lambda d: d["features"][0].update(name=""), "empty name"),
    (lambda d: d["features"][0].update(kind="window"), "feature 'n': unknown kind 'window'"),
    (lambda d: d["features"][0].update(seed=1), "feature 'n': unknown key 'seed'"),
    (lambda d: d["features"][0].update(divisor=0), "feature 'n': divisor must be finite and not 0"),
    (lambda d: d["features"][0].update(missing="zero"), "feature 'n': key 'missing' must be"),
    (lambda d: d["features"][0].update(scale="robust"), "feature 'n': key 'scale' must be"),
    (lambda d: d["features"][0].update(field="age"), "feature 'n': field 'age' must be user.NAME"),
    (lambda d: d["features"][0].update(block="ids"), "feature 'n': block 'ids' holds integers"),
    (lambda d: d["features"][0].update(block=None), "key 'block': expected a string, found null"),
    (lambda d: d["features"][1].update(vocabulary=[]), "feature 'c': the vocabulary is empty"),
    (lambda d: d["features"][1].update(vocabulary=["a", "a"]), "the vocabulary holds 'a' twice"),
    (lambda d: d["features"][1].update(vocabulary=[1]), "key 'vocabulary': expected strings only"),
    (
        lambda d: d["features"][2].update(buckets=1),
        "buckets in block 'dense' must be 2 to 16777216",
    ),
    (lambda d: d["features"][2].update(buckets=-4), "key 'buckets' must not be negative"),
    (lambda d: d["features"][2].update(buckets=2**24 + 1), "must be 2 to 16777216, not 16777217"),
    (lambda d: d["features"][2].update(buckets=2**31, block="ids"), "must be 2 to 2147483647"),
    (
        lambda d: d["features"][2].update(buckets=8.0),
        "key 'buckets': expected an integer, found a number",
    ),
    (lambda d: d["features"][2].update(buckets=2**70), "key 'buckets': expected an integer"),
    (lambda d: d["features"][2].update(seed=2**63), "key 'seed': expected an integer"),
    (
        lambda d: d["features"][3].update(fields=["user.a"]),
        "a cross takes 2 or 3 fields, this has 1",
    ),
    (
        lambda d: d["features"][3].update(fields=["user.a"] * 2),
        "field 'user.a' is crossed with itself",
    ),
    (
        lambda d: d["features"][3].update(fields=[f"user.{i}" for i in range(4)]),
        "2 or 3 fields, this has 4",
    ),
    (lambda d: d["features"][3].update(name="h"), "feature 'h': the name is used twice"),
    (lambda d: d["features"][4].update(block="ids"), "feature 's': block 'ids' holds integers"),
]


def small():
    return f.FeatureSet(
        [
            f.Numeric("user.age", name="n"),
            f.Categorical("item.genre", vocabulary=["a"], name="c"),
            f.Hashed("user.city", buckets=8, name="h"),
            f.Cross("user.city", "item.genre", buckets=8, name="x"),
            f.Similarity(name="s"),
        ]
    ).to_json()


@pytest.mark.parametrize(("damage", "message"), HOSTILE, ids=[message for _, message in HOSTILE])
def test_damaged_definitions_are_refused_with_feature_and_key(damage, message):
    document = json.loads(small())
    damage(document)
    error = UnsupportedError if "release" in message else FormatError
    with pytest.raises(error, match=r"^features\.json: ") as caught:
        f.FeatureSet.from_json(json.dumps(document))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON at byte 0"),
        ("[]", "expected an object, found an array"),
        (small()[:-1], "not valid JSON"),
        (small().replace('"version":1', '"version":1,"version":1'), "a key occurs twice"),
        (small().replace('"seed":0', '"seed":0,"seed":0', 1), "feature 'h': a key occurs twice"),
        (small().replace('"offset":0.0', '"offset":1e999'), "not valid JSON"),
        (small().encode().replace(b'"n"', b'"\xff"'), "UTF-8"),
        ("[" * 100, "nested too deep"),
    ],
)
def test_text_that_is_no_definition_is_refused(text, message):
    with pytest.raises(FormatError, match=r"^features\.json: ") as caught:
        f.FeatureSet.from_json(text)
    assert message in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_junk_is_an_error_of_this_package(text):
    with pytest.raises(ShortlistError):
        f.FeatureSet.from_json(text)
