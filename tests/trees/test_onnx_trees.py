"""ONNX graphs of trees become forests, and what they say beside trees is kept."""

import sys

import numpy as np
import pytest
from cases import MODELS, cases, needs_models
from onnx import TensorProto, helper
from onnx_models import (
    classifier,
    graph,
    node,
    regressor,
    runtime_scores,
    session,
    stump,
    without_post_transform,
)
from onnx_scores import ROWS, agrees, forest

from shortlist.errors import UnsupportedError
from shortlist.models import Forest, OnnxModel, load_model
from shortlist.models.importers.onnx_trees import import_onnx_trees

TREES = [case for case in cases("onnx") if not case.id.startswith("mlp")]
INT64 = TensorProto.INT64


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
