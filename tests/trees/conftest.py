"""Every kernel predicts in every test of trees; and a small LightGBM model to change."""

import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from shortlist.models import Forest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def every_kernel(monkeypatch):
    """Make every prediction of these tests with every kernel."""
    from every_kernel import with_every_kernel

    monkeypatch.setattr(Forest, "predict", with_every_kernel(Forest.predict))
    monkeypatch.setattr(Forest, "leaf_indices", with_every_kernel(Forest.leaf_indices))


@pytest.fixture(scope="session")
def model_text():
    """Four trees with numeric and categorical splits, as LightGBM writes them."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(500, 4))
    rows[:, 3] = rng.integers(0, 30, 500)
    target = rows[:, 0] + np.sin(rows[:, 3] * 2.0) + rows[:, 1] * rows[:, 2]
    params = {"objective": "regression", "num_leaves": 8, "verbosity": -1, "num_threads": 1}
    params |= {"min_data_per_group": 5, "cat_smooth": 1.0, "max_cat_to_onehot": 1}
    data = lightgbm.Dataset(rows, target, categorical_feature=[3], params=params)
    text = lightgbm.train(params, data, 4).model_to_string()
    assert "\nnum_cat=1\n" in text or "\nnum_cat=2\n" in text
    return text
