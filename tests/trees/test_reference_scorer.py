"""The slow reference scorer says what LightGBM says, so that it can judge the compiled form."""

import lightgbm
import numpy as np
import pytest
from cases import cases, needs_models
from reference import raw_scores

from shortlist.models.importers.lightgbm import import_lightgbm


@needs_models
@pytest.mark.parametrize("case", cases("lightgbm-text"))
def test_reference_scores_equal_lightgbm(case, tmp_path):
    path = case.model(tmp_path)
    rows = case.rows()[:60]
    expected = lightgbm.Booster(model_file=str(path)).predict(rows, raw_score=True)

    ensemble = import_lightgbm(path.read_bytes())

    scores = raw_scores(ensemble, rows)
    np.testing.assert_array_equal(scores, expected.reshape(scores.shape))
