"""Bundles whose ranker is an ONNX graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ingredients import Ingredients

import shortlist
from shortlist import features as f
from shortlist.errors import ArgumentError, MismatchError, UnsupportedError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def save_graph(path: Path, inputs: dict[str, tuple[int, int]], nodes: list) -> Path:
    """A graph with these inputs (element type, columns) and one output "score"."""
    graph = onnx.helper.make_graph(
        nodes,
        "scorer",
        [
            onnx.helper.make_tensor_value_info(name, kind, [None, columns])
            for name, (kind, columns) in inputs.items()
        ],
        [onnx.helper.make_tensor_value_info("score", onnx.TensorProto.FLOAT, [None, 1])],
        [onnx.numpy_helper.from_array(np.array([1], np.int64), "axis")],
    )
    opset = onnx.helper.make_opsetid("", 13)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return path


@pytest.fixture
def dense_graph(tmp_path: Path) -> Path:
    """Sum of six dense features."""
    nodes = [onnx.helper.make_node("ReduceSum", ["x", "axis"], ["score"], keepdims=1)]
    return save_graph(tmp_path / "sum.onnx", {"x": (onnx.TensorProto.FLOAT, 6)}, nodes)


@pytest.fixture
def plain(ingredients: Ingredients) -> f.FeatureSet:
    """The same features, none of them missing in any row."""
    names = ("user.age", "context.hour", "item.price", "item.bm25")
    return f.FeatureSet(
        [
            *(f.Numeric(name, missing=1.0) for name in names),
            f.Categorical("item.genre", vocabulary=["jazz", "blues"]),
            f.Hashed("user.city", buckets=16),
        ]
    )


def test_a_graph_over_the_dense_block_is_packed_and_served(
    ingredients, plain, dense_graph, tmp_path
):
    content = ingredients.everything() | {"features": plain, "ranker": dense_graph}
    content.pop("reference")
    version = shortlist.pack(tmp_path / "movies", **content)
    assert (version / "ranker.onnx").read_bytes() == dense_graph.read_bytes()
    assert shortlist.verify(version).n_samples > 0
    assert len(shortlist.Engine.load(version).rank({"user": {"id": "u2"}}, k=4).ids) == 4


def test_blocks_go_to_the_inputs_of_their_names(tmp_path):
    features = f.FeatureSet(
        [
            f.Numeric("user.age", missing=0.0),
            f.Categorical("item.genre", vocabulary=["jazz", "blues"], block="ids"),
        ]
    )
    nodes = [
        onnx.helper.make_node("Cast", ["ids"], ["codes"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("Add", ["dense", "codes"], ["score"]),
    ]
    kinds = {"ids": (onnx.TensorProto.INT32, 1), "dense": (onnx.TensorProto.FLOAT, 1)}
    graph = save_graph(tmp_path / "add.onnx", kinds, nodes)
    frame = {"user.age": [1.0, 2.0], "item.genre": ["jazz", "blues"]}
    version = shortlist.pack(tmp_path / "m", ranker=graph, features=features, reference=frame)
    engine = shortlist.Engine.load(version)
    rows = [{"user.age": 3, "item.genre": "blues"}, {"user.age": 4}]
    assert engine.score(rows).tolist() == [5.0, 4.0]
    other = f.FeatureSet([f.Numeric("user.age"), f.Hashed("user.id", buckets=8, block="codes")])
    with pytest.raises(MismatchError, match="inputs are ids, dense, the feature blocks are"):
        shortlist.pack(tmp_path / "m", ranker=graph, features=other)


def test_a_graph_needs_features_and_its_file(dense_graph, plain, tmp_path):
    with pytest.raises(UnsupportedError, match="needs features="):
        shortlist.pack(tmp_path / "m", ranker=dense_graph)
    with pytest.raises(ArgumentError, match="raw_score"):
        shortlist.pack(tmp_path / "m", ranker=dense_graph, features=plain, raw_score=True)
    with pytest.raises(ArgumentError, match="path of an ONNX graph"):
        shortlist.pack(tmp_path / "m", ranker=shortlist.load_model(dense_graph), features=plain)
