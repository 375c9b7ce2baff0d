"""ONNX graphs of trees become forests, and what they say beside trees is kept."""

import sys

import numpy as np
import onnx
import pytest
from cases import MODELS, cases, needs_models
from onnx import TensorProto, helper
from onnx_models import (
    DOUBLE,
    FLOAT,
    classifier,
    graph,
    node,
    regressor,
    runtime_scores,
    session,
    stump,
    tensor,
    without_post_transform,
)

from shortlist.errors import UnsupportedError
from shortlist.models import Forest, OnnxModel, load_model
from shortlist.models.importers.ensemble import ViewKind
from shortlist.models.importers.onnx_trees import import_onnx_trees

TREES = [case for case in cases("onnx") if not case.id.startswith("mlp")]
ROWS = np.array([[-1.0], [0.0], [0.5], [np.nan], [np.inf]], np.float32)
INT64 = TensorProto.INT64


def forest(data):
    ensemble = import_onnx_trees(data)
    assert ensemble is not None
    return Forest.from_imported(ensemble)


def agrees(data, X=ROWS, name="scores"):
    expected = runtime_scores(data, X, name)
    found = forest(data).predict(X)
    np.testing.assert_array_equal(found.reshape(len(X), -1), expected)
    return found


@needs_models
@pytest.mark.parametrize("case", TREES)
def test_scores_of_real_graphs_equal_onnx_runtime_bit_for_bit(case):
    path = case.folder / "model.onnx"
    rows = np.loadtxt(case.folder / "input.input.csv", delimiter=",", skiprows=1)
    X = rows.astype(np.float32)
    opened = session(path.read_bytes())
    name = opened.get_outputs()[-1].name
    expected = np.loadtxt(case.folder / f"output.{name}.csv", delimiter=",", skiprows=1)

    model = load_model(path)

    assert isinstance(model, Forest)
    assert model.dtype == np.float32
    scores = model.predict(X)
    np.testing.assert_array_equal(scores, opened.run([name], {"input": X})[0])
    np.testing.assert_array_equal(scores, model.predict(X.astype(np.float64)))
    np.testing.assert_allclose(scores, expected, atol=1e-5)


