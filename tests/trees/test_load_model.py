"""load_model tells formats by their content, and refuses what it cannot score."""

import sys

import numpy as np
import pytest
from cases import MODELS, cases, needs_models

from shortlist.errors import ArgumentError, FormatError, NotFoundError, UnsupportedError
from shortlist.models import Forest, OnnxModel, load_model
from shortlist.models.load import model_format


def test_the_name_of_a_file_does_not_matter(model_text, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_text(model_text)

    assert isinstance(load_model(path), Forest)


def test_a_file_that_is_absent_is_refused(tmp_path):
    with pytest.raises(NotFoundError, match=r"nothing\.txt"):
        load_model(tmp_path / "nothing.txt")


@pytest.mark.parametrize(
    "data", [b"", b"hello world", b"{", b"{}", b"\x08", b"\x3a\xff\xff", bytes(64)]
)
def test_junk_is_refused(data, tmp_path):
    path = tmp_path / "junk"
    path.write_bytes(data)

    with pytest.raises(FormatError, match="junk: no model format that is known"):
        load_model(path)


@pytest.mark.parametrize("data", [b"\x80\x04\x95", b"\x1f\x8b\x08", b"PK\x03\x04"])
def test_pickles_and_archives_are_refused_by_name(data, tmp_path):
    path = tmp_path / "model.txt"
    path.write_bytes(data)

    with pytest.raises(UnsupportedError, match=r"pickle|gzip|zip"):
        load_model(path)


def test_names_of_features_are_for_dumps_alone(model_text, tmp_path):
    path = tmp_path / "model.txt"
    path.write_text(model_text)

    with pytest.raises(ArgumentError, match="only for an XGBoost JSON dump, not for lightgbm-text"):
        load_model(path, feature_names=["a"])


@pytest.mark.parametrize("names", ["ab", [], ["a", "a"], [1, 2]])
def test_names_of_features_are_distinct_strings(names, tmp_path):
    path = tmp_path / "dump.json"
    path.write_text('[{"nodeid": 0, "leaf": 1.0}]')

    with pytest.raises(ArgumentError, match="feature_names: expected"):
        load_model(path, feature_names=names)


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b'{"learner":{"gradient_booster":{}},"version":[3,2,0]}', "xgboost-json"),
        (b"{L\0\0\0\0\0\0\0\x07learner{L\0\0\0\0\0\0\0\x10gradient_booster", "xgboost-ubj"),
        (b"binf\0\0\0?", "xgboost-binary"),
        (
            b"\0\0\0?" + bytes(132) + b"\x0f\0\0\0\0\0\0\0binary:logistic\6\0\0\0\0\0\0\0gbtree",
            "xgboost-binary",
        ),
        (b'[\n  { "nodeid": 0, "leaf": 0.5 }\n]', "xgboost-dump"),
    ],
)
def test_formats_of_xgboost_are_told_apart(data, form):
    assert model_format(data) == form


@pytest.mark.parametrize(
    "base_score", [b"\x80\x04\x95?", b'{"a?', b"PK\x03\x04", b"CBM1", b"[\0\0?"]
)
def test_a_base_score_is_not_taken_for_a_magic(base_score):
    names = b"\x0f\0\0\0\0\0\0\0binary:logistic\6\0\0\0\0\0\0\0gbtree"

    assert model_format(base_score + bytes(132) + names + bytes(160)) == "xgboost-binary"


NETWORKS = [case for case in cases("onnx") if case.id.startswith("mlp")]


@needs_models
@pytest.mark.parametrize("case", NETWORKS)
def test_onnx_graphs_score_as_expected(case):
    pytest.importorskip("onnxruntime")
    model = load_model(case.folder / "model.onnx")
    blocks = {}
    for name in case.about["inputs"]:
        binary = case.folder / f"input.{name}.npy"
        if binary.exists():
            blocks[name] = np.load(binary)
        else:
            blocks[name] = np.loadtxt(
                case.folder / f"input.{name}.csv", delimiter=",", skiprows=1, ndmin=2
            )
    output = case.folder / f"output.{model.output_name}.csv"
    expected = np.loadtxt(output, delimiter=",", skiprows=1)

    scores = model.predict(blocks if len(blocks) > 1 else next(iter(blocks.values())))

    assert isinstance(model, OnnxModel)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores.reshape(expected.shape), expected, atol=1e-5)


@needs_models
def test_onnx_blocks_that_do_not_fit_are_refused():
    pytest.importorskip("onnxruntime")
    model = load_model(MODELS / "onnx" / "mlp_similarity_768_256_128_64_1" / "model.onnx")

    with pytest.raises(ArgumentError, match="expected a mapping"):
        model.predict(np.zeros((1, 384)))
    with pytest.raises(ArgumentError, match="got blocks"):
        model.predict({"query": np.zeros((1, 384))})
    with pytest.raises(ArgumentError, match="expected \\[1, 384\\]"):
        model.predict({"query": np.zeros((1, 3)), "document": np.zeros((1, 384))})
    with pytest.raises(ArgumentError, match="number of rows"):
        model.predict({"query": np.zeros((2, 384)), "document": np.zeros((1, 384))})


@needs_models
def test_a_cut_onnx_graph_is_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    data = (MODELS / "onnx" / "sklearn_onnx_treecl" / "model.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(data[: len(data) // 2])

    with pytest.raises(FormatError, match=r"cut\.onnx"):
        load_model(path)


@needs_models
def test_without_onnx_runtime_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UnsupportedError, match=r"pip install \"shortlist\[onnx\]\""):
        load_model(MODELS / "onnx" / "mlp_similarity_768_256_128_64_1" / "model.onnx")
