"""What Forest.predict takes, refuses and returns."""

import os
import threading

import numpy as np
import pytest

from shortlist.errors import ArgumentError
from shortlist.models import Forest
from shortlist.models.importers.lightgbm import import_lightgbm


@pytest.fixture(scope="module")
def forest(model_text):
    return Forest.from_imported(import_lightgbm(model_text.encode()))


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return np.column_stack((rng.normal(size=(300, 3)), rng.integers(-2, 40, 300)))


def test_it_says_what_it_is(forest):
    assert (forest.n_features, forest.n_outputs, forest.n_trees) == (4, 1, 4)
    assert forest.feature_names == ("Column_0", "Column_1", "Column_2", "Column_3")
    assert forest.objective == "regression"
    assert "trees          4" in forest.describe()
    assert repr(forest) == "<Forest 'regression': 4 trees, 4 features, 1 outputs>"


def test_other_layouts_and_dtypes_are_converted(forest, rows):
    rows = np.floor(rows * 4)
    expected = forest.predict(rows)

    for other in (
        np.asfortranarray(rows),
        np.repeat(rows, 2, axis=0)[::2],
        rows.astype(">f8"),
        rows.astype(np.int64),
        rows.astype(np.float16),
        rows.tolist(),
    ):
        np.testing.assert_array_equal(forest.predict(other), expected)


def test_out_is_filled_and_returned(forest, rows):
    out = np.full(300, np.nan)

    assert forest.predict(rows, out=out) is out
    np.testing.assert_array_equal(out, forest.predict(rows))
    matrix = forest.predict(rows, out=np.empty((300, 1)))
    np.testing.assert_array_equal(matrix[:, 0], out)


@pytest.mark.parametrize("shape", [(3,), (3, 5), (3, 3), (1, 3, 4), ()])
def test_a_wrong_shape_is_refused_with_the_expected_one(forest, shape):
    with pytest.raises(ArgumentError, match=r"X: got shape .*, expected \(n, 4\)"):
        forest.predict(np.zeros(shape))


def read_only():
    out = np.empty(300)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    "out",
    [
        np.empty(299),
        np.empty((300, 2)),
        np.empty(300, np.float32),
        np.empty(600)[::2],
        read_only(),
        [0.0] * 300,
        np.empty(300, ">f8"),
    ],
)
def test_an_out_that_does_not_fit_is_refused(forest, rows, out):
    with pytest.raises(ArgumentError, match="out: "):
        forest.predict(rows, out=out)


def test_an_out_that_overlaps_the_rows_is_refused(forest, rows):
    with pytest.raises(ArgumentError, match="overlaps"):
        forest.predict(rows, out=rows.reshape(-1)[:300])


@pytest.mark.parametrize("n_threads", [0, -1, 5000])
def test_a_number_of_threads_out_of_range_is_refused(forest, rows, n_threads):
    with pytest.raises(ArgumentError, match="n_threads"):
        forest.predict(rows, n_threads=n_threads)


def test_texts_are_refused(forest):
    with pytest.raises(ArgumentError, match="expected numbers"):
        forest.predict(np.array([["a", "b", "c", "d"]]))


def test_several_python_threads_share_one_forest(forest, rows):
    expected = forest.predict(rows)
    wrong = []

    def score():
        for _ in range(200):
            if not np.array_equal(forest.predict(rows, n_threads=3), expected):
                wrong.append(1)

    threads = [threading.Thread(target=score) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_threads_work_in_a_forked_child(forest, rows):
    expected = forest.predict(rows, n_threads=3)

    child = os.fork()
    if child == 0:
        same = np.array_equal(forest.predict(rows, n_threads=3), expected)
        os._exit(0 if same else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    np.testing.assert_array_equal(forest.predict(rows, n_threads=3), expected)
