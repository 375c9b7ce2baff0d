"""A file of rows becomes a file of the scores that the matrix has, whatever the kinds of files."""

from __future__ import annotations

import csv
import itertools
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scored_files import N_ROWS, matrix, read_scores, save_model, save_rows, table

import shortlist
from shortlist.batch.model import ScoredModel
from shortlist.batch.outputs import replacing
from shortlist.batch.scoring import score_file
from shortlist.errors import ArgumentError, FormatError, StorageError, UnsupportedError

SUFFIXES = (".parquet", ".csv", ".npy")


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model") / "model.txt")


@pytest.fixture(scope="module")
def expected(model_path):
    return shortlist.load_model(model_path).predict(matrix())


@pytest.fixture
def model(model_path):
    return ScoredModel.load(model_path)


@pytest.mark.parametrize("to", SUFFIXES)
@pytest.mark.parametrize("of", SUFFIXES)
def test_scores_are_those_of_the_matrix_bit_for_bit(model, expected, tmp_path, of, to):
    data = save_rows(tmp_path / f"rows{of}")
    assert score_file(model, data, tmp_path / f"out{to}") == N_ROWS
    assert np.array_equal(read_scores(tmp_path / f"out{to}"), expected)


@pytest.mark.parametrize("of", SUFFIXES)
@pytest.mark.parametrize("chunk_rows", [1, 7, 299, 1000, 5000])
def test_the_size_of_chunks_changes_nothing(model, expected, tmp_path, of, chunk_rows):
    data = save_rows(tmp_path / f"rows{of}")
    seen = []
    out = tmp_path / "out.npy"
    score_file(
        model, data, out, chunk_rows=chunk_rows, on_progress=lambda n, done: seen.append((n, done))
    )
    assert np.array_equal(np.load(out), expected)
    rows = [n for n, _ in seen]
    assert max(np.diff([0, *rows])) <= chunk_rows
    assert seen[-1] == (N_ROWS, 1.0)
    assert all(a[1] <= b[1] for a, b in itertools.pairwise(seen))


@pytest.mark.parametrize("to", SUFFIXES)
def test_several_outputs_are_columns(tmp_path, to):
    path = save_model(tmp_path / "model.txt", n_classes=3)
    out = tmp_path / f"out{to}"
    score_file(ScoredModel.load(path), save_rows(tmp_path / "rows.parquet"), out)
    expected = shortlist.load_model(path).predict(matrix())
    assert np.array_equal(read_scores(out, n_outputs=3), expected)


@pytest.mark.parametrize("to", SUFFIXES)
@pytest.mark.parametrize("of", SUFFIXES)
def test_no_rows_give_no_scores(model, tmp_path, of, to):
    data = save_rows(tmp_path / f"rows{of}", 0)
    out = tmp_path / f"out{to}"
    assert score_file(model, data, out) == 0
    assert read_scores(out).shape == (0,)


def test_raw_scores_and_threads(model_path, tmp_path):
    data, out = save_rows(tmp_path / "rows.npy"), tmp_path / "out.npy"
    score_file(ScoredModel.load(model_path, raw_score=True, n_threads=2), data, out)
    raw = shortlist.load_model(model_path).predict(matrix(), raw_score=True)
    assert np.array_equal(np.load(out), raw)


def test_kept_columns_come_first_as_they_are(model, expected, tmp_path):
    data, out = save_rows(tmp_path / "rows.parquet"), tmp_path / "out.parquet"
    score_file(model, data, out, keep=["id", "when", "age"])
    read = pq.read_table(out)
    assert read.column_names == ["id", "when", "age", "score"]
    names = ["id", "when", "age"]
    assert read.select(names).equals(pq.read_table(data).select(names))
    assert np.array_equal(read["score"].to_numpy(), expected)


def test_kept_columns_of_csv_files_are_texts_as_they_stand(model, tmp_path):
    data, out = save_rows(tmp_path / "rows.csv"), tmp_path / "out.csv"
    score_file(model, data, out, keep=["id", "when"])
    lines = out.read_text().splitlines()
    assert lines[0] == "id,when,score"
    assert lines[2].startswith("00001,1970-01-01 00:00:01")
    score_file(model, data, tmp_path / "out.parquet", keep=["id"])
    assert pq.read_table(tmp_path / "out.parquet").schema.field("id").type == pa.string()


