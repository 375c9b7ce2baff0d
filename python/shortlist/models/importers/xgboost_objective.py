"""XGBoost's objectives: how sums become predictions, and base scores the margins of sums.

Source: XGBoost src/objective/.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from shortlist import _core
from shortlist.errors import FormatError
from shortlist.models.importers.ensemble import Transform

__all__ = ["base_margins", "classes_of", "transform_of"]

_TRANSFORMS = {
    "binary:logistic": Transform.FLOAT32_LOGISTIC,
    "reg:logistic": Transform.FLOAT32_LOGISTIC,
    "binary:hinge": Transform.FLOAT32_STEP,
    "multi:softmax": Transform.FLOAT32_SOFTMAX,
    "multi:softprob": Transform.FLOAT32_SOFTMAX,
    "count:poisson": Transform.FLOAT32_EXPONENTIAL,
    "reg:gamma": Transform.FLOAT32_EXPONENTIAL,
    "reg:tweedie": Transform.FLOAT32_EXPONENTIAL,
    "survival:cox": Transform.FLOAT32_EXPONENTIAL,
    "survival:aft": Transform.FLOAT32_EXPONENTIAL,
    "reg:expectileerror": Transform.FLOAT32_SOFTPLUS_STEPS,
}
_QUANTILE = "reg:quantileerror"
_QUANTILES_ASCEND_SINCE = (3, 4)
_LOGIT_CLAMPS_SINCE = (3, 1)
_RAW_BASE_IS_MARGIN_SINCE = (1, 4)  # of binary:logitraw
_LOGIT_LEAST = np.float32(1e-6)


class _Link(IntEnum):
    """How a base score becomes a margin; the values are those of the native function."""

    LOGIT = 0
    LOG = 1
    SOFTPLUS_STEPS = 2


_LINKS = {
    Transform.FLOAT32_LOGISTIC: _Link.LOGIT,
    Transform.FLOAT32_EXPONENTIAL: _Link.LOG,
    Transform.FLOAT32_SOFTPLUS_STEPS: _Link.SOFTPLUS_STEPS,
}


def transform_of(objective: str, version: tuple[int, ...]) -> Transform:
    """Return what makes predictions of sums; nothing for objectives that are not known."""
    if objective == _QUANTILE and version >= _QUANTILES_ASCEND_SINCE:
        return Transform.FLOAT32_ASCENDING
    return _TRANSFORMS.get(objective, Transform.IDENTITY)


def classes_of(objective: str, n_outputs: int) -> tuple[int, ...] | None:
    """Return the labels of a classifier, which XGBoost numbers from 0, or None."""
    if objective.startswith("multi:"):
        return tuple(range(n_outputs))
    return (0, 1) if objective in ("binary:logistic", "binary:logitraw", "binary:hinge") else None


def base_margins(
    scores: NDArray[np.float32], objective: str, version: tuple[int, ...], source: str
) -> NDArray[np.float32]:
    """Return where the sums begin.

    Parameters
    ----------
    scores : base scores as the file has them, in the scale of predictions.
    objective, version : of the file.
    source : the format, for messages.

    Raises
    ------
    FormatError
        A base score without a margin.
    """
    link = _LINKS.get(transform_of(objective, version))
    if objective == "binary:logitraw" and version < _RAW_BASE_IS_MARGIN_SINCE:
        link = _Link.LOGIT
    if link is _Link.LOGIT and version >= _LOGIT_CLAMPS_SINCE:
        if not ((scores >= 0) & (scores <= 1)).all():
            raise FormatError(f"{source}: base_score is {_shown(scores)}, expected 0 to 1")
        scores = np.clip(scores, _LOGIT_LEAST, np.float32(1) - _LOGIT_LEAST)
    margins = scores if link is None else _core.base_margins(link, scores)
    if not np.isfinite(margins).all():
        raise FormatError(
            f"{source}: base_score is {_shown(scores)}, which has no finite margin for {objective}"
        )
    return margins


def _shown(scores: NDArray[np.float32]) -> str:
    text = ", ".join(str(score) for score in scores[:5])
    return text + (", ..." if scores.size > 5 else "")
