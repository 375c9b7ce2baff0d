"""Files in XGBoost's old binary format that were damaged, or made to harm: refused by name."""

import contextlib
import struct

import numpy as np
import pytest
from harm import refused_at_once

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models import Forest
from shortlist.models.importers.ensemble import ViewKind
from shortlist.models.importers.xgboost_binary import import_xgboost_binary

DELETED = 2**32 - 1
DEFAULT_LEFT = 2**31


def counted(text):
    return struct.pack("<Q", len(text)) + text


def learner(objective=b"reg:squarederror", booster=b"gbtree", **changed):
    fields = {
        "base_score": 0.5,
        "num_feature": 3,
        "num_class": 0,
        "contain_extra_attrs": 0,
        "contain_eval_metrics": 0,
        "major_version": 1,
        "minor_version": 7,
        "num_target": 1,
        "boost_from_average": 0,
    } | changed
    data = struct.pack("<fIiiiIIIi", *fields.values()) + bytes(100)
    return data + counted(objective) + counted(booster)


def trees_param(n_trees, n_parallel=1):
    return struct.pack("<ii", n_trees, n_parallel) + bytes(152)


def tree(nodes, n_roots=1, n_nodes=None, n_deleted=0, width=0):
    n_nodes = len(nodes) if n_nodes is None else n_nodes
    head = struct.pack("<iiiiIi", n_roots, n_nodes, n_deleted, 0, 3, width) + bytes(124)
    body = b"".join(struct.pack("<iiiIf", *node) for node in nodes)
    return head + body + bytes(16 * len(nodes))


STUMP = [(-1, 1, 2, 1 | DEFAULT_LEFT, 0.25), (0, -1, -1, 0, -1.0), (0, -1, -1, 0, 2.0)]


def model(*trees, tree_info=None, **changed):
    info = [0] * len(trees) if tree_info is None else tree_info
    data = learner(**changed) + trees_param(len(trees)) + b"".join(trees)
    return data + struct.pack(f"<{len(info)}i", *info)


@pytest.mark.parametrize("magic", [b"", b"binf"])
def test_a_model_is_read_with_and_without_its_magic(magic):
    ensemble = import_xgboost_binary(magic + model(tree(STUMP), tree(STUMP[1:2])))

    assert ensemble.n_trees == 2
    assert ensemble.kinds.tolist() == [ViewKind.NAN_LEFT]
    assert ensemble.thresholds.tolist() == [np.nextafter(np.float32(0.25), np.float32(-np.inf))]
    assert ensemble.leaf_values.tolist() == [-1.0, 2.0, -1.0]
    assert ensemble.leaf_ids.tolist() == [1, 2, 0]
    assert ensemble.base.tolist() == [0.5]


def test_deleted_nodes_are_passed_over():
    nodes = [(-1, 3, 4, 1, 0.25), *[(0, -1, -1, DELETED, 0.0)] * 2, *STUMP[1:]]

    ensemble = import_xgboost_binary(model(tree(nodes, n_deleted=2)))

    assert ensemble.leaf_ids.tolist() == [3, 4]
    assert ensemble.leaf_values.tolist() == [-1.0, 2.0]


def test_what_the_oldest_writers_put_into_a_length_is_seen_through():
    data = model(tree(STUMP), objective=b"rank:pairwise")
    at = data.index(b"rank:pairwise")
    old = data[: at - 8] + struct.pack("<I", 5) + struct.pack("<Q", 13) + data[at:]

    assert import_xgboost_binary(old).objective == "rank:pairwise"


def test_a_base_score_from_before_1_0_is_a_margin_that_is_added_last():
    ensemble = import_xgboost_binary(
        model(tree(STUMP), objective=b"binary:logistic", base_score=-3.0, major_version=0)
    )

    assert ensemble.base is None
    assert ensemble.bias.tolist() == [-3.0]


def test_attributes_are_read():
    pairs = [(b"a", b"\xff"), (b"best_iteration", b"0"), (b"objective", b"{}")]
    attributes = struct.pack("<Q", 3) + b"".join(counted(text) for pair in pairs for text in pair)

    ensemble = import_xgboost_binary(model(tree(STUMP), contain_extra_attrs=1) + attributes)

    assert ensemble.best_iteration == 0


def edited(**fields):
    """A tree whose first node is changed."""
    names = ("parent", "left", "right", "split", "value")
    first = dict(zip(names, STUMP[0], strict=True)) | fields
    return model(tree(STUMP), tree([tuple(first.values()), *STUMP[1:]]))


