"""Tables and matrices from files."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from shortlist.cli.tables import read_entities, read_matrix, read_table
from shortlist.errors import ArgumentError, FormatError


@pytest.fixture
def csv(tmp_path):
    def write(text: str):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode())
        return path

    return write


def test_columns_get_the_narrowest_type_that_holds_every_cell(csv):
    text = '\ufeffid,n,x,t\r\n1,-2,1e3,"a, b"\r\n2,3,,\r\n\r\n'
    table = read_table(csv(text))
    assert table["id"].dtype == np.int64
    assert table["n"].tolist() == [-2, 3]
    np.testing.assert_array_equal(table["x"], [1000.0, np.nan])
    assert table["t"] == ["a, b", None]


@pytest.mark.parametrize("ids", [["007", "8"], ["+1", "2"], ["1", "x"]])
def test_ids_that_are_not_plain_integers_stay_texts(csv, ids):
    assert list(read_table(csv("id\n" + "\n".join(ids)))["id"]) == ids


def test_integer_ids_are_texts_on_demand(csv):
    assert read_table(csv("id\n1\n2\n"), text_ids=True) == {"id": ["1", "2"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\nx\n", "no column 'id'"),
        ("", "no column 'id'"),
        ("id,a\n1\n", "line 2 has 1 cells; expected 2"),
        ("id,id\n1,2\n", "twice"),
        ('id\n"1\n', "no CSV"),
    ],
)
def test_bad_csv_is_refused(csv, text, message):
    with pytest.raises(FormatError, match=message):
        read_entities(csv(text))


def test_text_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"id\n\xff\n")
    with pytest.raises(FormatError, match="UTF-8"):
        read_table(path)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"expected a \.csv or \.parquet"):
        read_table(tmp_path / "table.xlsx")


def test_parquet_without_a_library_says_what_to_install(tmp_path, monkeypatch):
    for library in ("polars", "pyarrow", "pyarrow.parquet", "pandas"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ArgumentError, match="pip install pyarrow"):
        read_table(tmp_path / "table.parquet")


@pytest.mark.parametrize("hidden", [[], ["polars"]], ids=["polars", "pyarrow"])
def test_parquet_is_read_by_the_library_there_is(tmp_path, monkeypatch, hidden):
    polars = pytest.importorskip("polars")
    if hidden:
        pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "table.parquet"
    polars.DataFrame({"id": [1, 2], "t": ["a", None]}).write_parquet(path)
    for library in hidden:
        monkeypatch.setitem(sys.modules, library, None)
    assert read_table(path) == {"id": [1, 2], "t": ["a", None]}


def test_a_broken_parquet_file_is_refused(tmp_path):
    pytest.importorskip("polars")
    (tmp_path / "table.parquet").write_bytes(b"PAR1")
    with pytest.raises(FormatError, match=r"table\.parquet"):
        read_table(tmp_path / "table.parquet")


@pytest.mark.parametrize("content", [np.ones(3), np.array([["a"]]), np.ones((1, 1, 1))])
def test_matrices_have_two_dimensions_of_numbers(tmp_path, content):
    np.save(tmp_path / "v.npy", content)
    with pytest.raises(FormatError, match="expected numbers of shape"):
        read_matrix(tmp_path / "v.npy")


def test_pickles_are_never_read(tmp_path):
    np.save(tmp_path / "v.npy", np.array([[{}]], dtype=object))
    with pytest.raises(FormatError, match="no array"):
        read_matrix(tmp_path / "v.npy")


def test_a_truncated_matrix_is_refused(tmp_path):
    np.save(tmp_path / "v.npy", np.ones((100, 3)))
    data = (tmp_path / "v.npy").read_bytes()
    (tmp_path / "v.npy").write_bytes(data[:300])
    with pytest.raises(FormatError, match=r"v\.npy"):
        read_matrix(tmp_path / "v.npy")
