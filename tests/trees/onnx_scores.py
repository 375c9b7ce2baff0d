"""ONNX graphs of trees as forests, held against ONNX Runtime."""

import numpy as np
from onnx_models import runtime_scores

from shortlist.models import Forest
from shortlist.models.importers.onnx_trees import import_onnx_trees

ROWS = np.array([[-1.0], [0.0], [0.5], [np.nan], [np.inf]], np.float32)


def forest(data):
    ensemble = import_onnx_trees(data)
    assert ensemble is not None
    return Forest.from_imported(ensemble)


def agrees(data, X=ROWS, name="scores"):
    expected = runtime_scores(data, X, name)
    found = forest(data).predict(X)
    np.testing.assert_array_equal(found.reshape(len(X), -1), expected)
    return found
