"""XGBoost's transforms by themselves: its float32 formulas, and codes that are unknown."""

import numpy as np
import pytest

from shortlist import _core
from shortlist.errors import ArgumentError
from shortlist.models.importers.ensemble import Transform

SUMS = np.array([[0.0, 1.5, -2.0], [88.0, -89.0, -1000.0], [1e-30, 700.0, -0.0]], dtype=np.float32)


def transformed(transform, sums=SUMS):
    return _core.transformed(int(transform), 1.0, np.asarray(sums, dtype=np.float64))


FLOAT32 = [t for t in Transform if 16 <= t < 32]


@pytest.mark.parametrize("transform", FLOAT32)
def test_float32_transforms_give_float32_numbers(transform):
    found = transformed(transform)

    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(found, found.astype(np.float32))


def test_float32_formulas():
    wide = SUMS.astype(np.float64)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(
            transformed(Transform.FLOAT32_EXPONENTIAL), np.exp(wide).astype(np.float32), rtol=1e-6
        )
        sigmoid = 1.0 / (1.0 + np.exp(np.minimum(-wide, 88.7)))
    np.testing.assert_allclose(transformed(Transform.FLOAT32_LOGISTIC), sigmoid, rtol=1e-5)
    powers = np.exp(wide - wide.max(axis=1, keepdims=True))
    softmax = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        transformed(Transform.FLOAT32_SOFTMAX), softmax, rtol=1e-6, atol=1e-44
    )
    np.testing.assert_array_equal(transformed(Transform.FLOAT32_STEP), SUMS > 0)
    np.testing.assert_array_equal(transformed(Transform.FLOAT32_ASCENDING), np.sort(SUMS, axis=1))


@pytest.mark.parametrize("transform", FLOAT32)
def test_each_row_is_transformed_alone(transform):
    alone = np.concatenate([transformed(transform, row[None]) for row in SUMS])

    np.testing.assert_array_equal(transformed(transform), alone)


@pytest.mark.parametrize("code", [15, 31, 2**32 - 1])
def test_unknown_codes_are_refused(code):
    with pytest.raises(ArgumentError, match=f"transform: got {code}, which is unknown"):
        _core.transformed(code, 1.0, SUMS.astype(np.float64))
    with pytest.raises(ArgumentError, match=f"link: got {code}, which is unknown"):
        _core.base_margins(code, SUMS[0])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ArgumentError, match="sums: expected shape"):
        _core.transformed(0, 1.0, np.zeros(3))
    with pytest.raises(ArgumentError, match="scores: expected one dimension"):
        _core.base_margins(0, SUMS)


def test_base_scores_become_margins():
    scores = np.array([0.25, 0.5, 0.75], dtype=np.float32)

    np.testing.assert_allclose(
        _core.base_margins(0, scores), np.log(scores / (1 - scores)), rtol=1e-6, atol=0
    )
    np.testing.assert_allclose(_core.base_margins(1, scores), np.log(scores), rtol=1e-6)
    steps = _core.base_margins(2, np.array([1.0, 1.0, 3.0], dtype=np.float32))
    np.testing.assert_allclose(np.log1p(np.exp(steps[1:])) + 1e-6, [2e-6, 2.0], rtol=1e-2)
