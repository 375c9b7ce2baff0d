"""What stands before and behind the trees of an ONNX graph is folded into the forest, or left."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import (
    DOUBLE,
    FLOAT,
    classifier,
    graph,
    node,
    runtime_scores,
    stump,
    tensor,
)
from onnx_scores import ROWS, agrees, forest

from shortlist.models.importers.onnx_trees import import_onnx_trees

INT64 = TensorProto.INT64


def behind(*steps, constants=(), prefix="target", operator="TreeEnsembleRegressor", **changed):
    """A stump and nodes behind it, each (type, inputs, attributes); "s0" are the trees' scores."""
    outputs = ("s0",) if prefix == "target" else ("label", "s0")
    nodes = [node(operator, stump(prefix, **changed), outputs)]
    for i, (op_type, inputs, attributes) in enumerate(steps):
        target = "scores" if i == len(steps) - 1 else f"s{i + 1}"
        domain = "ai.onnx.ml" if op_type == "ZipMap" else ""
        nodes.append(helper.make_node(op_type, inputs, [target], domain=domain, **attributes))
    held = [helper.make_tensor(name, FLOAT, shape, values) for name, shape, values in constants]
    return graph(nodes, constants=held).SerializeToString()


@pytest.mark.parametrize(
    ("steps", "number"),
    [
        ([("Identity", ["s0"], {})], 1.0),
        ([("Cast", ["s0"], {"to": FLOAT})], 1.0),
        ([("Mul", ["s0", "c"], {})], 0.3),
        ([("Mul", ["c", "s0"], {})], 0.3),
        ([("Div", ["s0", "c"], {})], 1.0),
        ([("Add", ["c", "s0"], {})], 0.7),
        ([("Sub", ["s0", "c"], {})], 0.7),
        ([("Mul", ["s0", "c"], {}), ("Identity", ["s1"], {}), ("Add", ["s2", "c"], {})], 0.3),
    ],
)
@pytest.mark.parametrize("shape", [[], [1], [1, 1]])
def test_what_computes_with_constants_behind_the_trees_is_folded(steps, number, shape):
    data = behind(*steps, constants=[("c", shape, [number])], target_weights=[1.7, -0.9])

    agrees(data)


def test_a_constant_may_be_a_node():
    value = helper.make_node("Constant", [], ["c"], value_float=0.3)
    nodes = [node("TreeEnsembleRegressor", stump(), ("s0",)), value]
    nodes.append(helper.make_node("Mul", ["s0", "c"], ["scores"]))

    agrees(graph(nodes).SerializeToString())


def test_a_sum_divided_by_the_number_of_trees_is_their_mean():
    trees = {name: 2 * values for name, values in stump().items() if isinstance(values, list)}
    trees |= {"nodes_treeids": [0, 0, 0, 1, 1, 1], "target_treeids": [0, 0, 1, 1]}
    trees |= {"target_weights": [0.1, 0.2, 0.3, 0.4]}
    steps = [("Div", ["s0", "c"], {})]

    agrees(behind(*steps, constants=[("c", [], [2.0])], **trees))

    assert import_onnx_trees(behind(*steps, constants=[("c", [], [3.0])], **trees)) is None


@pytest.mark.parametrize(
    "steps",
    [
        [("Exp", ["s0"], {})],
        [("Sigmoid", ["s0"], {})],
        [("Cast", ["s0"], {"to": INT64})],
        [("Mul", ["s0", "s0"], {})],
        [("Sub", ["c", "s0"], {})],
        [("Add", ["s0", "c"], {}), ("Mul", ["s1", "c"], {})],
        [("Mul", ["s0", "wide"], {})],
        [("Mul", ["s0", "nowhere"], {})],
        [("Identity", ["scores"], {})],
    ],
)
def test_what_else_stands_behind_the_trees_is_left_to_onnx_runtime(steps):
    constants = [("c", [], [0.5]), ("wide", [1, 3], [1.0, 1.0, 1.0])]

    assert import_onnx_trees(behind(*steps, constants=constants)) is None


def test_a_mean_is_not_folded_into_other_transforms():
    steps = [("Mul", ["s0", "c"], {})]
    kinds = {"prefix": "class", "operator": "TreeEnsembleClassifier"}

    one = behind(*steps, constants=[("c", [], [1.0])], post_transform="LOGISTIC", **kinds)
    half = behind(*steps, constants=[("c", [], [0.5])], post_transform="LOGISTIC", **kinds)

    agrees(one)
    assert import_onnx_trees(half) is None


def test_probabilities_may_be_zipped_with_labels():
    made = helper.make_graph(
        [
            node("TreeEnsembleClassifier", stump("class"), ("label", "s0")),
            helper.make_node(
                "ZipMap", ["s0"], ["scores"], domain="ai.onnx.ml", classlabels_int64s=[0, 1]
            ),
        ],
        "trees",
        [helper.make_tensor_value_info("X", FLOAT, [None, 1])],
        [
            helper.make_tensor_value_info("label", INT64, None),
            onnx.ValueInfoProto(name="scores"),
        ],
    )
    data = helper.make_model(made, ir_version=8).SerializeToString()

    scores = forest(data).predict(ROWS)

    np.testing.assert_array_equal(scores, runtime_scores(classifier(), ROWS))


@pytest.mark.parametrize(
    ("source", "casts", "threshold"),
    [(DOUBLE, [FLOAT], 0.1), (FLOAT, [DOUBLE], 0.1), (DOUBLE, [FLOAT, DOUBLE], 0.1)],
)
def test_inputs_may_be_cast_before_the_trees(source, casts, threshold):
    double = casts[-1] == DOUBLE
    values = [threshold, 7.0, 7.0]
    attributes = stump(
        nodes_values=None if double else values,
        nodes_values_as_tensor=tensor("nodes_values", DOUBLE, values) if double else None,
    )
    nodes = [helper.make_node("Identity", ["X"], ["i0"])]
    for i, kind in enumerate(casts):
        nodes.append(helper.make_node("Cast", [f"i{i}"], [f"i{i + 1}"], to=kind))
    made = node("TreeEnsembleRegressor", attributes)
    made.input[0] = f"i{len(casts)}"
    data = graph([*nodes, made], dtype=source, n_features=1).SerializeToString()
    around = np.array([0.1, float(np.float32(0.1)), 0.1 + 1e-12, 0.1 - 1e-12, 0.2])[:, None]

    agrees(data, around)


@pytest.mark.parametrize("kind", [TensorProto.INT64, TensorProto.INT32])
def test_integer_inputs_are_left_to_onnx_runtime(kind):
    data = graph([node("TreeEnsembleRegressor", stump())], dtype=kind).SerializeToString()

    assert import_onnx_trees(data) is None
