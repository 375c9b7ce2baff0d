"""Models that old versions of XGBoost wrote score as those versions did, bit for bit."""

import platform
from pathlib import Path

import numpy as np
import pytest
from xgboost_scores import imported, leaves, scores

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "xgboost"
FILES = [
    pytest.param(path, id=f"{path.parent.name}-{path.name}")
    for path in sorted(FIXTURES.rglob("*"))
    if path.suffix in (".bin", ".json")
]


def test_the_fixtures_are_there():
    assert len(FILES) == 51


@pytest.mark.parametrize("path", FILES)
def test_scores_are_those_of_the_version_that_wrote_the_file(path):
    known = np.load(path.with_suffix(".npz"))
    data = path.read_bytes()

    margin, prediction = (scores(data, known["rows"], raw) for raw in (True, False))

    for found, name in ((margin, "margin"), (prediction, "prediction")):
        written = known[name].reshape(found.shape)
        if platform.libc_ver()[0] == "glibc":  # whose exp and log the fixtures were made with
            np.testing.assert_array_equal(found, written)
        np.testing.assert_allclose(found, written, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("path", [file for file in FILES if "linear" not in file.id])
def test_leaves_are_numbered_as_by_that_version(path):
    known = np.load(path.with_suffix(".npz"))

    ensemble = imported(path.read_bytes())

    reached = leaves(ensemble, known["rows"])
    np.testing.assert_array_equal(reached, known["leaves"].reshape(reached.shape))
    assert ensemble.best_iteration == 2
    assert len(ensemble.round_offsets) == 5
