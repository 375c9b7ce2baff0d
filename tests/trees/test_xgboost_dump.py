"""XGBoost's JSON dumps: how features get their indices, and which dumps are refused."""

import contextlib
import json

import numpy as np
import pytest
from harm import refused_at_once

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import ViewKind
from shortlist.models.importers.xgboost_dump import import_xgboost_dump


def split(name, left, right, condition=0.5, nodeid=0, missing=None):
    return {
        "nodeid": nodeid,
        "depth": 0,
        "split": name,
        "split_condition": condition,
        "yes": left["nodeid"],
        "no": right["nodeid"],
        "missing": left["nodeid"] if missing is None else missing,
        "children": [left, right],
    }


def leaf(nodeid, value=1.0):
    return {"nodeid": nodeid, "leaf": value}


def dump(*trees):
    return json.dumps(trees).encode()


LEFT, RIGHT = leaf(1, -1.0), leaf(2, 2.0)


def test_names_of_f_and_a_number_are_indices():
    ensemble = import_xgboost_dump(dump(split("f12", LEFT, RIGHT), split("f3", LEFT, RIGHT)))

    assert ensemble.features.tolist() == [12, 3]
    assert ensemble.feature_names == tuple(f"f{i}" for i in range(13))
    assert ensemble.objective == "unknown"


def test_other_names_get_indices_as_they_first_appear():
    tree = split(
        "b", split("f1", leaf(3), leaf(4), nodeid=1), split("a", leaf(5), leaf(6), nodeid=2)
    )

    ensemble = import_xgboost_dump(dump(tree, split("f1", LEFT, RIGHT)))

    assert ensemble.feature_names == ("b", "f1", "a")
    assert ensemble.features.tolist() == [0, 1, 2, 1]


def test_names_that_are_given_decide():
    data = dump(split("b", LEFT, RIGHT))

    assert import_xgboost_dump(data, ["a", "b", "c"]).features.tolist() == [1]
    assert import_xgboost_dump(dump(split("f2", LEFT, RIGHT)), list("abc")).features.tolist() == [2]
    assert import_xgboost_dump(dump(split("f2", LEFT, RIGHT)), ["f2", "f1"]).features.tolist() == [
        0
    ]
    assert import_xgboost_dump(dump(split(2, LEFT, RIGHT)), list("abc")).features.tolist() == [2]
    for names in (["a", "c"], ["x"]):
        with pytest.raises(FormatError, match="feature 'b' is none of the"):
            import_xgboost_dump(data, names)
    with pytest.raises(FormatError, match="feature 'f2' is none of the 2 feature_names"):
        import_xgboost_dump(dump(split("f2", LEFT, RIGHT)), ["a", "b"])


def test_a_category_in_the_set_takes_yes():
    tree = split("f0", leaf(2, 2.0), leaf(1, -1.0), condition=[1, 3], missing=1)

    ensemble = import_xgboost_dump(dump(tree))

    assert ensemble.kinds.tolist() == [ViewKind.CATEGORY_24]
    assert ensemble.categories.tolist() == [1.0, 3.0]
    assert ensemble.leaf_values[~ensemble.left[0]] == 2.0
    assert ensemble.missing_left.tolist() == [False]


def test_children_may_stand_in_any_order_and_ids_have_gaps():
    tree = split("f0", leaf(7, -1.0), leaf(3, 2.0), missing=3)
    tree["children"].reverse()

    ensemble = import_xgboost_dump(dump(tree))

    assert ensemble.leaf_ids.tolist() == [7, 3]
    assert ensemble.leaf_values.tolist() == [-1.0, 2.0]
    assert ensemble.kinds.tolist() == [ViewKind.NAN_RIGHT]


@pytest.mark.parametrize(("word", "value"), [("inf", np.inf), ("-inf", -np.inf)])
def test_infinite_thresholds_are_read(word, value):
    data = dump(split("f0", LEFT, RIGHT)).replace(b"0.5", word.encode())

    ensemble = import_xgboost_dump(data)

    below = np.nextafter(np.float32(np.inf), np.float32(0))
    assert ensemble.thresholds[0] == (below if value > 0 else np.inf)


def with_member(name, value):
    tree = split("f0", LEFT, RIGHT)
    tree[name] = value
    return dump(leaf(0), tree)


def chain(depth):
    text = "".join(
        f'{{"nodeid":{2 * i},"split":"f0","split_condition":1,"yes":{2 * i + 1},"no":{2 * i + 2},'
        f'"missing":{2 * i + 1},"children":[{{"nodeid":{2 * i + 1},"leaf":1}},'
        for i in range(depth)
    )
    return f'[{text}{{"nodeid":{2 * depth},"leaf":1}}{"]}" * depth}]'.encode()


