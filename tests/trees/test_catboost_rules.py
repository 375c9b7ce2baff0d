"""Rules of CatBoost models that trained models seldom show."""

import json

import catboost
import numpy as np
import pytest
from catboost_scores import cells, imported, saved, scores

from shortlist._core import catboost_hash_texts, transformed
from shortlist.errors import UnsupportedError
from shortlist.models import Forest
from shortlist.models.importers.ensemble import ImportedEnsemble, Transform, ViewKind

PARAMS = {"thread_count": 1, "verbose": False, "allow_writing_files": False, "random_seed": 3}


def trained(X, y, cats=(), **params):
    pool = catboost.Pool(X, y, cat_features=list(cats))
    return catboost.CatBoost({**PARAMS, **params}).fit(pool)


def raw(model, X, cats=(), **arguments):
    pool = catboost.Pool(X, cat_features=list(cats))
    found = model.predict(pool, "RawFormulaVal", thread_count=1, **arguments)
    return found.reshape(len(X), -1)


def from_json(data, tmp_path):
    path = tmp_path / "changed.json"
    path.write_bytes(data)
    return catboost.CatBoost().load_model(str(path), format="json")


def category_rows(n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = [[str(a), str(b), float(c)] for a, b, c in rng.integers(0, 9, (n, 3))]
    y = [(int(a) * 3 + int(b)) % 7 > 2 for a, b, _ in X]
    return X, np.array(y, int)


def as_numbers(X):
    return np.array([[float(x) for x in row] for row in X])


def test_hashes_are_those_of_catboost_for_texts_of_every_length(tmp_path):
    texts = ["é" * (n // 2) + "x" * (n % 2) for n in range(200)] + [
        f"{n:0{n}d}" for n in range(200)
    ]
    X = [[text, i % 5] for i, text in enumerate(texts * 4)]
    y = np.arange(len(X), dtype=float)
    model = trained(X, y, [0], iterations=400, depth=1, one_hot_max_size=255, max_ctr_complexity=1)
    pool = catboost.Pool(X, y, cat_features=[0])
    data = json.loads(saved(model, tmp_path, "json", pool))

    named = {e["value"]: e["hash"] for e in data["features_info"]["cat_features_hash"]}

    assert set(named) == set(texts)
    found = catboost_hash_texts(list(named))
    np.testing.assert_array_equal(found, np.array(list(named.values()), np.uint32))


def one_category_trees(hashes):
    """One feature; output t is 1 where its category has hash t, else 0."""
    n = len(hashes)
    return ImportedEnsemble(
        source="one category",
        objective="none",
        feature_names=("category",),
        n_outputs=n,
        transform=Transform.IDENTITY,
        split_offsets=np.arange(n + 1),
        leaf_offsets=2 * np.arange(n + 1),
        features=np.zeros(n, np.int64),
        kinds=np.full(n, ViewKind.HASHED),
        thresholds=np.zeros(n),
        left=np.full(n, ~0),
        right=np.full(n, ~1),
        leaf_values=np.tile([1.0, 0.0], n),
        category_offsets=np.arange(n + 1),
        categories=hashes.astype(np.float64),
    )


def test_whole_cells_and_their_texts_are_the_same_category():
    numbers = [0.0, -0.0, 7.0, -12.0, 1996.0, 2.0**53 - 1, -(2.0**53) + 1]
    texts = ["0", "0", "7", "-12", "1996", "9007199254740991", "-9007199254740991"]

    forest = Forest.from_imported(one_category_trees(catboost_hash_texts(texts)))

    known = forest.predict(np.array(numbers)[:, None], raw_score=True)
    np.testing.assert_array_equal(np.diag(known), 1.0)
    np.testing.assert_array_equal(forest.predict(cells(texts)[:, None]), known)


def test_missing_and_fractional_cells_are_no_category_and_score_as_an_unseen_one(tmp_path):
    X, y = category_rows()
    for size in (1, 20):
        model = trained(X, y, [0, 1], iterations=10, depth=3, one_hot_max_size=size)
        data = saved(model, tmp_path, "cbm")
        unseen = raw(model, [["never", "seen", 1.0]], [0, 1])
        for cell in (np.nan, 0.5, np.inf, -1e300, 2.0**53 + 2.0**33):
            np.testing.assert_array_equal(scores(data, [[cell, cell, 1.0]]), unseen)


@pytest.mark.parametrize(
    ("kind", "other"),
    [("Counter", "FeatureFreq"), ("BinarizedTargetMeanValue", "FloatTargetMeanValue")],
)
def test_ctr_types_of_gpu_training_score_as_catboost(kind, other, tmp_path):
    X, y = category_rows()
    ctrs = {"simple_ctr": [kind], "combinations_ctr": [kind], "one_hot_max_size": 1}
    model = trained(X, y, [0, 1], iterations=12, depth=4, loss_function="Logloss", **ctrs)
    pool = catboost.Pool(X, y, cat_features=[0, 1])
    parts = json.loads(saved(model, tmp_path, "json", pool))
    for part in ("features_info", "ctr_data"):
        parts[part] = json.loads(json.dumps(parts[part]).replace(kind, other))
    changed = from_json(json.dumps(parts).encode(), tmp_path)
    assert any(ctr["ctr_type"] == other for ctr in parts["features_info"]["ctrs"])
    expected = raw(changed, X, [0, 1])

    for form in ("cbm", "json"):
        data = saved(changed, tmp_path, form, pool)
        np.testing.assert_array_equal(scores(data, as_numbers(X)), expected)


def test_sums_of_float_ctrs_in_json_are_taken_as_written(tmp_path):
    rng = np.random.default_rng(1)
    X = [[str(a)] for a in rng.integers(0, 30, 400)]
    y = rng.normal(size=400)
    ctr = ["BinarizedTargetMeanValue:TargetBorderCount=7"]
    model = trained(X, y, [0], iterations=20, depth=2, simple_ctr=ctr)
    pool = catboost.Pool(X, y, cat_features=[0])

    for form in ("cbm", "json"):
        data = saved(model, tmp_path, form, pool)
        np.testing.assert_array_equal(scores(data, as_numbers(X)), raw(model, X, [0]))


def test_tables_that_json_mixes_up_are_refused(tmp_path):
    X, y = category_rows()
    ctr = ["Borders:TargetBorderCount=1", "Borders:TargetBorderCount=3"]
    y = y + as_numbers(X)[:, 0]
    model = trained(X, y, [0, 1], iterations=10, depth=3, simple_ctr=ctr)
    pool = catboost.Pool(X, y, cat_features=[0, 1])

    np.testing.assert_array_equal(
        scores(saved(model, tmp_path, "cbm"), as_numbers(X)), raw(model, X, [0, 1])
    )
    with pytest.raises(UnsupportedError, match="does not tell apart; save the model as cbm"):
        imported(saved(model, tmp_path, "json", pool))


@pytest.mark.parametrize("form", ["cbm", "json"])
@pytest.mark.parametrize("bias", [0.0, 0.375])
@pytest.mark.parametrize("scale", [1.0, 0.1, -3.7])
def test_scale_and_bias_apply_as_in_catboost(form, bias, scale, tmp_path):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(200, 3)).astype(np.float32)
    model = trained(X, X[:, 0] * X[:, 1], iterations=9, depth=3)
    model.set_scale_and_bias(scale, bias)
    data = saved(model, tmp_path, form)

    for first, last in ((0, 9), (0, 4), (3, 9), (8, 9)):
        expected = raw(model, X, ntree_start=first, ntree_end=last)
        np.testing.assert_array_equal(scores(data, X, rounds=(first, last)), expected)


def test_batches_of_every_size_score_alike(tmp_path):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(300, 3)).astype(np.float32)
    model = trained(X, X[:, 0] * X[:, 1], iterations=40, depth=5)
    found = scores(saved(model, tmp_path, "cbm"), X)

    for n in (1, 2, 3, 15, 16, 17, 127, 128, 129, 300):
        np.testing.assert_array_equal(found[:n], raw(model, X[:n]))