def test_kept_texts_with_commas_quotes_and_lines_come_back(model, tmp_path):
    texts = ["a,b", 'say "x"', "two\nlines", "", "Ångström"]
    rows = table(5).set_column(1, "id", pa.array(texts))
    data, out = tmp_path / "rows.parquet", tmp_path / "out.csv"
    pq.write_table(rows, data)
    score_file(model, data, out, keep=["id"])
    with out.open(newline="", encoding="utf-8") as file:
        assert [row[0] for row in csv.reader(file)] == ["id", *texts]


def test_csv_cells_may_be_empty_quoted_or_begin_as_integers(model, tmp_path):
    lines = ["amount,age,is_new,note", "1,20,true,x", ',"30",false,"two\nlines"', "NA,1e1,true,"]
    data, out = tmp_path / "rows.csv", tmp_path / "out.npy"
    data.write_text("\n".join(lines) + "\n")
    score_file(model, data, out)
    rows = [[1, 20, 1], [np.nan, 30, 0], [np.nan, 10, 1]]
    assert np.array_equal(np.load(out), model.predict(np.array(rows), ""))


def test_numbers_that_look_like_integers_at_first_are_numbers(model, tmp_path):
    data, out = tmp_path / "rows.csv", tmp_path / "out.npy"
    body = "".join(f"{i},{i},0\n" for i in range(400_000)) + "0.5,0.25,1\n"
    data.write_text("amount,age,is_new\n" + body)
    assert score_file(model, data, out) == 400_001
    assert np.load(out)[-1] == model.predict(np.array([[0.5, 0.25, 1]]), "")[0]


def test_a_matrix_in_fortran_order_or_of_integers_is_scored(model, tmp_path):
    rows = np.nan_to_num(matrix())
    np.save(tmp_path / "rows.npy", np.asfortranarray(rows))
    score_file(model, tmp_path / "rows.npy", tmp_path / "out.npy", chunk_rows=64)
    assert np.array_equal(np.load(tmp_path / "out.npy"), model.predict(rows, ""))
    whole = rows.astype(np.int16)
    np.save(tmp_path / "rows.npy", whole)
    score_file(model, tmp_path / "rows.npy", tmp_path / "out.npy", chunk_rows=64)
    assert np.array_equal(np.load(tmp_path / "out.npy"), model.predict(whole, ""))


def test_float32_scores_stay_float32(model, tmp_path, monkeypatch):
    narrow = lambda rows, what: np.full(len(rows), 0.1, dtype=np.float32)  # noqa: E731
    monkeypatch.setattr(model, "predict", narrow)
    monkeypatch.setattr(model, "dtype", np.dtype(np.float32))
    data = save_rows(tmp_path / "rows.npy", 2)
    for suffix in SUFFIXES:
        score_file(model, data, tmp_path / f"out{suffix}")
    assert np.load(tmp_path / "out.npy").dtype == np.float32
    assert pq.read_table(tmp_path / "out.parquet").schema.field("score").type == pa.float32()
    assert (tmp_path / "out.csv").read_text() == "score\n0.1\n0.1\n"


@pytest.mark.parametrize("of", SUFFIXES)
def test_a_file_that_is_none_is_refused(model, tmp_path, of):
    data = tmp_path / f"rows{of}"
    data.write_bytes(b"\xff\x00 no such file")
    with pytest.raises(FormatError, match=f"rows{of}"):
        score_file(model, data, tmp_path / "out.npy")
    assert os.listdir(tmp_path) == [data.name]


def test_an_absent_column_is_named_before_any_work(model, tmp_path):
    data = tmp_path / "rows.parquet"
    pq.write_table(table().rename_columns(["is_new", "id", "when", "Age", "amount"]), data)
    with pytest.raises(ArgumentError, match=r"rows.parquet: there is no column 'age'.*'Age'"):
        score_file(model, data, tmp_path / "out.npy")


def test_kept_columns_that_are_absent_or_named_as_scores_are_refused(model, tmp_path):
    data = save_rows(tmp_path / "rows.parquet")
    with pytest.raises(ArgumentError, match=r"--keep iD: .* has no columns of that name"):
        score_file(model, data, tmp_path / "out.csv", keep=["iD"])
    with pytest.raises(ArgumentError, match="--keep score: a column of scores has that name"):
        score_file(model, data, tmp_path / "out.csv", keep=["score"])
    with pytest.raises(ArgumentError, match=r"--keep id: a .npy file has no named columns"):
        score_file(model, data, tmp_path / "out.npy", keep=["id"])


