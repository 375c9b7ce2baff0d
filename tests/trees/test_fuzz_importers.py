"""A few hundred damaged models of each format are refused, or scored as the reference says."""

import subprocess
import sys

import pytest

NAMES = [
    "catboost-cbm",
    "catboost-json",
    "compiled",
    "lightgbm-json",
    "lightgbm-text",
    "onnx",
    "sklearn",
    "xgboost-binary",
    "xgboost-dump",
    "xgboost-json",
    "xgboost-ubj",
]


@pytest.mark.parametrize("name", NAMES)
def test_damaged_models_are_refused_or_scored_as_the_reference_says(name, repository, tmp_path):
    limits = ["--executions", "300", "--minutes", "5", "--seed", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "tools.fuzz", name, *limits, "--findings", str(tmp_path)],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )

    found = "\n\n".join(path.read_text(encoding="utf-8") for path in tmp_path.glob("*.txt"))
    assert (done.returncode, found, done.stderr) == (0, "", "")
    assert done.stdout.startswith(f"{name}: 300 executions, ")