DAMAGE = [
    (b"[", "tree 0: "),
    (b"[1]", "tree 0: Expected `object`, got `int`"),
    (b"[]", "it holds no trees"),
    (b"[{}]", "missing required field `nodeid`"),
    (dump(leaf(0), leaf(1))[:-9], "tree 0|truncated"),
    (dump({"nodeid": 0}), "tree 0: node 0: neither a split nor a leaf"),
    (dump(leaf(-1)), "tree 0: node -1: a nodeid is below 0"),
    (dump(leaf(2**31)), "tree 0: node 2147483648: a nodeid is below 0 or above"),
    (dump(leaf(0, "x")), "tree 0: node 0: expected numbers, got 'x'"),
    (dump(leaf(0, 1e39)), "tree 0: node 0: its leaf value is not finite"),
    (dump(leaf(0)).replace(b"1.0", b"nan"), "tree 0: node 0: its leaf value is not finite"),
    (dump(leaf(0)).replace(b"1.0", b"1e999"), "tree 0: Number out of range"),
    (dump(leaf(0) | {"children": [leaf(1), leaf(2)]}), "tree 0: node 0: a leaf with children"),
    (with_member("children", []), "tree 1: node 0: 0 children, expected 2"),
    (with_member("children", [LEFT]), "tree 1: node 0: 1 children, expected 2"),
    (with_member("children", [LEFT, LEFT]), "tree 1: node 0: yes 1 and no 2 are not its two chil"),
    (with_member("children", [LEFT] * 3), "tree 1: node 0: 3 children, expected 2"),
    (with_member("yes", 9), "tree 1: node 0: yes 9 and no 2 are not its two children"),
    (with_member("yes", None), "tree 1: node 0: yes None and no 2 are not its two children"),
    (with_member("yes", 2), "tree 1: node 0: yes 2 and no 2 are not its two children"),
    (with_member("missing", 0), "tree 1: node 0: missing 0 is none of its children"),
    (with_member("missing", None), "tree 1: node 0: missing None is none of its children"),
    (with_member("split_condition", "x"), "tree 1: node 0: expected numbers, got 'x'"),
    (with_member("split_condition", "NaN"), "tree 1: node 0: its threshold is nan"),
    (with_member("split_condition", []), "tree 1: node 0: it splits by an empty set"),
    (with_member("split_condition", [-1]), "tree 1: category -1 is none of"),
    (with_member("split_condition", [2**24]), "tree 1: category 16777216 is none of"),
    (with_member("split_condition", [10**30]), "tree 1: node 0: a category is beyond 64 bits"),
    (with_member("split_condition", {}), "tree 1: Expected"),
    (b"[" * 300_000, "nested too deep"),
    (b'[{"children":' * 100_000, "nested too deep|truncated"),
    (dump(split("x", LEFT, RIGHT)).replace(b'"x"', b'"\xff"'), "tree 0: .*utf-8"),
    (chain(50_000), "nested too deep"),
    (b'["' + b"inf" * 100_000, "tree 0"),
]


@pytest.mark.parametrize(("data", "message"), DAMAGE)
def test_damage_is_refused_by_name(data, message):
    with refused_at_once(data, f"^XGBoost JSON dump: .*({message})"):
        import_xgboost_dump(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'[ {"bias": [0.5], "weight": [1.0]} ]', "a dump of gblinear rounds its numbers"),
        (dump(leaf(0, [1.0, 2.0])), "tree 0: node 0: a leaf of several values"),
        (with_member("split_condition", None), r"tree 1: node 0: a split without .* indicator"),
    ],
)
def test_dumps_that_are_not_handled_are_refused_by_name(data, message):
    with pytest.raises(UnsupportedError, match=message):
        import_xgboost_dump(data)


def test_a_feature_of_a_huge_index_is_taken_for_a_name():
    ensemble = import_xgboost_dump(dump(split("f999999999", LEFT, RIGHT)))

    assert ensemble.feature_names == ("f999999999",)


def test_a_long_chain_is_read():
    ensemble = import_xgboost_dump(chain(150))

    assert ensemble.features.size == 150


def test_bytes_that_change_are_refused_or_read():
    data = dump(split("f0", LEFT, RIGHT), leaf(0), split("f1", LEFT, RIGHT, condition=[1, 2]))
    rng = np.random.default_rng(0)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] = rng.integers(32, 127)
        with contextlib.suppress(FormatError, UnsupportedError):
            import_xgboost_dump(bytes(changed))
