"""ONNX graphs for tests: put together by onnx.helper, scored by ONNX Runtime on one thread."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE
NUMPY = {FLOAT: np.float32, DOUBLE: np.float64}


def graph(nodes, *, n_features=None, dtype=FLOAT, outputs=("scores",), constants=(), ml=3):
    """A model with one input "X"; outputs are tensors of float32 unless given as (name, type)."""
    source = helper.make_tensor_value_info("X", dtype, [None, n_features])
    made = []
    for output in outputs:
        name, kind = output if isinstance(output, tuple) else (output, FLOAT)
        made.append(helper.make_tensor_value_info(name, kind, None))
    made_graph = helper.make_graph(nodes, "trees", [source], made, list(constants))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", ml)]
    return helper.make_model(made_graph, opset_imports=opsets, ir_version=8)


def node(op_type, attributes, outputs=("scores",)):
    given = {name: value for name, value in attributes.items() if value is not None}
    return helper.make_node(op_type, ["X"], list(outputs), domain="ai.onnx.ml", **given)


def stump(prefix="target", **changed):
    """Attributes of one split at 0 and two leaves, which give 1 and 2."""
    attributes = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [0, 0, 0],
        "nodes_values": [0.0, 7.0, 7.0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        f"{prefix}_treeids": [0, 0],
        f"{prefix}_nodeids": [1, 2],
        f"{prefix}_ids": [0, 0],
        f"{prefix}_weights": [1.0, 2.0],
        "post_transform": "NONE",
    }
    attributes |= {"n_targets": 1} if prefix == "target" else {"classlabels_int64s": [0, 1]}
    return attributes | changed


def regressor(**changed):
    """The bytes of a graph that is a stump with some attributes changed."""
    return graph([node("TreeEnsembleRegressor", stump(**changed))]).SerializeToString()


def classifier(**changed):
    attributes = stump("class", **changed)
    made = node("TreeEnsembleClassifier", attributes, ("label", "scores"))
    outputs = (("label", TensorProto.INT64), "scores")
    if attributes.get("classlabels_strings"):
        outputs = (("label", TensorProto.STRING), "scores")
    return graph([made], outputs=outputs).SerializeToString()


def tensor(name, dtype, values):
    return helper.make_tensor(name, dtype, [len(values)], values)


def session(data):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def runtime_scores(data, X, name="scores"):
    """What ONNX Runtime gives, as a matrix; rows are rounded to the type of the input."""
    opened = session(data)
    source = opened.get_inputs()[0]
    with np.errstate(over="ignore"):
        rows = X.astype(np.float32 if source.type == "tensor(float)" else np.float64)
    (found,) = opened.run([name], {source.name: rows})
    return np.asarray(found).reshape(len(X), -1)


def without_post_transform(data):
    """The same graph with post_transform NONE."""
    model = onnx.load_from_string(data)
    for made in model.graph.node:
        for attribute in made.attribute:
            if attribute.name == "post_transform" and attribute.type == onnx.AttributeProto.INT:
                attribute.i = 0
            elif attribute.name == "post_transform":
                attribute.s = b"NONE"
    return model.SerializeToString()
