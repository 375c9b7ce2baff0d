"""A damaged or malicious ONNX graph is refused with a message that names node and attribute."""

import time
import tracemalloc

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import DOUBLE, FLOAT, classifier, graph, node, regressor, stump, tensor

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models import Forest
from shortlist.models.importers.onnx_trees import import_onnx_trees

INT64 = 2**63 - 1


def refuse(data, message):
    with pytest.raises(FormatError, match=message):
        import_onnx_trees(data)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"nodes_modes": ["BRANCH_XX", "LEAF", "LEAF"]}, "nodes_modes holds b'BRANCH_XX'"),
        ({"nodes_modes": None}, "nodes_modes is empty"),
        ({"nodes_modes": ["LEAF"]}, "nodes_treeids has 3 values, expected 1"),
        ({"nodes_values": [0.0]}, "nodes_values has 1 values, expected 3"),
        ({"nodes_values": [np.nan, 0.0, 0.0]}, "nodes_values holds nan"),
        ({"nodes_featureids": [-1, 0, 0]}, "nodes_featureids holds -1, expected 0 to"),
        ({"nodes_featureids": [INT64, 0, 0]}, "nodes_featureids holds 9223372036854775807"),
        ({"nodes_nodeids": [0, 1, 1]}, "nodes_nodeids has node 1 of tree 0 twice"),
        ({"nodes_truenodeids": [9, 0, 0]}, "nodes_truenodeids holds node 9 of tree 0, which"),
        ({"nodes_falsenodeids": [-1, 0, 0]}, "nodes_falsenodeids holds node -1"),
        ({"nodes_falsenodeids": [INT64, 0, 0]}, "nodes_falsenodeids holds node 92233"),
        ({"nodes_truenodeids": [0, 0, 0]}, "tree 0: its nodes hold a cycle"),
        ({"nodes_missing_value_tracks_true": [1]}, "tracks_true has 1 values, expected 3"),
        ({"nodes_missing_value_tracks_true": [2, 0, 0]}, "another number than 0 and 1"),
        ({"target_nodeids": [1, 7]}, "target_nodeids holds node 7 of tree 0"),
        ({"target_nodeids": [1]}, "target_nodeids has 1 values, expected 2"),
        ({"target_treeids": [0, 5]}, "target_treeids names a tree that is not there"),
        ({"target_ids": [0, 1]}, "target_ids holds 1 at position 1, expected 0 to 0"),
        ({"target_ids": [-1, 0]}, "target_ids holds -1 at position 0"),
        ({"n_targets": 0}, "n_targets is 0"),
        ({"n_targets": 10**9}, "n_targets is 1000000000, there are 2 weights"),
        ({"n_targets": -1}, "n_targets is -1"),
        ({"base_values": [1.0, 2.0]}, "base_values has 2 values for 1 outputs"),
        ({"post_transform": "TANH"}, "post_transform is 'TANH'"),
        ({"aggregate_function": "MEDIAN"}, "aggregate_function is 'MEDIAN'"),
    ],
)
def test_attributes_that_disagree_are_refused(changed, message):
    refuse(regressor(**changed), message)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"classlabels_int64s": None}, "classlabels_int64s is missing"),
        ({"classlabels_int64s": [1, 1]}, "name 1 twice"),
        ({"classlabels_strings": ["a", "b"]}, "classlabels_strings stands beside"),
        ({"class_ids": [0, 2]}, "class_ids holds 2 at position 1, expected 0 to 1"),
        ({"base_values": [0.0] * 3}, "base_values has 3 values for 2 outputs"),
    ],
)
def test_classes_that_disagree_are_refused(changed, message):
    refuse(classifier(**changed), message)


def test_an_input_narrower_than_the_trees_is_refused():
    made = [node("TreeEnsembleRegressor", stump(nodes_featureids=[3, 0, 0]))]

    refuse(graph(made, n_features=3).SerializeToString(), "name feature 3, the input has 3")
    refuse(graph(made, n_features=10**9).SerializeToString(), "1000000000 features, expected 1 to")


