"""Nodes of ONNX trees that are no plain splits: equalities, sets, shared and dead ones."""

import numpy as np
import pytest
from onnx import TensorProto
from onnx_models import (
    DOUBLE,
    FLOAT,
    graph,
    node,
    regressor,
    tensor,
)
from onnx_scores import agrees

from shortlist.models.importers.ensemble import ViewKind
from shortlist.models.importers.onnx_trees import import_onnx_trees

INT64 = TensorProto.INT64


def test_a_chain_of_equalities_becomes_one_set():
    data = regressor(
        nodes_treeids=[0] * 5,
        nodes_nodeids=[*range(5)],
        nodes_featureids=[0] * 5,
        nodes_values=[1.0, 5.0, 40.0, 0.0, 0.0],
        nodes_modes=["BRANCH_EQ"] * 3 + ["LEAF"] * 2,
        nodes_truenodeids=[3, 3, 3, 0, 0],
        nodes_falsenodeids=[1, 2, 4, 0, 0],
        target_nodeids=[3, 4],
    )
    X = np.array([[1.0], [5.0], [40.0], [1.5], [-1.0], [np.nan], [0.0]], np.float32)

    ensemble = import_onnx_trees(data)

    assert ensemble.kinds.tolist() == [ViewKind.VALUE]
    assert ensemble.categories.tolist() == [1.0, 5.0, 40.0]
    np.testing.assert_array_equal(agrees(data, X), [1, 1, 1, 2, 2, 2, 2])


def test_a_chain_of_equalities_that_differs_about_nan_is_left_to_onnx_runtime():
    chain = {
        "nodes_treeids": [0] * 4,
        "nodes_nodeids": [0, 1, 2, 3],
        "nodes_featureids": [0] * 4,
        "nodes_values": [1.0, 2.0, 0.0, 0.0],
        "nodes_modes": ["BRANCH_EQ"] * 2 + ["LEAF"] * 2,
        "nodes_truenodeids": [2, 2, 0, 0],
        "nodes_falsenodeids": [1, 3, 0, 0],
        "target_nodeids": [2, 3],
    }

    agrees(regressor(nodes_missing_value_tracks_true=[1, 1, 0, 0], **chain))

    assert (
        import_onnx_trees(regressor(nodes_missing_value_tracks_true=[0, 1, 0, 0], **chain)) is None
    )


def test_a_node_with_two_parents_is_left_to_onnx_runtime():
    shared = regressor(
        nodes_treeids=[0] * 4,
        nodes_nodeids=[0, 1, 2, 3],
        nodes_featureids=[0] * 4,
        nodes_values=[0.0] * 4,
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LEQ"],
        nodes_truenodeids=[3, 0, 0, 1],
        nodes_falsenodeids=[3, 0, 0, 2],
    )

    assert import_onnx_trees(shared) is None


def test_nodes_that_no_row_reaches_are_left_out():
    data = regressor(
        nodes_treeids=[0] * 5,
        nodes_nodeids=[0, 1, 2, 3, 4],
        nodes_featureids=[0] * 5,
        nodes_values=[0.0] * 5,
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LEQ", "LEAF"],
        nodes_truenodeids=[1, 0, 0, 1, 0],
        nodes_falsenodeids=[2, 0, 0, 4, 0],
        target_treeids=[0] * 3,
        target_nodeids=[1, 2, 4],
        target_ids=[0] * 3,
        target_weights=[1.0, 2.0, 3.0],
    )

    assert import_onnx_trees(data).leaf_values.tolist() == [1.0, 2.0]
    agrees(data)


def sets(members, dtype=FLOAT):
    attributes = {
        "tree_roots": [0],
        "n_targets": 1,
        "nodes_featureids": [0],
        "nodes_splits": tensor("nodes_splits", dtype, [0.0]),
        "nodes_modes": tensor("nodes_modes", TensorProto.UINT8, [6]),
        "nodes_truenodeids": [0],
        "nodes_trueleafs": [1],
        "nodes_falsenodeids": [1],
        "nodes_falseleafs": [1],
        "leaf_targetids": [0, 0],
        "leaf_weights": tensor("leaf_weights", dtype, [1.0, 2.0]),
        "membership_values": tensor("membership_values", dtype, members),
    }
    made = [node("TreeEnsemble", attributes)]
    return graph(made, dtype=dtype, outputs=(("scores", dtype),), ml=5).SerializeToString()


@pytest.mark.parametrize("dtype", [FLOAT, DOUBLE])
def test_large_sets_are_looked_up_without_fractions_as_onnx_runtime_does(dtype):
    numbers = [0.0, -0.0, 1.0, 1.5, 2.0, 30.0, 40.0, 40.5, 41.0, -0.5, -1.0, 2.0**31, 2.0**40]
    X = np.array([[x] for x in [*numbers, np.nan, np.inf, -np.inf]])

    np.testing.assert_array_equal(agrees(sets([1.0, 2.0], dtype), X)[2:5], [1, 2, 1])
    np.testing.assert_array_equal(agrees(sets([1.0, 40.0], dtype), X)[2:5], [1, 1, 2])
    agrees(sets([float(i) for i in range(31)], dtype), X)


@pytest.mark.parametrize("members", [[-1.0, 2.0], [1.0, 40.5], [1.0, 3e9]])
def test_large_sets_of_other_numbers_are_left_to_onnx_runtime(members):
    assert import_onnx_trees(sets(members)) is None