@pytest.mark.parametrize(("depth", "iterations", "borders"), [(2, 700, 255), (9, 4, 9)])
def test_more_than_254_borders_or_8_levels(depth, iterations, borders, tmp_path):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(900, 1)).astype(np.float32)
    y = rng.normal(size=900)
    params = {"border_count": 800, "random_strength": 50, "l2_leaf_reg": 0.01}
    model = trained(X, y, iterations=iterations, depth=depth, **params)
    at = np.array(model.get_borders()[0], np.float32)
    assert len(at) >= borders
    edges = np.concatenate([at, np.nextafter(at, np.float32(9)), np.nextafter(at, np.float32(-9))])
    rows = rng.choice(edges, (200, 1))

    for form in ("cbm", "json"):
        np.testing.assert_array_equal(scores(saved(model, tmp_path, form), rows), raw(model, rows))


def test_the_fast_exp_is_catboosts_from_end_to_end(tmp_path):
    X = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    model = trained(X, X[:, 0], iterations=30, depth=4, learning_rate=0.5)
    sums = raw(model, X)
    for scale in (1.0, 1e-300, 1e-9, 30.0, 700.0, 709.9, 1e4):
        model.set_scale_and_bias(scale / np.abs(sums).max(), 0.0)
        expected = model.predict(X, "Exponent", thread_count=1)  # 64 rows: whole vectors of four

        found = transformed(int(Transform.CATBOOST_EXPONENTIAL), 1.0, raw(model, X))

        np.testing.assert_array_equal(found[:, 0], expected)


