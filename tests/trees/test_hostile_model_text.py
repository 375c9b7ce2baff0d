"""A damaged or malicious LightGBM text is refused with a message that names tree and field."""

import re

import numpy as np
import pytest

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models import Forest
from shortlist.models.importers.lightgbm import import_lightgbm


def refuse(text, error, message):
    with pytest.raises(error, match=message):
        Forest.from_imported(import_lightgbm(text.encode("utf-8", "surrogateescape")))


def changed(text, key, value, *, tree=None):
    """The text with one key's value replaced, in the header or a tree, tree_sizes dropped."""
    text = re.sub(r"tree_sizes=.*\n", "", text)
    start = 0 if tree is None else text.index(f"Tree={tree}\n")
    head, tail = text[:start], text[start:]
    new, n = re.subn(rf"(?m)^{key}=.*$", lambda _: f"{key}={value}", tail, count=1)
    assert n == 1
    return head + new


def field(text, key, tree):
    return re.search(rf"(?m)^{key}=(.*)$", text[text.index(f"Tree={tree}\n") :]).group(1).split()


def with_word(text, key, at, word, tree=1):
    words = field(text, key, tree)
    words[at] = word
    return changed(text, key, " ".join(words), tree=tree)


@pytest.mark.parametrize(
    ("key", "word", "message"),
    [
        ("split_feature", "4", "tree 1: split_feature holds '4' at position 1, expected 0 to 3"),
        ("split_feature", "-1", "tree 1: split_feature holds '-1'"),
        ("split_feature", "9" * 5000, "tree 1: split_feature holds"),
        ("left_child", "99", "tree 1: left_child holds '99'"),
        ("right_child", "-99", "tree 1: right_child holds '-99'"),
        ("left_child", "1.5", "tree 1: left_child holds unexpected characters"),
        ("threshold", "nan", "tree 1: threshold holds 'nan' at position 1, expected a number"),
        ("threshold", "1_0", "tree 1: threshold holds unexpected characters"),
        ("threshold", "0x10", "tree 1: threshold holds unexpected characters"),
        ("threshold", "1e", "tree 1: threshold holds what is no number"),
        (
            "leaf_value",
            "1e999",
            "tree 1: leaf_value holds '1e999' at position 1, expected a finite",
        ),
        ("leaf_value", "nan", "tree 1: leaf_value holds 'nan'"),
        ("decision_type", "12", "tree 1: decision_type holds '12'"),
        ("cat_threshold", "4294967296", "tree 1: cat_threshold holds '4294967296'"),
        ("cat_boundaries", "2000000000", "tree 1: cat_boundaries"),
    ],
)
def test_a_value_out_of_range_is_refused(model_text, key, word, message):
    at = min(1, len(field(model_text, key, 1)) - 1)

    refuse(
        with_word(model_text, key, at, word),
        FormatError,
        message.replace("position 1", f"position {at}"),
    )


@pytest.mark.parametrize(
    "key",
    [
        "split_feature",
        "threshold",
        "decision_type",
        "left_child",
        "right_child",
        "leaf_value",
        "cat_boundaries",
        "cat_threshold",
    ],
)
def test_a_list_of_the_wrong_length_is_refused(model_text, key):
    words = field(model_text, key, 2)

    for wrong in ([], words[:-1], [*words, words[-1]]):
        refuse(changed(model_text, key, " ".join(wrong), tree=2), FormatError, f"tree 2: {key} ")


@pytest.mark.parametrize("key", ["num_leaves", "num_cat", "leaf_value", "threshold", "left_child"])
def test_a_missing_field_is_refused(model_text, key):
    refuse(
        changed(model_text, key, "", tree=0).replace(f"{key}=\n", "", 1),
        FormatError,
        f"{key} is missing",
    )


@pytest.mark.parametrize("value", ["1000000000", "0", "-5", "99999999999999999999", "x", ""])
def test_a_wrong_number_of_leaves_is_refused_without_allocating(model_text, value):
    refuse(changed(model_text, "num_leaves", value, tree=0), FormatError, "tree 0: ")


def test_a_billion_declared_trees_are_refused(model_text):
    refuse(changed(model_text, "num_tree_per_iteration", "1000000000"), FormatError, "no multiple")
    refuse(
        changed(model_text, "max_feature_idx", "1000000000"), FormatError, "feature_names lists 4"
    )
    sizes = re.sub(r"tree_sizes=.*", "tree_sizes=" + "1 " * 100000, model_text)
    refuse(sizes, FormatError, "tree_sizes lists 100000 trees, found 4")


def test_tree_sizes_that_point_elsewhere_are_refused(model_text):
    refuse(
        re.sub(r"tree_sizes=\d", "tree_sizes=9", model_text), FormatError, "tree_sizes gives tree 0"
    )


def test_a_cycle_is_refused(model_text):
    left = field(model_text, "left_child", 1)
    at = next(i for i, child in enumerate(left) if int(child) > 0)

    refuse(
        with_word(model_text, "left_child", at, "0"), FormatError, "tree 1: split 0 has two parents"
    )


