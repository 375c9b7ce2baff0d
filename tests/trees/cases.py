"""The trained models at ../shared/models: what they are, their rows and expected predictions."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"

needs_models = pytest.mark.skipif(
    not MODELS.is_dir(), reason=f"{MODELS} is absent: the real trained models lie there"
)


class Case:
    """One folder with a case.json."""

    def __init__(self, folder):
        self.folder = folder
        self.about = json.loads((folder / "case.json").read_text())

    def model(self, tmp_path):
        """Path of the model file, unpacked where it is compressed."""
        name = next(n for n in self.about["models"] if not n.startswith("model.dump"))
        path = self.folder / name
        if path.suffix != ".gz":
            return path
        unpacked = tmp_path / path.stem
        unpacked.write_bytes(gzip.decompress(path.read_bytes()))
        return unpacked

    def files(self, tmp_path, start):
        """Paths of all its model files whose name begins so, unpacked where compressed."""
        paths = []
        for name in self.about["models"]:
            path = self.folder / name
            if not name.startswith(start):
                continue
            if path.suffix == ".gz":
                path = tmp_path / path.stem
                path.write_bytes(gzip.decompress((self.folder / name).read_bytes()))
            paths.append(path)
        return paths

    def rows(self):
        n = self.about["n_features"]
        if (self.folder / "inputs.csv").exists():
            return np.genfromtxt(self.folder / "inputs.csv", delimiter=",", skip_header=1).reshape(
                -1, n
            )
        absent = 0.0 if "0.0" in self.about["missing"] else np.nan
        rows = []
        for line in (self.folder / "inputs.libsvm").read_text().splitlines():
            row = np.full(n, absent)
            for word in line.split():
                feature, colon, value = word.partition(":")
                if colon:
                    row[int(feature)] = float(value)
            rows.append(row)
        return np.array(rows)

    def expected(self, kind):
        """Columns margin_* or pred_* of expected.csv, or None where it has none."""
        table = np.genfromtxt(self.folder / "expected.csv", delimiter=",", names=True)
        columns = [name for name in table.dtype.names if name.startswith(kind)]
        if not columns:
            return None
        return np.column_stack([np.atleast_1d(table[name]) for name in columns])


def cases(form):
    """Return every case of a format, as pytest parameters named after the folders."""
    found = []
    for path in sorted(MODELS.rglob("case.json")):
        if json.loads(path.read_text())["format"].startswith(form):
            found.append(pytest.param(Case(path.parent), id=path.parent.name))
    return found
