"""XGBoost models in JSON, as ``Booster.save_model("x.json")`` writes them since 1.0."""

from __future__ import annotations

import msgspec

from shortlist.errors import FormatError
from shortlist.models.importers.ensemble import ImportedEnsemble
from shortlist.models.importers.xgboost_document import ensemble_of
from shortlist.models.importers.xgboost_numbers import (
    Numbers,
    exact_float,
    from_builtin,
    quote_specials,
)
from shortlist.models.importers.xgboost_schema import Document, Tree, VectorTree

__all__ = ["import_xgboost_json"]

_SOURCE = "XGBoost JSON model"
_DOCUMENT = msgspec.json.Decoder(Document[msgspec.Raw], dec_hook=from_builtin)


def import_xgboost_json(data: bytes) -> ImportedEnsemble:
    """Read an XGBoost JSON model.

    Parameters
    ----------
    data : the whole file.

    Raises
    ------
    FormatError
        Truncated or inconsistent, or no such model; the message names tree and field.
    UnsupportedError
    """
    try:
        document = _DOCUMENT.decode(quote_specials(data))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FormatError(f"{_SOURCE}: {error}") from None
    except RecursionError:
        raise FormatError(f"{_SOURCE}: nested too deep") from None
    return ensemble_of(document, _SOURCE, _TreeDecoders().decode)


class _TreeDecoders:
    """Decodes trees, once more where a number stands halfway between two float32."""

    def __init__(self) -> None:
        self._halfway = False
        self._fast = {
            kind: msgspec.json.Decoder(kind, dec_hook=self._watched) for kind in (Tree, VectorTree)
        }

    def decode(self, raw: msgspec.Raw, kind: type[Tree]) -> Tree:
        self._halfway = False
        try:
            tree = self._fast[kind].decode(raw)
            if self._halfway:
                exact = msgspec.json.Decoder(kind, dec_hook=from_builtin, float_hook=exact_float)
                tree = exact.decode(raw)
        except UnicodeDecodeError as error:
            raise FormatError(f"{_SOURCE}: text that is not UTF-8: {error}") from None
        except RecursionError:
            raise FormatError(f"{_SOURCE}: nested too deep") from None
        return tree

    def _watched(self, kind: type[object], value: object) -> object:
        array = from_builtin(kind, value)
        if isinstance(array, Numbers):
            self._halfway |= array.between_float32()
        return array