@pytest.mark.parametrize(
    ("modes", "yes", "no"),
    [
        (["BRANCH_LEQ"] * 2 + ["LEAF"], [1, 0, 0], [2, 2, 0]),
        (["BRANCH_EQ"] * 2 + ["LEAF"], [2, 2, 0], [1, 0, 0]),
        (["BRANCH_EQ"] * 2 + ["LEAF"], [2, 2, 0], [1, 1, 0]),
    ],
)
def test_a_cycle_is_refused(modes, yes, no):
    changed = {"nodes_modes": modes, "nodes_truenodeids": yes, "nodes_falsenodeids": no}
    weights = {"target_treeids": [0], "target_nodeids": [2], "target_ids": [0]}

    refuse(regressor(**changed, **weights, target_weights=[1.0]), "tree 0: its nodes hold a cycle")


def ensemble(**changed):
    attributes = {
        "tree_roots": [0],
        "n_targets": 1,
        "nodes_featureids": [0],
        "nodes_splits": tensor("nodes_splits", FLOAT, [0.0]),
        "nodes_modes": tensor("nodes_modes", TensorProto.UINT8, [0]),
        "nodes_truenodeids": [0],
        "nodes_trueleafs": [1],
        "nodes_falsenodeids": [1],
        "nodes_falseleafs": [1],
        "leaf_targetids": [0, 0],
        "leaf_weights": tensor("leaf_weights", FLOAT, [1.0, 2.0]),
    }
    return graph([node("TreeEnsemble", attributes | changed)], ml=5).SerializeToString()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tree_roots": [1]}, "tree_roots name a node that is none of 0 to 0"),
        ({"tree_roots": None}, "tree_roots is empty"),
        ({"nodes_truenodeids": [2]}, "nodes_truenodeids holds 2 at position 0, expected 0 to 1"),
        ({"nodes_falsenodeids": [-1]}, "nodes_falsenodeids holds -1"),
        ({"nodes_trueleafs": [0]}, "tree 0: its nodes hold a cycle"),
        ({"nodes_featureids": [0, 0]}, "nodes_featureids has 2 values, expected 1"),
        ({"leaf_targetids": [0]}, "leaf_targetids has 1 values, expected 2"),
        ({"leaf_targetids": [0, 4]}, "leaf_targetids holds 4 at position 1"),
        ({"nodes_modes": tensor("m", TensorProto.UINT8, [7])}, "nodes_modes holds 7"),
        ({"nodes_modes": tensor("m", TensorProto.UINT8, [6])}, "membership_values has 0 sets"),
        ({"post_transform": 5}, "post_transform is 5, expected 0 to 4"),
        ({"aggregate_function": -1}, "aggregate_function is -1"),
        ({"n_targets": 10**12}, "n_targets is 1000000000000"),
    ],
)
def test_attributes_of_the_new_operator_that_disagree_are_refused(changed, message):
    refuse(ensemble(**changed), message)


def test_tensors_of_another_type_or_in_other_files_are_left_to_onnx_runtime():
    double = tensor("nodes_splits", DOUBLE, [0.0])
    outside = tensor("nodes_splits", FLOAT, [0.0])
    outside.ClearField("float_data")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="/etc/passwd")

    assert import_onnx_trees(ensemble(nodes_splits=double)) is None
    assert import_onnx_trees(ensemble(nodes_splits=outside)) is None


def test_a_nan_that_signals_is_nan_without_a_warning():
    quiet, signalling = (np.array([b], np.uint32).tobytes() for b in (0x7FC00000, 0x7F800001))
    data = regressor(nodes_values=[np.nan, 7.0, 7.0])
    assert data.count(quiet) == 1

    refuse(data.replace(quiet, signalling), "nodes_values holds nan")


