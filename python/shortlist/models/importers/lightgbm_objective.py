"""LightGBM's objectives: what each makes of a raw score.

Source: LightGBM src/objective/ and include/LightGBM/config.h (ParseObjectiveAlias).
"""

from __future__ import annotations

import math
import re
import reprlib
from dataclasses import dataclass

from shortlist.errors import FormatError, UnsupportedError
from shortlist.models.importers.ensemble import Transform

__all__ = ["Objective", "read_objective", "shown"]

_SQUARED = ("regression", "regression_l1", "quantile", "mape", "fair")  # those that "sqrt" changes
_SCALED = ("binary", "multiclassova")
_SEVERAL_OUTPUTS = ("multiclass", "multiclassova", "custom")
_TRANSFORMS = {
    "regression": Transform.IDENTITY,
    "regression_l1": Transform.IDENTITY,
    "huber": Transform.IDENTITY,
    "fair": Transform.IDENTITY,
    "quantile": Transform.IDENTITY,
    "mape": Transform.IDENTITY,
    "lambdarank": Transform.IDENTITY,
    "rank_xendcg": Transform.IDENTITY,
    "custom": Transform.IDENTITY,
    "poisson": Transform.EXPONENTIAL,
    "gamma": Transform.EXPONENTIAL,
    "tweedie": Transform.EXPONENTIAL,
    "binary": Transform.SIGMOID,
    "multiclass": Transform.SOFTMAX,
    "multiclassova": Transform.SIGMOID,
    "cross_entropy": Transform.SIGMOID,
    "cross_entropy_lambda": Transform.SOFTPLUS,
}
_ALIASES = {
    "l2": "regression",
    "regression_l2": "regression",
    "mean_squared_error": "regression",
    "mse": "regression",
    "l2_root": "regression",
    "root_mean_squared_error": "regression",
    "rmse": "regression",
    "l1": "regression_l1",
    "mean_absolute_error": "regression_l1",
    "mae": "regression_l1",
    "softmax": "multiclass",
    "multiclass_ova": "multiclassova",
    "ova": "multiclassova",
    "ovr": "multiclassova",
    "xentropy": "cross_entropy",
    "xentlambda": "cross_entropy_lambda",
    "mean_absolute_percentage_error": "mape",
    "xendcg": "rank_xendcg",
    "xe_ndcg": "rank_xendcg",
    "xe_ndcg_mart": "rank_xendcg",
    "xendcg_mart": "rank_xendcg",
    "none": "custom",
    "null": "custom",
    "na": "custom",
}
_NUMBER = re.compile(r"([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?)([0-9]{1,3}))?")
_BRIEF = reprlib.Repr()  # which goes few levels deep into lists
_EXACT_DIGITS = 15  # a whole number of so many digits, and 10 to this power, are exact


@dataclass(frozen=True)
class Objective:
    """An objective as the file writes it, and its transform."""

    text: str
    transform: Transform
    scale: float


def shown(value: object) -> str:
    """Return a value as a message may show it: quoted, not longer than a line."""
    if isinstance(value, bytes):
        value = value[:61].decode("utf-8", "backslashreplace")
    text = value[:61] if isinstance(value, str) else _BRIEF.repr(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def read_objective(text: str, n_outputs: int, where: str) -> Objective:
    """Read an objective with its parameters, such as ``binary sigmoid:1``.

    Parameters
    ----------
    text : name and parameters, apart by blanks.
    n_outputs : trees of one round.
    where : what the messages begin with.

    Raises
    ------
    FormatError
        A parameter that is out of range, or does not go with the number of outputs.
    UnsupportedError
        No objective of LightGBM.
    """
    words = text.split()
    name = _ALIASES.get(words[0], words[0]) if words else ""
    if name not in _TRANSFORMS:
        raise UnsupportedError(f"{where}: objective {shown(text)} is not known")
    transform = _TRANSFORMS[name]
    scale = 1.0
    for word in words[1:]:
        key, _, value = word.partition(":")
        if key == "sqrt" and name in _SQUARED:
            transform = Transform.SIGNED_SQUARE
        elif key == "sigmoid" and name in _SCALED:
            scale = _read_number(value)
            if not 0.0 < scale < math.inf:
                raise FormatError(
                    f"{where}: objective has sigmoid {shown(value)}, expected a positive number"
                )
        elif key == "num_class" and value != str(n_outputs):
            raise FormatError(
                f"{where}: objective has {shown(word)}, expected num_class:{n_outputs}"
            )
    if n_outputs > 1 and name not in _SEVERAL_OUTPUTS:
        raise FormatError(f"{where}: objective is {shown(text)}, yet there are {n_outputs} outputs")
    return Objective(text, transform, scale)


def _read_number(text: str) -> float:
    """Read a number as LightGBM's Atof does, whose result is not always the nearest double.

    It adds what stands before and behind the point, then multiplies or divides by the power of
    ten; each step rounds. NaN where the text is no number.
    """
    match = _NUMBER.fullmatch(text)
    if match is None or not (match[1] or match[2]):
        return math.nan
    whole, part, sign, exponent = match[1], match[2] or "", match[3], int(match[4] or 0)
    if max(len(whole), len(part), exponent) > _EXACT_DIGITS:
        return float(text)
    value = float(int(whole or 0)) + int(part or 0) / 10.0 ** len(part)
    return value / 10.0**exponent if sign == "-" else value * 10.0**exponent
