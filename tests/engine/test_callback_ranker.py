"""A ranker run by Python may fail in any way, or ask an engine again, and hurts no other."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shortlist import ScoringError, _core
from shortlist.features import FeatureSet

FIXTURE = Path(__file__).parents[1] / "fixtures" / "schema-1.0"
REQUEST = b'{"vector":[1,2,3,4,5,6,7,8],"k":5}'

Ranker = Callable[[np.ndarray], object]


@pytest.fixture
def engine_with(tmp_path) -> Callable[[Ranker], _core.Engine]:
    """The fixture's bundle with this function in place of its trees."""
    folder = tmp_path / "v1"
    shutil.copytree(FIXTURE, folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    for part in manifest["parts"]:
        if part["role"] == "ranker":
            part["kind"] = "callback"
    (folder / "bundle.json").write_text(json.dumps(manifest))
    names = FeatureSet.from_json((folder / "features.json").read_bytes()).names

    def make(ranker: Ranker) -> _core.Engine:
        return _core.Engine(str(folder), ranker=_core.CallbackRanker(ranker, list(names), 1))

    return make


@pytest.mark.parametrize(
    "result",
    [object(), "twelve", [1.0], np.zeros((3, 3)), None],
    ids=["object", "text", "too short", "too long", "none"],
)
def test_what_is_no_score_a_row_is_a_scoring_error(engine_with, result):
    engine = engine_with(lambda cells: result)
    with pytest.raises(ScoringError):
        engine.rank_json(REQUEST)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ranker_that_raises_is_a_scoring_error(engine_with):
    def fails(cells):
        raise ValueError("no")

    with pytest.raises(ScoringError, match="the ranker failed"):
        engine_with(fails).rank_json(REQUEST)


def test_a_ranker_that_asks_an_engine_leaves_the_request_at_hand_alone(engine_with):
    trees = _core.Engine(str(FIXTURE))
    large = json.dumps({"candidates": [f"item-{i}" for i in range(5000)], "k": 100}).encode()

    def asks(cells):
        expected = cells.copy()
        nested.append(trees.rank_json(large))
        assert (cells == expected).all()
        return np.arange(len(cells), dtype=np.float64)

    nested: list[bytes] = []
    plain = engine_with(lambda cells: np.arange(len(cells), dtype=np.float64))
    engine = engine_with(asks)
    for _ in range(3):
        assert engine.rank_json(REQUEST) == plain.rank_json(REQUEST)
        assert engine.rank(REQUEST)[0] == plain.rank(REQUEST)[0]
    assert len(set(nested)) == 1
    assert nested[0] == trees.rank_json(large)


def test_many_requests_run_a_python_ranker_on_several_threads(engine_with):
    threads = set()

    def scores(cells):
        threads.add(threading.get_ident())
        return np.arange(len(cells), dtype=np.float64)

    engine = engine_with(scores)
    answers = engine.rank_many([REQUEST] * 200, 4)
    assert all(answer[0] == answers[0][0] for answer in answers)
    assert 1 <= len(threads) <= 4
