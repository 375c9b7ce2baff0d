"""Requests and rows as the JSON bytes that the native parser reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set

import msgspec
import numpy as np
from numpy.typing import NDArray

from shortlist.errors import RequestError

__all__ = ["encode_request"]

_MAX_DEPTH = 32


def encode_request(request: Mapping[str, object]) -> bytes:
    """Encode a request.

    Parameters
    ----------
    request
        Texts, numbers, booleans, None, and lists, tuples, sets, mappings and arrays of them;
        ``__array__`` makes an array of anything else, such as a series or a tensor.

    Raises
    ------
    RequestError
        A value of another type, which JSON would have no form for or another one than training
        saw; NaN or infinity, for which an encoder would write null, that is, missing; a key that is
        no text; nesting deeper than 32 levels. The message names the field.
    """
    _check(request, "", 0)
    try:
        return _ENCODER.encode(request)
    except (TypeError, ValueError, OverflowError) as error:
        raise RequestError(f"request: cannot be written as JSON: {error}") from None


def _check(value: object, where: str, depth: int) -> None:
    if value is None or isinstance(value, str | int | np.integer | np.bool_):
        return
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            raise RequestError(
                f"{where}: got {value}, expected a finite number, or None for missing"
            )
    elif depth > _MAX_DEPTH:
        raise RequestError(
            f"{where[:80]}...: nested too deep, at most {_MAX_DEPTH} levels are taken"
        )
    elif isinstance(value, Mapping):
        _check_members(value, where, depth)
    elif isinstance(value, list | tuple | Set):
        for position, item in enumerate(value):
            if type(item) is not float or not math.isfinite(item):
                _check(item, f"{where}[{position}]", depth + 1)
    elif hasattr(value, "__array__"):
        _check_array(np.asarray(value), where, depth)
    else:
        raise RequestError(
            f"{where}: got a value of type {type(value).__name__}, expected text, a number, "
            f"a list, or None for missing"
        )


def _check_members(members: Mapping[object, object], where: str, depth: int) -> None:
    for key, value in members.items():
        if not isinstance(key, str):
            raise RequestError(f"{where or 'request'}: key {key!r}: expected text")
        _check(value, f"{where}.{key}" if where else key, depth + 1)


def _check_array(array: NDArray[np.generic], where: str, depth: int) -> None:
    kind = array.dtype.kind
    if kind == "O":
        _check(array.tolist(), where, depth + 1)
    elif kind == "f" and not np.isfinite(array).all():
        raise RequestError(f"{where}: holds a value that is not finite")
    elif kind not in "biufU":
        raise RequestError(f"{where}: an array of {array.dtype}, expected texts or numbers")


def _builtin(value: object) -> object:
    """NumPy values and what becomes an array, as the Python values they stand for."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Set) else np.asarray(value).tolist()


_ENCODER = msgspec.json.Encoder(enc_hook=_builtin)
