"""Who scores a model: shortlist first, then every peer, whether it can or not."""

from __future__ import annotations

from collections.abc import Mapping

from bench.harness.contestant import Contestant
from bench.trees.models import TreeModel

BATCHES = (1, 10, 100, 1000, 10_000)

BOUND = "shortlist Forest.bind"
PREDICT = "shortlist Forest.predict"
NO_JIT = "shortlist without its JIT"
PORTABLE = "shortlist, portable kernels"
TWO_THREADS = "shortlist, two threads"
VARIANTS = (NO_JIT, PORTABLE, TWO_THREADS)
OURS = (BOUND, PREDICT, *VARIANTS)

LIGHTGBM = "LightGBM Booster.predict"
LIGHTGBM_FAST = "LightGBM single row, C"
XGBOOST = "XGBoost inplace_predict"
CATBOOST = "CatBoost predict"
CATBOOST_CPP = "CatBoost C++ export"

# Which contestant is the training library, whose scores are right.
TRAINERS = {"lightgbm": LIGHTGBM, "xgboost": XGBOOST, "catboost": CATBOOST}

TWO_THREADS_BATCH = 10_000
_ONLY_AT = {LIGHTGBM_FAST: 1, NO_JIT: 1000, PORTABLE: 1000, TWO_THREADS: TWO_THREADS_BATCH}


def headline(batch: int) -> str:
    """Which of our calls a user of that batch would take: rows of large ones are read in place."""
    return BOUND if batch < 100 else PREDICT


def plays_at(name: str, batch: int) -> bool:
    """Whether a contestant is measured at that batch."""
    return _ONLY_AT.get(name, batch) == batch


def contestants(model: TreeModel) -> tuple[Contestant, ...]:
    """Everyone; peers of other libraries than the model's are left out."""
    own = {
        "lightgbm": (
            _contestant(model, LIGHTGBM, "lightgbm_booster:Predict"),
            _contestant(model, LIGHTGBM_FAST, "lightgbm_booster:SingleRowFast", optional=True),
        ),
        "xgboost": (_contestant(model, XGBOOST, "xgboost_booster:InplacePredict"),),
        "catboost": (
            _contestant(model, CATBOOST, "catboost_model:Predict"),
            _contestant(model, CATBOOST_CPP, "catboost_model:Exported", optional=True),
        ),
    }
    ours = "shortlist_forest"
    return (
        _contestant(model, BOUND, f"{ours}:Bound"),
        _contestant(model, PREDICT, f"{ours}:Predict"),
        _contestant(model, NO_JIT, f"{ours}:Predict", environment={"SHORTLIST_JIT": "0"}),
        _contestant(model, PORTABLE, f"{ours}:Predict", environment={"SHORTLIST_ISA": "portable"}),
        Contestant(
            TWO_THREADS,
            f"bench.trees.contestants.{ours}:Predict",
            {"model": model.name, "n_threads": 2},
            {"model": model.name},
            processors=2,
            optional=True,
        ),
        *own[model.library],
        _contestant(model, "ONNX Runtime", "onnx_session:Session", optional=True),
        _contestant(model, "treelite, tl2cgen", "treelite_library:Library", optional=True),
        _contestant(model, "lleaves", "lleaves_model:Compiled", optional=True),
    )


def _contestant(
    model: TreeModel,
    name: str,
    subject: str,
    *,
    environment: Mapping[str, str] | None = None,
    optional: bool = False,
) -> Contestant:
    return Contestant(
        name,
        f"bench.trees.contestants.{subject}",
        {"model": model.name},
        {"model": model.name},
        environment=environment or {},
        optional=optional,
    )