HUGE = 2**31 - 1
DAMAGE = [
    (b"", "byte 0: parameters of the learner: 136 bytes expected, 0 are left"),
    (b"binf", "byte 4: parameters of the learner: 136 bytes expected"),
    (learner() + trees_param(HUGE), "num_trees is 2147483647, yet 0 bytes are left"),
    (learner() + trees_param(-1), "num_trees is -1"),
    (learner() + trees_param(0), "it holds no trees"),
    (learner(objective=b"x" * 300), "objective: a name of 300 bytes"),
    (learner(booster=b"forest"), "booster 'forest' is not known"),
    (learner(num_class=-1), "num_class is -1"),
    (model(tree(STUMP), num_class=HUGE), "2147483647 outputs, yet 1 trees"),
    (model(tree(STUMP), num_target=2**32 - 1), "4294967295 outputs, yet 1 trees"),
    (model(tree(STUMP), num_feature=0), "num_feature is 0"),
    (model(tree(STUMP), num_feature=2**32 - 1), "num_feature is 4294967295 without feature_names"),
    (model(tree(STUMP), base_score=np.nan), "base_score is not finite"),
    (
        model(tree(STUMP), base_score=-1.0, objective=b"count:poisson"),
        "base_score is -1.0, which has no finite margin|base_score is nan",
    ),
    (model(tree(STUMP), base_score=2.0, objective=b"binary:logistic"), "no finite margin"),
    (model(tree(STUMP, n_roots=2)), "tree 0: num_roots is 2, handled is 1"),
    (model(tree(STUMP, n_nodes=HUGE)), "tree 0: nodes: 42949672940 bytes expected"),
    (model(tree(STUMP, n_nodes=0)), "tree 0: num_nodes is 0, expected at least 1"),
    (model(tree(STUMP, n_nodes=-5)), "tree 0: num_nodes is -5"),
    (model(tree(STUMP, n_deleted=7)), "tree 0: num_deleted is 7, yet 0 nodes"),
    (model(tree(STUMP, width=1)), "tree 0: leaf_vector: .* bytes expected"),
    (model(tree(STUMP), tree_info=[3]), "tree_info gives tree 0 output 3 of 1"),
    (model(tree(STUMP), tree_info=[-1]), "tree_info gives tree 0 output -1 of 1"),
    (model(tree(STUMP), tree_info=[]), "tree_info: 4 bytes expected, 0 are left"),
    (edited(left=0), "tree 1: node 0: its left child is no node: 0"),
    (edited(left=9), "tree 1: node 0: its left child is no node: 9"),
    (edited(left=-2), "tree 1: node 0: its left child is no node: -2"),
    (edited(right=1), "tree 1: node 0: the right child is not the node behind the left one"),
    (edited(right=-(2**31)), "tree 1: node 0: its right child is no node"),
    (edited(split=3), "tree 1: node 0: its feature is none of 3: 3"),
    (edited(value=np.nan), "tree 1: node 0: its threshold is nan"),
    (model(tree([(-1, -1, -1, 0, np.inf)])), "tree 0: node 0: its leaf value is not finite"),
    (
        model(tree([STUMP[0], STUMP[1], (0, -1, -1, DELETED, 0.0)], n_deleted=1)),
        "tree 0: node 0: a child is deleted",
    ),
    (model(tree(STUMP), booster=b"dart"), "weight_drop: 8 bytes expected"),
    (model(tree(STUMP), booster=b"dart") + struct.pack("<Q", 2**62), "weight_drop: .* expected"),
    (model(tree(STUMP), booster=b"dart") + struct.pack("<Q", 0), "weight_drop has 0 values"),
    (model(tree(STUMP), contain_extra_attrs=1), "attributes: 8 bytes expected"),
    (
        model(tree(STUMP), contain_extra_attrs=1) + struct.pack("<Q", 2**60),
        "attributes: 8 bytes expected",
    ),
    (
        model(tree(STUMP), contain_extra_attrs=1) + struct.pack("<QQ", 1, 2**60),
        "attributes: 1152921504606846976 bytes expected",
    ),
    (learner(booster=b"gblinear"), "parameters of gblinear: 136 bytes expected"),
    (learner(booster=b"gblinear") + bytes(136) + struct.pack("<Q", 2**61), "weights: .* expected"),
    (
        learner(booster=b"gblinear") + bytes(136) + struct.pack("<Qf", 1, 1.0),
        "gblinear has 1 weights, expected",
    ),
    (
        learner(booster=b"gblinear") + bytes(136) + struct.pack("<Q4f", 4, 1, 2, np.nan, 4),
        "weights of gblinear are not all finite",
    ),
]


@pytest.mark.parametrize(("data", "message"), DAMAGE)
def test_damage_is_refused_by_name(data, message):
    with refused_at_once(data, f"^XGBoost binary model: .*({message})"):
        import_xgboost_binary(data)


def test_a_cycle_is_refused():
    nodes = [STUMP[0], (0, 1, 2, 0, 0.5), STUMP[2]]

    with pytest.raises(FormatError, match=r"tree 0: .*parents"):
        Forest.from_imported(import_xgboost_binary(model(tree(nodes))))


def test_every_cut_is_refused_and_every_change_refused_or_read():
    attributes = struct.pack("<Q", 1) + counted(b"best_iteration") + counted(b"0")
    data = model(tree(STUMP), tree(STUMP), contain_extra_attrs=1, booster=b"dart")
    data += struct.pack("<Q2f", 2, 1.0, 0.5) + attributes
    import_xgboost_binary(data)

    for end in range(len(data)):
        with pytest.raises((FormatError, UnsupportedError), match="XGBoost binary model"):
            import_xgboost_binary(data[:end])
    rng = np.random.default_rng(0)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] = rng.integers(0, 256)
        with contextlib.suppress(FormatError, UnsupportedError):
            import_xgboost_binary(bytes(changed))
