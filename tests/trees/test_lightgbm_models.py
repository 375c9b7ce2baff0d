"""Real LightGBM models score as LightGBM does, bit for bit."""

import lightgbm
import numpy as np
import pytest
from cases import cases, needs_models

from shortlist.models import Forest, load_model
from shortlist.models.importers.lightgbm import import_lightgbm

pytestmark = needs_models

CASES = cases("lightgbm-text")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("raw_score", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_scores_equal_lightgbm_bit_for_bit(case, raw_score, dtype, tmp_path):
    path = case.model(tmp_path)
    rows = case.rows().astype(dtype)
    booster = lightgbm.Booster(model_file=str(path))

    scores = load_model(path).predict(rows, raw_score=raw_score)

    np.testing.assert_array_equal(scores, booster.predict(rows, raw_score=raw_score))


@pytest.mark.parametrize("case", CASES)
def test_single_rows_score_as_in_a_batch(case, tmp_path):
    forest = load_model(case.model(tmp_path))
    rows = case.rows()

    alone = np.concatenate([forest.predict(row[None]) for row in rows])

    np.testing.assert_array_equal(alone, forest.predict(rows))


@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_that_came_with_the_model(case, tmp_path):
    forest = load_model(case.model(tmp_path))
    rows = case.rows()
    tolerance = case.about["tolerance"]
    margin, prediction = case.expected("margin"), case.expected("pred")
    if case.about["name"] == "rf_iris_v2":  # LightGBM 4 applies the sigmoid to the mean
        table = np.genfromtxt(case.folder / "lightgbm_4.7_pred.csv", delimiter=",", skip_header=1)
        margin, prediction = None, table.reshape(len(rows), -1)

    shape = (len(rows), forest.n_outputs)
    if margin is not None:
        raw = forest.predict(rows, raw_score=True).reshape(shape)
        np.testing.assert_allclose(raw, margin, rtol=tolerance, atol=tolerance)
    if prediction is not None:
        np.testing.assert_allclose(
            forest.predict(rows).reshape(shape), prediction, rtol=tolerance, atol=tolerance
        )


@pytest.mark.parametrize("case", CASES)
def test_the_compiled_form_taken_back_in_scores_the_same(case, tmp_path):
    forest = load_model(case.model(tmp_path))
    rows = case.rows()

    again = Forest.from_compiled(*forest.compiled_arrays())

    np.testing.assert_array_equal(again.predict(rows), forest.predict(rows))
    assert again.feature_names == forest.feature_names
    assert again.objective == forest.objective


@pytest.mark.parametrize("case", CASES)
def test_a_model_cut_anywhere_is_refused(case, tmp_path):
    data = case.model(tmp_path).read_bytes()
    ends = [data.find(b"\nend of trees"), data.find(b"\nfeature importances:")]
    end = min(at for at in ends if at >= 0)
    cut = tmp_path / "cut.txt"
    rng = np.random.default_rng(1)

    for at in [5, end // 2, end - 1, *rng.integers(5, end, 5)]:
        cut.write_bytes(data[:at])
        with pytest.raises(ValueError, match="LightGBM model: "):
            load_model(cut)


def test_a_model_of_more_features_than_lightgbm_keeps_in_a_row_scores_alike():
    n = 150_000  # from 100,000 on LightGBM looks values up by feature
    text = (
        f"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
        f"max_feature_idx={n - 1}\nfeature_names={' '.join(f'f{i}' for i in range(n))}\n"
        f"feature_infos={'none ' * n}\n\nTree=0\nnum_leaves=3\nnum_cat=1\n"
        f"split_feature={n - 1} 7\nsplit_gain=1 1\nthreshold=0.5 0\ndecision_type=2 1\n"
        "left_child=1 -1\nright_child=-2 -3\nleaf_value=1 2 3\ncat_boundaries=0 1\n"
        "cat_threshold=2\nis_linear=1\nleaf_const=0.5 0.25 0.125\nnum_features=1 0 2\n"
        f"leaf_features=9   7 {n - 2} \nleaf_coeff=3   0.1 0.7 \nshrinkage=1\n\nend of trees\n"
    )
    rows = np.zeros((6, n))
    rows[1, [7, 9]] = 1.0, 2.0
    rows[2, [7, n - 2]] = 2.0, 0.3
    rows[3, [7, n - 2]] = 1e-40, np.nan
    rows[4, n - 1] = 0.75
    rows[5, n - 1] = np.nan
    expected = lightgbm.Booster(model_str=text).predict(rows)

    forest = Forest.from_imported(import_lightgbm(text.encode()))

    np.testing.assert_array_equal(forest.predict(rows), expected)
    assert len(set(expected)) == 5
