"""Real XGBoost models, in every format that they came in, score as XGBoost does, bit for bit."""

import numpy as np
import pytest
import xgboost
from cases import cases, needs_models
from reference import raw_scores
from xgboost_scores import expected, scores

from shortlist.models.importers.xgboost_dump import import_xgboost_dump
from shortlist.models.importers.xgboost_json import import_xgboost_json

pytestmark = [
    needs_models,
    pytest.mark.filterwarnings("ignore:.*Found JSON model saved before XGBoost 1.6"),
]

CASES = cases("xgboost") + cases("model.json")
FILES = [
    pytest.param(case.values[0], name, id=f"{case.id}-{name}")
    for case in CASES
    for name in case.values[0].about["models"]
    if "dump" not in name
]


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize(("case", "name"), [file for file in FILES if ".bin" not in file.id])
def test_scores_equal_xgboost_bit_for_bit(case, name, raw):
    rows = case.rows()[:80]
    booster = xgboost.Booster(model_file=str(case.folder / name))
    if case.about["objective"] == "multi:softmax":
        booster.set_param({"objective": "multi:softprob"})

    found = scores((case.folder / name).read_bytes(), rows, raw)

    np.testing.assert_array_equal(found, expected(booster, rows, raw))


@pytest.mark.parametrize(("case", "name"), FILES)
def test_scores_are_those_that_came_with_the_model(case, name):
    rows = case.rows()[:80]
    rounds = case.about.get("iteration_range", "all")

    margin = scores(
        (case.folder / name).read_bytes(), rows, True, None if rounds == "all" else rounds
    )

    np.testing.assert_allclose(margin, case.expected("margin")[:80], rtol=1e-5, atol=1e-6)


def test_a_dump_scores_as_the_model_without_its_base():
    (case,) = (c.values[0] for c in CASES if c.id == "xgb_breast_cancer")
    rows = case.rows()
    names = [f"xgboost_input_{i}" for i in range(30)]
    whole = import_xgboost_json((case.folder / "model.json").read_bytes())

    dump = import_xgboost_dump((case.folder / "model.dump.json").read_bytes(), names)

    assert dump.objective == "unknown"
    np.testing.assert_allclose(
        raw_scores(dump, rows) + whole.base, raw_scores(whole, rows), rtol=0, atol=1e-6
    )
