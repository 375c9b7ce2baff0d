"""Every model file scores with the same bits on every instruction set."""

import json

import pytest
from cases import MODELS, Case, needs_models
from instruction_sets import available_isas, run_under_isa

SCORE = """
import hashlib, json, sys
import numpy as np
from shortlist import _core
from shortlist.models import Forest, load_model
digests = {"isa": _core.active_isa()}
for path in json.load(open(sys.argv[1])):
    model = load_model(path)
    if not isinstance(model, Forest):
        continue
    rng = np.random.default_rng(5)
    rows = np.round(rng.normal(size=(67, model.n_features)) * 20) / 4
    rows[rng.random(rows.shape) < 0.2] = np.nan
    scores = [model.predict(X, raw_score=raw) for X in (rows, rows.astype("f4")) for raw in (0, 1)]
    scores.append(model.leaf_indices(rows))
    digests[path] = hashlib.sha256(b"".join(part.tobytes() for part in scores)).hexdigest()
print(json.dumps(digests))
"""


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """A file with the paths of all model files, unpacked where compressed."""
    folder = tmp_path_factory.mktemp("models")
    paths = []
    for number, about in enumerate(sorted(MODELS.rglob("case.json"))):
        own = folder / str(number)
        own.mkdir()
        paths += [str(path) for path in Case(about.parent).files(own, "model")]
    (folder / "paths.json").write_text(json.dumps(paths))
    return folder / "paths.json"


@needs_models
def test_every_instruction_set_gives_the_same_bits(listed):
    digests = [json.loads(run_under_isa(isa, SCORE, str(listed))) for isa in available_isas()]

    assert [found.pop("isa") for found in digests] == available_isas()
    assert len(digests[0]) > 55
    assert all(found == digests[0] for found in digests)