@needs_models
def test_a_graph_of_trees_needs_no_onnx_runtime(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    model = load_model(MODELS / "onnx" / "sklearn_onnx_treecl" / "model.onnx")

    assert isinstance(model, Forest)
    assert model.n_outputs == 3


def test_a_graph_with_more_than_trees_is_left_to_onnx_runtime(tmp_path):
    made = [node("TreeEnsembleRegressor", stump(), ("sums",)), exponential("sums", "scores")]
    path = tmp_path / "poisson.onnx"
    path.write_bytes(graph(made).SerializeToString())

    model = load_model(path)

    assert isinstance(model, OnnxModel)
    np.testing.assert_allclose(model.predict(ROWS[:2]), np.exp([1.0, 1.0]), rtol=1e-6)


def exponential(source, target):
    return helper.make_node("Exp", [source], [target])


def test_what_the_compiled_form_cannot_hold_is_left_to_onnx_runtime(tmp_path, monkeypatch):
    def refuse(ensemble):
        raise UnsupportedError("more than fits")

    monkeypatch.setattr(Forest, "from_imported", refuse)
    path = tmp_path / "stump.onnx"
    path.write_bytes(regressor())

    np.testing.assert_array_equal(load_model(path).predict(ROWS[:3]), [1.0, 1.0, 2.0])


def test_a_chain_of_66000_nodes_is_read_and_scored():
    n = 66_000
    leaves = np.arange(n + 1)
    data = regressor(
        nodes_treeids=[0] * (2 * n + 1),
        nodes_nodeids=[*range(2 * n + 1)],
        nodes_featureids=[0] * (2 * n + 1),
        nodes_values=[*map(float, range(n)), *([0.0] * (n + 1))],
        nodes_modes=["BRANCH_LEQ"] * n + ["LEAF"] * (n + 1),
        nodes_truenodeids=[*(n + leaves[:n]), *([0] * (n + 1))],
        nodes_falsenodeids=[*range(1, n), 2 * n, *([0] * (n + 1))],
        target_treeids=[0] * (n + 1),
        target_nodeids=[*(n + leaves)],
        target_ids=[0] * (n + 1),
        target_weights=[*map(float, leaves)],
    )

    scores = forest(data).predict(np.array([[-1.0], [0.5], [65_998.5], [1e9]], np.float32))

    np.testing.assert_array_equal(scores, [0.0, 1.0, 65_999.0, 66_000.0])


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"])
@pytest.mark.parametrize("base", [[], [0.1], [0.1, 0.25]])
@pytest.mark.parametrize("first", [0.2, -0.2])
@pytest.mark.parametrize(
    "pairs",
    [
        [(1, 0), (2, 0)],
        [(1, 1), (2, 1)],
        [(1, 0), (1, 1), (2, 0), (2, 1)],
        [(1, 0), (2, 1)],
        [(1, 0)],
    ],
    ids=["first class", "second class", "both classes", "either class", "a leaf without"],
)
def test_two_classes_become_two_columns_as_onnx_runtime_makes_them(transform, base, first, pairs):
    data = classifier(
        class_treeids=[0] * len(pairs),
        class_nodeids=[leaf for leaf, _ in pairs],
        class_ids=[number for _, number in pairs],
        class_weights=[first, 0.7, 0.3, 0.4][: len(pairs)],
        base_values=base or None,
        post_transform=transform,
    )
    whole = len(pairs) == 4 or len({number for _, number in pairs}) == 1
    one_sum = all(number == 0 for _, number in pairs)

    ensemble = import_onnx_trees(data)

    if ensemble is None:  # columns that differ by row, are not set at all, or leave weights out
        left_out = len(base) == 2 or (one_sum and transform == "PROBIT")
        left_out |= bool(base) and pairs != [(1, 0), (2, 0)]
        assert left_out or not whole
        return
    agrees(data)


def test_raw_scores_of_one_sum_for_two_classes_are_the_sum_and_its_negative():
    found = forest(classifier(class_weights=[0.25, 0.75]))

    np.testing.assert_array_equal(found.predict(ROWS[:1]), [[0.75, 0.25]])
    np.testing.assert_array_equal(found.predict(ROWS[:1], raw_score=True), [[-0.25, 0.25]])


@pytest.mark.parametrize("transform", ["LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"])
def test_raw_scores_are_those_before_the_post_transform(transform):
    data = regressor(
        n_targets=2,
        target_treeids=[0] * 4,
        target_nodeids=[1, 1, 2, 2],
        target_ids=[0, 1, 0, 1],
        target_weights=[0.5, -1.5, 0.25, 0.75],
        base_values=[0.125, 0.25],
        post_transform=transform,
    )

    raw = forest(data).predict(ROWS, raw_score=True)

    np.testing.assert_array_equal(raw, runtime_scores(without_post_transform(data), ROWS))
    agrees(data)


@pytest.mark.parametrize("transform", ["LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"])
def test_a_single_target_has_no_transform_but_probit(transform):
    np.testing.assert_array_equal(agrees(regressor(post_transform=transform)), [1, 1, 2, 2, 2])


def test_labels_are_kept():
    numbers = import_onnx_trees(classifier(classlabels_int64s=[-3, 2**40]))
    texts = import_onnx_trees(
        classifier(classlabels_int64s=None, classlabels_strings=["no", "prix élevé"])
    )

    assert numbers.classes == (-3, 2**40)
    assert texts.classes == ("no", "prix élevé")


def test_features_are_counted_by_the_input_or_by_the_nodes():
    attributes = stump(nodes_featureids=[3, 0, 0])
    made = [node("TreeEnsembleRegressor", attributes)]

    declared = import_onnx_trees(graph(made, n_features=9).SerializeToString())
    counted = import_onnx_trees(graph(made).SerializeToString())

    assert declared.feature_names == tuple(f"f{i}" for i in range(9))
    assert counted.feature_names == ("f0", "f1", "f2", "f3")


def test_leaves_are_numbered_as_the_nodes_are():
    data = regressor(
        nodes_nodeids=[5, 9, 3],
        nodes_truenodeids=[9, 0, 0],
        nodes_falsenodeids=[3, 0, 0],
        target_nodeids=[9, 3],
    )

    ensemble = import_onnx_trees(data)

    assert sorted(ensemble.leaf_ids.tolist()) == [3, 9]
    np.testing.assert_array_equal(Forest.from_imported(ensemble).predict(ROWS[:3]), [1, 1, 2])


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


def test_many_trees_score_as_onnx_runtime():
    n_trees, depth = 300, 7
    inner, n = 2**depth - 1, 2 ** (depth + 1) - 1
    rng = np.random.default_rng(0)
    leaves = np.arange(inner, n)
    children = np.arange(n)
    data = regressor(
        nodes_treeids=np.repeat(np.arange(n_trees), n).tolist(),
        nodes_nodeids=np.tile(np.arange(n), n_trees).tolist(),
        nodes_featureids=rng.integers(0, 20, n_trees * n).tolist(),
        nodes_values=np.round(rng.normal(size=n_trees * n), 3).tolist(),
        nodes_modes=(["BRANCH_LT"] * inner + ["LEAF"] * (n - inner)) * n_trees,
        nodes_truenodeids=np.tile(
            np.where(children < inner, 2 * children + 1, 0), n_trees
        ).tolist(),
        nodes_falsenodeids=np.tile(
            np.where(children < inner, 2 * children + 2, 0), n_trees
        ).tolist(),
        target_treeids=np.repeat(np.arange(n_trees), leaves.size).tolist(),
        target_nodeids=np.tile(leaves, n_trees).tolist(),
        target_ids=[0] * (n_trees * leaves.size),
        target_weights=rng.normal(size=n_trees * leaves.size).tolist(),
    )
    X = np.round(rng.normal(size=(50, 20)), 3).astype(np.float32)

    agrees(data, X)
