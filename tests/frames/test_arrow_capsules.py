"""Arrow's PyCapsule interface: producers of any kind, and those that go wrong."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pyarrow as pa
import pytest

from shortlist import _core
from shortlist.errors import ArgumentError, FormatError, StorageError
from shortlist.models.inputs import ModelInputs

INPUTS = ModelInputs(["x"], {}, ())


class Stream:
    """A producer of its own, with nothing of a DataFrame."""

    def __init__(self, table: object) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def test_any_object_with_the_interface_is_a_frame():
    assert INPUTS.matrix(Stream(pa.table({"x": [1, 2]}))).tolist() == [[1.0], [2.0]]


def test_a_failing_producer_is_told():
    def batches():
        yield pa.record_batch({"x": [1]})
        raise RuntimeError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), batches())
    with pytest.raises(StorageError, match="the disk is gone"):
        INPUTS.matrix(reader)


def test_a_producer_in_python_threads_does_not_block():
    def batches():
        worker = threading.Thread(target=lambda: sum(range(1000)))
        worker.start()
        worker.join()
        yield pa.record_batch({"x": [1]})

    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), batches())
    assert INPUTS.matrix(reader).tolist() == [[1.0]]


def test_a_capsule_is_consumed_once():
    capsule = pa.table({"x": [1]}).__arrow_c_stream__()
    assert _core.ArrowTable.from_stream(capsule).n_rows == 1
    with pytest.raises(ArgumentError, match="consumed before"):
        _core.ArrowTable.from_stream(capsule)
    schema, array = pa.record_batch({"x": [1]}).__arrow_c_array__()
    assert _core.ArrowTable.from_array(schema, array).n_rows == 1
    with pytest.raises(ArgumentError, match="consumed before"):
        _core.ArrowTable.from_array(schema, array)


@pytest.mark.parametrize("value", [None, 7, object()])
def test_what_is_no_capsule_is_refused(value):
    with pytest.raises(ArgumentError, match="expected a capsule 'arrow_array_stream'"):
        _core.ArrowTable.from_stream(value)
    with pytest.raises(ArgumentError, match="expected a capsule 'arrow_schema'"):
        _core.ArrowTable.from_array(value, value)


def test_memory_outlives_the_producer():
    table = pa.table({"x": np.arange(1000.0), "t": ["a text that is no inline view"] * 1000})
    taken = _core.ArrowTable.from_stream(table.__arrow_c_stream__())
    del table
    out = np.empty((1000, 1))
    _core.fill_rows(out, [(taken, 0)])
    assert out[:, 0].tolist() == list(range(1000))
    assert taken.values(1)[1] == ["a text that is no inline view"]


def test_distinct_values_are_in_order_of_their_rows_over_chunks():
    column = pa.chunked_array(
        [pa.array(["b", None, "a"]).dictionary_encode(), pa.array(["c", "a"]).dictionary_encode()]
    )
    table = _core.ArrowTable.from_stream(pa.table({"x": column}).__arrow_c_stream__())
    codes, values = table.values(0)
    assert (codes.tolist(), values) == ([0, -1, 1, 2, 1], ["b", "a", "c"])


def test_a_long_dictionary_of_few_rows_is_not_read_whole():
    entries = pa.array([f"entry {i}" for i in range(100_000)])
    column = pa.DictionaryArray.from_arrays(pa.array([99_999, 5, None, 5]), entries)
    table = _core.ArrowTable.from_stream(pa.table({"x": column}).__arrow_c_stream__())
    codes, values = table.values(0)
    assert (codes.tolist(), values) == ([0, 1, -1, 1], ["entry 99999", "entry 5"])


def test_indices_outside_their_dictionary_are_refused():
    column = pa.DictionaryArray.from_arrays(pa.array([0, 3]), pa.array(["a"]), safe=False)
    with pytest.raises(FormatError, match="column 'x': row 1: index outside its dictionary of 1"):
        ModelInputs(["x"], {0: ("a",)}, ()).matrix(pa.table({"x": column}))


def test_texts_that_are_no_utf8_are_refused():
    bad = pa.StringArray.from_buffers(
        1, pa.py_buffer(np.array([0, 1], np.int32).tobytes()), pa.py_buffer(b"\xff")
    )
    with pytest.raises(FormatError, match="column 'x': a text that is no UTF-8"):
        INPUTS.matrix(pa.table({"x": bad}))


def test_rows_that_are_null_as_a_whole_are_refused():
    rows = pa.StructArray.from_arrays(
        [pa.array([1, 2, 3])], names=["x"], mask=pa.array([False, True, False])
    )
    with pytest.raises(FormatError, match="row 1 of a batch is null as a whole"):
        INPUTS.matrix(rows)
    assert INPUTS.matrix(rows[2:]).tolist() == [[3.0]]


def test_wrong_arguments_of_the_writer_are_refused():
    one = np.zeros(3)
    for out, sources in (
        (np.zeros((3, 2)), [(one, None)]),
        (np.zeros((3, 1), np.int64), [(one, None)]),
        (np.zeros((6, 1))[::2], [(one, None)]),
        (np.zeros((2, 1)), [(one, None)]),
        (np.zeros((3, 1)), [(one, np.zeros(0, np.uint8))]),
        (np.zeros((3, 1)), [(one, [1])]),
        (np.zeros((3, 1)), [(np.zeros(3, complex), None)]),
        (np.zeros((3, 1)), [(np.zeros(3, ">f8"), None)]),
        (np.zeros((3, 1)), [([1, 2, 3], None)]),
        (np.zeros((3, 1)), [(one,)]),
    ):
        with pytest.raises(ArgumentError):
            _core.fill_rows(out, sources)


def test_polars_and_arrow_enter_without_pyarrow():
    code = """
import sys
sys.modules["pyarrow"] = None
import polars as pl
from shortlist.models.inputs import ModelInputs
texts = pl.Series(["a", "b"], dtype=pl.Categorical)
frame = pl.DataFrame({"x": [1, None], "t": texts})
print(ModelInputs(["x", "t"], {1: ("b", "a")}, ()).matrix(frame).tolist())
import pandas as pd
frame = pd.DataFrame({"x": [1, None], "t": ["a", "b"]})
print(ModelInputs(["x", "t"], {1: ("b", "a")}, ()).matrix(frame).tolist())
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[[1.0, 1.0], [nan, 0.0]]\n" * 2
