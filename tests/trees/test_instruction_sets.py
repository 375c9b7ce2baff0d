"""Every model file scores with the same bits on every instruction set, by every kernel."""

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
    rows = np.round(rng.normal(size=(330, model.n_features)) * 20) / 4
    rows[rng.random(rows.shape) < 0.2] = np.nan
    blocks = [X[:n] for X in (rows, rows.astype("f4")) for n in (7, 67, 330)]  # one, several, wide
    scores = [model.predict(X, raw_score=raw) for X in blocks for raw in (0, 1)]
    scores += [model.leaf_indices(X) for X in blocks]
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


ENVIRONMENTS = [
    {"SHORTLIST_TREE_KERNEL": "walk"},
    {"SHORTLIST_TREE_KERNEL": "lookup"},
    {"SHORTLIST_TREE_KERNEL": "bitslice"},
    {"SHORTLIST_TREE_KERNEL": "bitslice", "SHORTLIST_JIT": "0"},
]


@needs_models
def test_every_kernel_of_every_instruction_set_gives_the_same_bits(listed):
    first = None
    for isa in available_isas():
        for environment in ENVIRONMENTS:
            digests = json.loads(run_under_isa(isa, SCORE, str(listed), **environment))

            assert digests.pop("isa") == isa
            assert len(digests) > 55
            first = first or digests
            assert digests == first, environment