def test_a_tensor_whose_shape_says_otherwise_is_refused():
    vast = tensor("nodes_splits", FLOAT, [0.0])
    vast.dims[:] = [10**9, 10**9]

    refuse(ensemble(nodes_splits=vast), "has 1 values, its shape")
    vast.dims[:] = [-1]
    refuse(ensemble(nodes_splits=vast), "has 1 values, its shape")
    vast.dims[:] = [1] * 100
    refuse(ensemble(nodes_splits=vast), "has 100 axes")


def test_trees_over_a_vast_number_of_classes_take_no_memory():
    n = 20_000
    data = classifier(
        nodes_treeids=np.repeat(np.arange(n), 3).tolist(),
        nodes_nodeids=[0, 1, 2] * n,
        nodes_featureids=[0] * (3 * n),
        nodes_values=[0.0] * (3 * n),
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"] * n,
        nodes_truenodeids=[1, 0, 0] * n,
        nodes_falsenodeids=[2, 0, 0] * n,
        class_treeids=np.repeat(np.arange(n), 2).tolist(),
        class_nodeids=[1, 2] * n,
        class_ids=np.random.default_rng(0).permutation(2 * n).tolist(),
        class_weights=[1.0] * (2 * n),
        classlabels_int64s=[*range(2 * n)],
    )
    tracemalloc.start()

    assert import_onnx_trees(data) is None

    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_steps_and_names_that_lead_in_a_circle_are_left_to_onnx_runtime():
    nodes = [
        node("TreeEnsembleRegressor", stump(), ("s0",)),
        helper.make_node("Identity", ["scores"], ["scores2"]),
        helper.make_node("Identity", ["scores2"], ["scores"]),
    ]
    before = node("TreeEnsembleRegressor", stump())
    before.input[0] = "again"
    circle = helper.make_node("Identity", ["again"], ["again"])

    assert import_onnx_trees(graph(nodes).SerializeToString()) is None
    assert import_onnx_trees(graph([before, circle]).SerializeToString()) is None


def test_two_nodes_that_make_the_same_name_are_refused():
    twice = [node("TreeEnsembleRegressor", stump())] * 2

    refuse(graph(twice).SerializeToString(), "'scores' is made by two nodes")


def test_attributes_that_are_not_known_or_stand_twice():
    model = onnx.load_from_string(regressor())
    made = model.graph.node[0]
    made.attribute.append(helper.make_attribute("n_targets", 1))

    refuse(model.SerializeToString(), "attribute 'n_targets' stands there twice")
    made.attribute[-1].name = "later"
    assert import_onnx_trees(model.SerializeToString()) is None


def test_operators_that_the_file_defines_itself_are_left_to_onnx_runtime():
    model = onnx.load_from_string(regressor())
    model.functions.add(name="TreeEnsembleRegressor", domain="ai.onnx.ml")

    assert import_onnx_trees(model.SerializeToString()) is None


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_is_refused_or_scored_without_a_crash(seed):
    rng = np.random.default_rng(seed)
    trees = {name: 2 * values for name, values in stump().items() if isinstance(values, list)}
    trees |= {"nodes_treeids": [0, 0, 0, 1, 1, 1], "target_treeids": [0, 0, 1, 1]}
    whole = [regressor(**trees), classifier(), ensemble(), regressor()][seed]
    rows = rng.normal(size=(5, 1))
    slowest = 0.0
    for _ in range(400):
        damaged = bytearray(whole)
        for at in rng.integers(0, len(damaged), rng.integers(1, 4)):
            damaged[at] = rng.integers(256)
        data = bytes(damaged[: len(damaged) if rng.random() < 0.8 else rng.integers(len(damaged))])
        began = time.perf_counter()
        try:
            found = import_onnx_trees(data)
            if found is None:
                continue
            forest = Forest.from_imported(found)
        except (FormatError, UnsupportedError):
            continue
        finally:
            slowest = max(slowest, time.perf_counter() - began)
        if forest.n_features == 1:
            forest.predict(rows)
    assert slowest < 5.0
