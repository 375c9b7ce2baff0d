"""Random ONNX trees score as ONNX Runtime does on rows that sit on every edge."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from onnx import TensorProto
from onnx_models import (
    DOUBLE,
    FLOAT,
    NUMPY,
    graph,
    node,
    runtime_scores,
    tensor,
    without_post_transform,
)
from reference import raw_scores

from shortlist.models import Forest
from shortlist.models.importers.onnx_trees import import_onnx_trees

COMPARISONS = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
TRANSFORMS = ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"]
AGGREGATES = ["AVERAGE", "SUM", "MIN", "MAX"]
EDGES = [0.0, -0.0, 1e-45, -1e-45, 1e-40, 5e-324, np.inf, -np.inf, np.nan, 1e38, -1e38, 1e300]
WHOLE = [-1.0, 1.0, 2.0, 3.0, 4.0, 30.0, 31.0, 32.0, 33.0, 64.0, 65.0, 1.5, 2.0**24, 2.0**53]
N_FEATURES = 4
EXAMPLES = int(os.environ.get("SHORTLIST_EXAMPLES", "60"))

SHAPES = st.fixed_dictionaries(
    {
        "modes": st.sampled_from([[mode] for mode in COMPARISONS] + [COMPARISONS, COMPARISONS]),
        "n_trees": st.integers(1, 6),
        "depth": st.integers(0, 5),
        "n_outputs": st.sampled_from([1, 1, 2, 3, 4]),
        "transform": st.sampled_from(TRANSFORMS),
        "aggregate": st.sampled_from(["SUM", *AGGREGATES]),
        "dtype": st.sampled_from([FLOAT, FLOAT, DOUBLE]),
        "tensors": st.booleans(),
        "base": st.booleans(),
        "tracks": st.sampled_from(["none", "all", "some"]),
        "weights": st.sampled_from(
            ["one output a tree", "all outputs", "some outputs", "the first output or none"]
        ),
        "positive": st.booleans(),
        "large": st.booleans(),
    }
)


def scores(ensemble, X, raw):
    """What the forest gives, as a matrix; its sums are those of the slow reference."""
    forest = Forest.from_imported(ensemble)
    found = forest.predict(X, raw_score=raw).reshape(len(X), -1)
    if raw:
        np.testing.assert_array_equal(found, raw_scores(ensemble, X))
    return found


class RandomTrees:
    """Random trees; ``nodes[tree][i]`` is None for a leaf.

    Else it is (feature, value, mode, true child, false child, whether NaN tracks true).
    """

    def __init__(self, shape, rng, *, chains=True):
        self.shape, self.rng, self.chains = shape, rng, chains
        pool = rng.normal(size=12).tolist() + EDGES + WHOLE
        self.pool = self.rounded([value for value in pool if not np.isnan(value)])
        self.nodes = []
        self.weights = []  # (tree, node, output, weight)
        for _ in range(shape["n_trees"]):
            self.nodes.append([])
            self.output = int(rng.integers(shape["n_outputs"]))
            self.grow(0)
        if not self.weights:
            leaf = next(i for i, node in enumerate(self.nodes[0]) if node is None)
            self.weights.append((0, leaf, 0, 0.5))

    def rounded(self, numbers):
        if self.shape["dtype"] == DOUBLE and self.shape["tensors"]:
            return numbers
        with np.errstate(over="ignore"):
            return np.array(numbers, np.float32).astype(float).tolist()

    def grow(self, depth):
        """Add a node and what is below it; return its number."""
        rng, nodes = self.rng, self.nodes[-1]
        nodes.append(None)
        first = at = len(nodes) - 1
        if depth >= self.shape["depth"] or (depth > 0 and rng.random() < 0.2):
            self.weigh(first)
            return first
        mode = str(rng.choice(self.shape["modes"]))
        feature = int(rng.integers(N_FEATURES))
        tracks = {"none": 0, "all": 1}.get(self.shape["tracks"], int(rng.integers(2)))
        values = rng.choice(WHOLE if mode == "BRANCH_EQ" else self.pool, 3)
        if mode == "BRANCH_EQ":
            values = self.rounded(values.tolist())
        yes = self.grow(depth + 1)
        chained = self.chains and mode == "BRANCH_EQ"
        for i in range(int(rng.integers(3)) if chained else 0):
            nodes.append(None)  # one more node that leads to the same
            nodes[at] = (feature, values[i], mode, yes, len(nodes) - 1, tracks)
            at = len(nodes) - 1
        no = self.grow(depth + 1)
        nodes[at] = (feature, values[2], mode, yes, no, tracks)
        return first

    def weigh(self, leaf):
        shape, rng = self.shape, self.rng
        outputs = list(range(shape["n_outputs"]))
        if shape["weights"] == "one output a tree":
            outputs = [self.output]
        elif shape["weights"] == "the first output or none":
            outputs = [0] * (shape["n_outputs"] == 1 or rng.random() < 0.9)
        elif shape["weights"] == "some outputs" and shape["n_outputs"] > 1:
            outputs = [k for k in outputs if rng.random() < 0.7]
        for output in outputs:
            weight = rng.normal() * (1000.0 if shape["large"] else 0.3) * (rng.random() < 0.9)
            weight = abs(weight) if shape["positive"] else weight
            self.weights.append((len(self.nodes) - 1, leaf, output, self.rounded([weight])[0]))

    def thresholds(self):
        return [node[1] for nodes in self.nodes for node in nodes if node is not None]

    def old(self, prefix):
        """Attributes of the older operators, with node numbers dealt anew."""
        rows, names = [], [self.rng.permutation(len(nodes)) for nodes in self.nodes]
        for tree, nodes in enumerate(self.nodes):
            order = [0, *(1 + self.rng.permutation(len(nodes) - 1))]  # the root is the first
            for at in order:
                feature, value, mode, yes, no, tracks = nodes[at] or (0, 7.0, "LEAF", 0, 0, 0)
                if nodes[at] is not None:
                    yes, no = names[tree][yes], names[tree][no]
                rows.append((tree, names[tree][at], feature, value, mode, yes, no, tracks))
        parts = ["treeids", "nodeids", "featureids", "values", "modes", "truenodeids"]
        parts += ["falsenodeids", "missing_value_tracks_true"]
        columns = list(zip(*rows, strict=True))
        made = {f"nodes_{part}": list(column) for part, column in zip(parts, columns, strict=True)}
        if self.shape["tracks"] == "none" and self.rng.random() < 0.5:
            del made["nodes_missing_value_tracks_true"]
        order = self.rng.permutation(len(self.weights))
        weights = [self.weights[i] for i in order]
        made[f"{prefix}_treeids"] = [weight[0] for weight in weights]
        made[f"{prefix}_nodeids"] = [names[weight[0]][weight[1]] for weight in weights]
        made[f"{prefix}_ids"] = [weight[2] for weight in weights]
        made[f"{prefix}_weights"] = [weight[3] for weight in weights]
        return self.as_tensors(made, ["nodes_values", f"{prefix}_weights"])

    def as_tensors(self, attributes, names):
        if self.shape["dtype"] == DOUBLE and self.shape["tensors"]:
            for name in names:
                values = attributes.pop(name)
                attributes[f"{name}_as_tensor"] = tensor(name, DOUBLE, values)
        return attributes

    def new(self):
        """Attributes of TreeEnsemble; EQ becomes a set now and then."""
        dtype, rng = self.shape["dtype"], self.rng
        splits, leaves, members, roots = [], [], [], []
        outputs = {(tree, leaf): (k, weight) for tree, leaf, k, weight in self.weights}
        codes = {mode: i for i, mode in enumerate(COMPARISONS)}
        for tree, nodes in enumerate(self.nodes):
            inner = [i for i, node in enumerate(nodes) if node is not None]
            place = {i: len(splits) + at for at, i in enumerate(inner)}
            roots.append(len(splits))
            for i in inner:
                feature, value, mode, yes, no, tracks = nodes[i]
                code = codes[mode]
                if mode == "BRANCH_EQ" and rng.random() < 0.5:
                    code = 6
                    n = int(rng.integers(1, 50 if rng.random() < 0.2 else 6))
                    some = [*WHOLE, 0.0, -0.0, 7.0] if rng.random() < 0.2 else range(60)
                    members.append(self.rounded(rng.choice(some, n).tolist()))
                ends = []
                for child in (yes, no):
                    if child in place:
                        ends += [place[child], 0]
                    else:
                        ends += [len(leaves), 1]
                        leaves.append(outputs.get((tree, child), (0, 0.25)))
                splits.append((feature, value, code, *ends, tracks))
        flat = [value for one in members for value in [*one, np.nan]]
        if flat and rng.random() < 0.5:
            flat.pop()
        columns = list(zip(*splits, strict=True))
        names = ["featureids", "splits", "modes", "truenodeids", "trueleafs", "falsenodeids"]
        names += ["falseleafs", "missing_value_tracks_true"]
        made = {f"nodes_{name}": list(column) for name, column in zip(names, columns, strict=True)}
        made["nodes_splits"] = tensor("nodes_splits", dtype, made["nodes_splits"])
        made["nodes_modes"] = tensor("nodes_modes", TensorProto.UINT8, made["nodes_modes"])
        made["tree_roots"] = roots
        made["leaf_targetids"] = [leaf[0] for leaf in leaves]
        made["leaf_weights"] = tensor("leaf_weights", dtype, [leaf[1] for leaf in leaves])
        if flat:
            made["membership_values"] = tensor("membership_values", dtype, flat)
        return made


def edge_rows(trees, rng, n=120):
    """Rows of thresholds, their neighbours in both widths, whole numbers, and edges."""
    around = np.array([*trees.thresholds(), *WHOLE, 0.0])
    pool = [around, EDGES, np.arange(-1.0, 40.0)]
    with np.errstate(over="ignore"):
        narrow = around.astype(np.float32)
        for numbers in (around, narrow):
            pool += [np.nextafter(numbers, numbers.dtype.type(way)) for way in (-np.inf, np.inf)]
    return rng.choice(np.concatenate(pool), (n, N_FEATURES))


def check(data, trees, rng, dtype):
    ensemble = import_onnx_trees(data)  # graphs that the runtime refuses may be None, or read
    if ensemble is None:
        event("left to ONNX Runtime")
        return
    event("a forest")
    X = edge_rows(trees, rng).astype(NUMPY[dtype])
    with np.errstate(over="ignore", invalid="ignore"):
        expected = runtime_scores(data, X)
        np.testing.assert_array_equal(scores(ensemble, X, raw=False), expected)
        alone = np.concatenate([runtime_scores(data, X[i : i + 1]) for i in range(10)])
        np.testing.assert_array_equal(expected[:10], alone)
        raw = scores(ensemble, X, raw=True)
        if ensemble.n_outputs != 2 or ensemble.classes is None:  # else one sum may make two
            plain = runtime_scores(without_post_transform(data), X)
            np.testing.assert_array_equal(raw.astype(plain.dtype), plain)  # double sums rounded


@pytest.mark.filterwarnings("ignore:overflow encountered")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(shape=SHAPES, seed=st.integers(0, 2**32 - 1))
def test_random_regressors_score_as_onnx_runtime(shape, seed):
    rng = np.random.default_rng(seed)
    trees = RandomTrees(shape, rng)
    made = trees.old("target")
    made |= {"n_targets": shape["n_outputs"], "post_transform": shape["transform"]}
    made["aggregate_function"] = shape["aggregate"]
    if shape["base"]:
        made["base_values"] = trees.rounded(rng.normal(size=shape["n_outputs"]).tolist())
        made = trees.as_tensors(made, ["base_values"])
    model = graph(
        [node("TreeEnsembleRegressor", made)], n_features=N_FEATURES, dtype=shape["dtype"]
    )

    check(model.SerializeToString(), trees, rng, shape["dtype"])


@pytest.mark.filterwarnings("ignore:overflow encountered")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    shape=SHAPES,
    labels=st.integers(0, 1),
    base_size=st.integers(0, 2),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_classifiers_score_as_onnx_runtime(shape, labels, base_size, seed):
    rng = np.random.default_rng(seed)
    n_classes = shape["n_outputs"] + labels
    if n_classes != shape["n_outputs"] and shape["n_outputs"] != 1:
        shape = shape | {"n_outputs": n_classes}
    trees = RandomTrees(shape, rng)
    made = trees.old("class")
    made |= {"classlabels_int64s": [*range(n_classes)], "post_transform": shape["transform"]}
    size = base_size if n_classes <= 2 else n_classes * (base_size > 0)
    if size:
        made["base_values"] = trees.rounded(rng.normal(size=size).tolist())
        made = trees.as_tensors(made, ["base_values"])
    model = graph(
        [node("TreeEnsembleClassifier", made, ("label", "scores"))],
        n_features=N_FEATURES,
        dtype=shape["dtype"],
        outputs=(("label", TensorProto.INT64), "scores"),
    )

    check(model.SerializeToString(), trees, rng, shape["dtype"])


@pytest.mark.filterwarnings("ignore:overflow encountered")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(shape=SHAPES, seed=st.integers(0, 2**32 - 1))
def test_random_tree_ensembles_score_as_onnx_runtime(shape, seed):
    rng = np.random.default_rng(seed)
    shape = shape | {"depth": max(1, shape["depth"]), "tensors": True}
    shape = shape | {"weights": "one output a tree"}
    trees = RandomTrees(shape, rng, chains=False)  # it refuses nodes with two parents
    made = trees.new() | {"n_targets": shape["n_outputs"]}
    made["post_transform"] = TRANSFORMS.index(shape["transform"])
    made["aggregate_function"] = AGGREGATES.index(shape["aggregate"])
    model = graph(
        [node("TreeEnsemble", made)],
        n_features=N_FEATURES,
        dtype=shape["dtype"],
        outputs=(("scores", shape["dtype"]),),
        ml=5,
    )

    check(model.SerializeToString(), trees, rng, shape["dtype"])