def test_a_bad_cell_is_told_and_leaves_nothing_behind(model, tmp_path):
    data = save_rows(tmp_path / "rows.csv")
    lines = data.read_text().splitlines()
    lines[900] = ",".join([*lines[900].split(",")[:-1], "much"])
    data.write_text("\n".join(lines))
    out = tmp_path / "out.npy"
    out.write_bytes(b"before")
    with pytest.raises(FormatError, match=r"rows.csv: .*much"):
        score_file(model, data, out)
    assert out.read_bytes() == b"before"
    assert sorted(os.listdir(tmp_path)) == ["out.npy", "rows.csv"]


def test_a_text_in_a_column_of_numbers_is_told_with_its_row(model, tmp_path):
    rows = table(50)
    texts = pa.array([*["1"] * 49, "x"])
    data = tmp_path / "rows.parquet"
    pq.write_table(rows.set_column(4, "amount", texts), data)
    with pytest.raises(ArgumentError, match=r"rows.parquet, from row 0: column 'amount': row 0"):
        score_file(model, data, tmp_path / "out.npy")


@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 3, 1)])
def test_a_matrix_of_another_shape_is_refused(model, tmp_path, shape):
    np.save(tmp_path / "rows.npy", np.zeros(shape))
    with pytest.raises((ArgumentError, FormatError), match=r"rows.npy: "):
        score_file(model, tmp_path / "rows.npy", tmp_path / "out.npy")


@pytest.mark.parametrize(("data", "out"), [("rows.txt", "out.npy"), ("rows.npy", "out.json")])
def test_other_kinds_of_files_are_refused(model, tmp_path, data, out):
    (tmp_path / data).touch()
    with pytest.raises(ArgumentError, match=r"expected a file .parquet, .csv or .npy"):
        score_file(model, tmp_path / data, tmp_path / out)


def test_the_output_never_takes_the_place_of_the_rows(model, tmp_path):
    data = save_rows(tmp_path / "rows.npy")
    (tmp_path / "link.npy").symlink_to(data)
    with pytest.raises(ArgumentError, match="would take the place of the rows"):
        score_file(model, data, tmp_path / "link.npy")


def test_a_draft_is_removed_whatever_ends_the_work(tmp_path):
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "out.csv") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert not os.listdir(tmp_path)


def test_an_output_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "folder.npy").mkdir()
    for path in (tmp_path / "no" / "out.npy", tmp_path / "folder.npy"):
        with pytest.raises(StorageError, match=path.name), replacing(path):
            pass


def test_the_ranker_of_a_bundle_scores_as_the_bundle_does(model_path, expected, tmp_path):
    shortlist.pack(tmp_path / "bundle", ranker=model_path, raw_score=True)
    data, out = save_rows(tmp_path / "rows.npy"), tmp_path / "out.npy"
    score_file(ScoredModel.load(tmp_path / "bundle"), data, out)
    raw = shortlist.load_model(model_path).predict(matrix(), raw_score=True)
    assert np.array_equal(np.load(out), raw)


def test_a_bundle_with_features_is_refused(model_path, tmp_path):
    from shortlist import features as f

    spec = f.FeatureSet([f.Numeric(f"user.{n}") for n in ("amount", "age", "is_new")])
    path = tmp_path / "model.txt"
    text = model_path.read_text().replace("=amount age is_new", "=user.amount user.age user.is_new")
    path.write_text(text)
    shortlist.pack(tmp_path / "bundle", ranker=path, features=spec)
    with pytest.raises(UnsupportedError, match="its ranker takes what the bundle's features make"):
        ScoredModel.load(tmp_path / "bundle")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_memory_stays_flat(model_path, tmp_path, suffix):
    """Twenty times the rows add less than the matrix of those rows alone would."""
    code = """
import resource, sys
from pathlib import Path
from shortlist.batch.model import ScoredModel
from shortlist.batch.scoring import score_file
model = ScoredModel.load(Path(sys.argv[1]))
def peak(data, out):
    score_file(model, Path(data), Path(out), chunk_rows=5000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
small = peak(sys.argv[2], sys.argv[4])
print(peak(sys.argv[3], sys.argv[4]) - small)
"""
    small, large = 30_000, 600_000
    files = [save_rows(tmp_path / f"{n}{suffix}", n) for n in (small, large)]
    ended = subprocess.run(
        [sys.executable, "-c", code, model_path, *files, tmp_path / f"out{suffix}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(ended.stdout) * 1024 < matrix(large).nbytes
