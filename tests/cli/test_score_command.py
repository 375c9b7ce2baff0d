"""``shortlist score``: options, notices, errors and exit codes."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

import shortlist

lightgbm = pytest.importorskip("lightgbm")
pytest.importorskip("pyarrow")


@pytest.fixture
def model(tmp_path):
    random = np.random.default_rng(5)
    rows = random.normal(size=(300, 2))
    settings = {"objective": "binary", "verbosity": -1, "num_leaves": 7, "num_threads": 1}
    data = lightgbm.Dataset(rows, rows[:, 0] > 0, feature_name=["amount", "age"])
    path = tmp_path / "model.txt"
    lightgbm.train(settings, data, 10).save_model(path)
    return path


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("id,age,amount\na,0.5,1\nb,-2,\n")
    return path


def scores(model, **options) -> np.ndarray:
    return shortlist.load_model(model).predict([[1, 0.5], [np.nan, -2]], **options)


def test_scores_are_written_and_said_on_stderr(run, model, rows, tmp_path):
    out = tmp_path / "out.npy"
    ended = run("score", model, rows, "-o", out)
    assert (ended.exit_code, ended.stdout) == (0, ""), ended.stderr
    assert ended.stderr.startswith(f"{out}: 2 rows in ")
    assert np.array_equal(np.load(out), scores(model))


def test_options_reach_the_model_and_the_file(run, model, rows, tmp_path):
    out = tmp_path / "out.csv"
    options = (
        "--raw-score",
        "--threads",
        "2",
        "--chunk-rows",
        "1",
        "--keep",
        "id",
        "--keep",
        "age",
    )
    ended = run("score", model, rows, "--output", out, *options)
    assert ended.exit_code == 0, ended.stderr
    raw = scores(model, raw_score=True)
    assert out.read_text().splitlines() == [
        "id,age,score",
        f"a,0.5,{float(raw[0])!r}",
        f"b,-2,{float(raw[1])!r}",
    ]


def test_iterations_are_a_range_of_rounds(run, model, rows, tmp_path):
    out = tmp_path / "out.npy"
    assert run("score", model, rows, "-o", out, "--iterations", "2:5").exit_code == 0
    assert np.array_equal(np.load(out), scores(model, iteration_range=(2, 5)))


def test_iterations_that_the_model_lacks_are_exit_code_2(run, model, rows, tmp_path):
    ended = run("score", model, rows, "-o", tmp_path / "out.npy", "--iterations", "2:11")
    assert ended.exit_code == 2
    assert "iteration_range: got (2, 11)" in ended.stderr


@pytest.mark.parametrize("text", ["5", "1-2", ":", "a:b", "1:", "-1:2", "1:2:3", "1.0:2"])
def test_iterations_that_are_no_range_are_exit_code_2(run, model, rows, tmp_path, text):
    ended = run("score", model, rows, "-o", tmp_path / "out.npy", f"--iterations={text}")
    assert ended.exit_code == 2
    assert ended.stderr == f"error: --iterations {text}: expected A:B, such as 0:100\n"


@pytest.mark.parametrize(
    ("change", "exit_code", "message"),
    [
        ({"model": "absent.txt"}, 3, "absent.txt: no such model file"),
        ({"data": "absent.csv"}, 2, "absent.csv"),
        ({"out": "out.txt"}, 2, "out.txt: expected a file .parquet, .csv or .npy"),
        ({"out": "absent/out.npy"}, 4, "No such file or directory"),
        ({"data": "bad.csv"}, 2, "there is no column 'amount'"),
        ({"data": "model.txt"}, 2, "model.txt: expected a file"),
        ({"more": ["--keep", "nope"], "out": "out.csv"}, 2, "--keep nope"),
        ({"more": ["--threads", "0"]}, 2, "--threads"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(
    run, model, rows, tmp_path, change, exit_code, message
):
    (tmp_path / "bad.csv").write_text("id,age\n1,2\n")
    before = sorted(tmp_path.iterdir())
    arguments = {"model": model.name, "data": rows.name, "out": "out.npy"} | change
    paths = [tmp_path / arguments[name] for name in ("model", "data", "out")]
    ended = run("score", paths[0], paths[1], "-o", paths[2], *arguments.get("more", []))
    assert ended.exit_code == exit_code
    assert message in ended.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("data", "out"), [("rows.csv", "o.npy"), ("rows.npy", "o.parquet")])
def test_without_pyarrow_its_extra_is_named(execute, model, rows, tmp_path, data, out):
    np.save(tmp_path / "rows.npy", np.zeros((1, 2)))
    before = "sys.modules['pyarrow'] = None"
    ended = execute("score", model, tmp_path / data, "-o", tmp_path / out, before=before)
    assert ended.returncode == 4
    assert 'pip install "shortlist[parquet]"' in ended.stderr


@pytest.mark.parametrize("out", ["o.npy", "o.csv"])
def test_matrices_need_no_pyarrow(execute, model, tmp_path, out):
    np.save(tmp_path / "rows.npy", [[1, 0.5], [np.nan, -2]])
    before = "sys.modules['pyarrow'] = None"
    ended = execute("score", model, tmp_path / "rows.npy", "-o", tmp_path / out, before=before)
    assert ended.returncode == 0, ended.stderr


def test_a_log_gets_a_line_now_and_then(run, model, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["shortlist.cli.score"], "LINE_EVERY_S", 0.0)
    ended = run("score", model, rows, "-o", tmp_path / "out.npy", "--chunk-rows", "1")
    assert ended.stderr.splitlines()[:2] == ["rows.csv: 100%, 1 rows", "rows.csv: 100%, 2 rows"]


def test_a_terminal_gets_a_bar():
    from rich.console import Console

    from shortlist.cli.score import progress

    text = io.StringIO()
    with progress(Console(file=text, force_terminal=True, width=100), "rows.csv") as advance:
        advance(50, 0.5)
        advance(100, 1.0)
    assert "rows.csv" in text.getvalue()
    assert "100%" in text.getvalue()
    assert "100 rows" in text.getvalue()