def test_a_cycle_apart_from_the_root_is_refused():
    tree = (
        "num_leaves=4\nnum_cat=0\nsplit_feature=0 0 0\nthreshold=1 2 3\ndecision_type=2 2 2\n"
        "left_child=-1 2 1\nright_child=-2 -3 -4\nleaf_value=1 2 3 4\n\n"
    )
    text = (
        "tree\nversion=v4\nnum_class=1\nmax_feature_idx=0\nfeature_names=a\n\n"
        f"Tree=0\n{tree}end of trees\n"
    )

    refuse(text, FormatError, "tree 0: split 1 is not reached")


def test_a_leaf_with_two_parents_is_refused(model_text):
    left = field(model_text, "left_child", 1)
    leaves = [i for i, child in enumerate(left) if int(child) < 0]
    text = with_word(model_text, "left_child", leaves[0], left[leaves[-1]])

    refuse(text, FormatError, "tree 1: leaf [0-9]+ has two parents" if len(leaves) > 1 else "")


def test_lines_out_of_place_are_refused(model_text):
    no_sizes = re.sub(r"tree_sizes=.*\n", "", model_text)
    refuse(no_sizes.replace("Tree=2", "Tree=7"), FormatError, "expected \"Tree=2\".*got 'Tree=7'")
    refuse(no_sizes.replace("end of trees", "end"), FormatError, 'expected "Tree=4"')
    refuse(
        no_sizes.replace("num_cat=", "num_leaves=", 1),
        FormatError,
        "'num_leaves' stands there twice",
    )
    refuse(model_text[: model_text.index("end of trees")], FormatError, 'no line "end of trees"')
    refuse("tree\n", FormatError, 'no line "end of trees"')
    refuse("tree\nversion=v4\n\nend of trees\n", FormatError, "holds no trees")
    refuse("tree\r\nversion=v4\r\n", FormatError, "first line")
    cut = model_text[: model_text.index("end of parameters")]
    refuse(cut, FormatError, 'no line "end of parameters"')


def test_what_is_not_handled_is_refused_by_name(model_text):
    refuse(model_text.replace("version=v4", "version=v5"), UnsupportedError, "version is 'v5'")
    refuse(changed(model_text, "objective", "magic"), UnsupportedError, "objective 'magic'")
    refuse(changed(model_text, "objective", "binary sigmoid:0"), FormatError, "sigmoid '0'")


def test_a_categorical_split_in_a_tree_that_declares_none_is_refused(model_text):
    refuse(changed(model_text, "num_cat", "0", tree=0), FormatError, "tree 0: num_cat is 0")


def test_random_damage_is_refused_or_scored_without_a_crash(model_text):
    rng = np.random.default_rng(3)
    data = bytearray(re.sub(r"tree_sizes=.*\n", "", model_text).encode())
    end = data.index(b"end of trees")
    rows = rng.normal(size=(20, 4))
    for _ in range(400):
        damaged = bytearray(data)
        for at in rng.integers(0, end, rng.integers(1, 4)):
            damaged[at] = rng.choice(list(b"0123456789-.= \neE\xff\x00"))
        try:
            forest = Forest.from_imported(import_lightgbm(bytes(damaged)))
        except (FormatError, UnsupportedError):
            continue
        if forest.n_features == 4:
            forest.predict(rows)


def test_a_chain_of_140000_splits_loads_and_scores():
    n = 140001
    numbers = np.arange(n - 1)
    children = " ".join(map(str, numbers[1:])) + f" -{n}"
    text = (
        "tree\nversion=v4\nnum_class=1\nmax_feature_idx=0\nfeature_names=price\n\nTree=0\n"
        f"num_leaves={n}\nnum_cat=0\nsplit_feature={'0 ' * (n - 1)}\n"
        f"threshold={' '.join(map(str, numbers))}\ndecision_type={'2 ' * (n - 1)}\n"
        f"left_child={' '.join(str(-1 - i) for i in numbers)}\nright_child={children}\n"
        f"leaf_value={' '.join(map(str, range(n)))}\n\nend of trees\n"
    )
    forest = Forest.from_imported(import_lightgbm(text.encode()))

    scores = forest.predict(np.array([[-1.0], [0.5], [139999.0], [139999.5]]))

    np.testing.assert_array_equal(scores, [0.0, 1.0, 139999.0, 140000.0])


def test_infinite_thresholds_are_taken():
    text = (
        "tree\nversion=v4\nnum_class=1\nmax_feature_idx=0\nfeature_names=a\n\nTree=0\n"
        "num_leaves=3\nnum_cat=0\nsplit_feature=0 0\nthreshold=inf -inf\ndecision_type=8 8\n"
        "left_child=1 -1\nright_child=-2 -3\nleaf_value=1 2 3\n\nend of trees\n"
    )
    forest = Forest.from_imported(import_lightgbm(text.encode()))

    for dtype in (np.float32, np.float64):
        rows = np.array([[-np.inf], [-1.0], [np.inf], [np.nan]], dtype=dtype)
        np.testing.assert_array_equal(forest.predict(rows), [1.0, 3.0, 3.0, 2.0])