@pytest.mark.parametrize("n_classes", [3, 4, 5])
def test_softmax_of_far_apart_scores(n_classes, tmp_path):
    rng = np.random.default_rng(6)
    X = rng.normal(size=(120, 2)).astype(np.float32)
    y = np.digitize(X[:, 0], [-0.5, 0.0, 0.5, 1.0][: n_classes - 1])
    params = {"loss_function": "MultiClass", "iterations": 30, "learning_rate": 1.0}
    model = trained(X, y, depth=3, **params)
    data = json.loads(saved(model, tmp_path, "json"))
    for factor in (1.0, 30.0, 400.0, 3000.0):
        changed = json.loads(json.dumps(data))
        for tree in changed["oblivious_trees"]:
            tree["leaf_values"] = [v * factor for v in tree["leaf_values"]]
        other = from_json(json.dumps(changed).encode(), tmp_path)
        sums = np.ascontiguousarray(raw(other, X))

        found = transformed(int(Transform.CATBOOST_SOFTMAX), 1.0, sums)

        expected = other.predict(X, "Probability", thread_count=1)
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=3e-308)
        np.testing.assert_array_equal(found[expected > 1e-300], expected[expected > 1e-300])


def test_text_and_embedding_features_are_refused_by_name(tmp_path):
    rng = np.random.default_rng(7)
    words = ["red fox", "blue sky", "green tea", "old hat"]
    texts = [[words[i % 4] + " " + words[i % 3], float(i % 5)] for i in range(100)]
    y = np.arange(100) % 2
    pool = catboost.Pool(texts, y, text_features=[0], feature_names=["title", "size"])
    model = catboost.CatBoost({**PARAMS, "iterations": 5, "loss_function": "Logloss"}).fit(pool)
    with pytest.raises(UnsupportedError, match=r"text features are not handled: \['title'\]"):
        imported(saved(model, tmp_path, "cbm"))
    rows = [[list(rng.normal(size=3)), float(i % 5)] for i in range(100)]
    pool = catboost.Pool(rows, y, embedding_features=[0], feature_names=["vec", "size"])
    model = catboost.CatBoost({**PARAMS, "iterations": 5, "loss_function": "Logloss"}).fit(pool)
    with pytest.raises(UnsupportedError, match=r"embedding features are not handled: \['vec'\]"):
        imported(saved(model, tmp_path, "cbm"))


@pytest.mark.parametrize("labels", [["no", "yes"], [3, 17], [0.5, 2.5]])
def test_classes_are_those_of_the_classifier(labels, tmp_path):
    rng = np.random.default_rng(8)
    X = rng.normal(size=(60, 2))
    y = np.array(labels)[(X[:, 0] > 0).astype(int)]
    model = catboost.CatBoostClassifier(**PARAMS, iterations=3).fit(X, y)

    for form in ("cbm", "json"):
        ensemble = imported(saved(model, tmp_path, form))
        np.testing.assert_array_equal(ensemble.classes, model.classes_)
        assert ensemble.transform == Transform.SIGMOID


def test_trees_of_a_single_leaf_score_as_catboost(tmp_path):
    X = np.arange(40.0).reshape(20, 2)
    y = np.arange(20.0)
    model = trained(X, y, iterations=3, grow_policy="Depthwise", min_data_in_leaf=50)
    for form in ("cbm", "json"):
        data = saved(model, tmp_path, form)
        assert imported(data).features.size == 0
        np.testing.assert_array_equal(scores(data, X), raw(model, X))
