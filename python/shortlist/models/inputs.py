"""From frames to the matrix that a model scores: columns found by name, categories made codes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from shortlist import _core
from shortlist.errors import ArgumentError
from shortlist.frames import is_frame
from shortlist.models.importers.ensemble import CategoryName
from shortlist.models.input_cells import Categories, hashed_cells, number_source
from shortlist.models.input_columns import InputColumn
from shortlist.models.input_frame import open_frame

__all__ = ["ModelInputs", "is_frame"]

_SHOWN = 5
# What libraries call the features of a matrix without names.
_UNNAMED = ("Column_", "f", "x", "feature_", "Feature_", "")


class ModelInputs:
    """What a model takes, and how a frame becomes that.

    Parameters
    ----------
    feature_names : in the order of the model's columns.
    category_names : of a feature, by its position, the categories whose codes are 0, 1, ...
    hashed_features : positions of features whose categories CatBoost hashes.

    Attributes
    ----------
    is_unnamed : whether the names are those that a library makes by counting, as training had none.
    """

    def __init__(
        self,
        feature_names: Sequence[str],
        category_names: Mapping[int, tuple[CategoryName, ...]],
        hashed_features: tuple[int, ...],
    ):
        self.feature_names = tuple(feature_names)
        self._categories = {feature: Categories(names) for feature, names in category_names.items()}
        self._hashed = frozenset(hashed_features)
        self.is_unnamed = any(
            all(name == f"{prefix}{i}" for i, name in enumerate(self.feature_names))
            for prefix in _UNNAMED
        )

    @property
    def n_features(self) -> int:
        """Columns of the matrix."""
        return len(self.feature_names)

    def expects_texts(self, feature: int) -> bool:
        """Whether a feature's column is texts where a file does not say: of categories that are.

        Hashed features are, as the hash of a number is that of its text.
        """
        if feature in self._hashed:
            return True
        return feature in self._categories and self._categories[feature].are_texts

    def positions(self, names: Sequence[str], *, what: str = "X") -> list[int]:
        """Find the column of each feature among names of columns.

        A feature is the column of its name, else the one whose name with white space replaced by
        underscores is its (as LightGBM stores names). Features that have no names of their own
        (``Column_0``, ``f0``, ...), none of which occurs, are the columns in their order where
        there are as many. Columns that are no features are not looked at.

        Parameters
        ----------
        names : of the columns, in their order.
        what : what messages call the frame.

        Raises
        ------
        ArgumentError
            A column is absent, or several would do.
        """
        places: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            places.setdefault(name, []).append(position)
        if self.is_unnamed and not any(name in places for name in self.feature_names):
            if len(names) == self.n_features:
                return list(range(self.n_features))
            raise ArgumentError(
                f"{what} has {len(names)} columns; the model's features have no names, so that "
                f"{self.n_features} columns are expected, in the order of training"
            )
        stored: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            stored.setdefault(re.sub(r"\s", "_", name), []).append(position)
        found = [places.get(name) or stored.get(name) or [] for name in self.feature_names]
        absent = [name for name, where in zip(self.feature_names, found, strict=True) if not where]
        if absent:
            raise ArgumentError(f"{what}: {_absence(absent, names)}")
        for name, where in zip(self.feature_names, found, strict=True):
            if len(where) > 1:
                several = ", ".join(repr(names[position]) for position in where[:_SHOWN])
                raise ArgumentError(
                    f"{what}: {len(where)} columns could be feature {name!r}: {several}"
                )
        return [where[0] for where in found]

    def matrix(
        self, X: object, dtype: DTypeLike = np.float64, *, what: str = "X"
    ) -> NDArray[np.float32] | NDArray[np.float64]:
        """Make the model's matrix of a frame.

        Parameters
        ----------
        X : a mapping from names to columns, a pandas or polars DataFrame, or anything that offers
            its columns by Arrow's PyCapsule interface (``__arrow_c_stream__`` or
            ``__arrow_c_array__``); a reader of record batches is read to its end. Columns that are
            no features are ignored. Numbers are rounded once, to `dtype`: integers beyond 2^53 to
            the nearest float64. What is missing is NaN. A category, whichever way the frame writes
            it, is found by its value, never by the frame's own codes; one that the model does not
            know becomes -1.
        dtype : float32 or float64; with hashed features float64.
        what : what messages call the frame.

        Returns
        -------
        An array of `dtype` in C order, shape (n, n_features), of its own memory.

        Raises
        ------
        ArgumentError
            No frame; a column is absent, of another length than the others, or of a type that is
            neither numbers nor texts; a text where a number is expected, or the reverse.
        FormatError, StorageError
            Malformed Arrow data, or its producer failed.
        """
        kind = np.dtype(dtype)
        if kind not in (np.float32, np.float64) or (self._hashed and kind != np.float64):
            expected = "float64" if self._hashed else "float32 or float64"
            raise ArgumentError(f"dtype: got {kind}, expected {expected}")
        frame = open_frame(X, what)
        positions = self.positions(frame.names, what=what)
        columns = [frame.column(position) for position in positions]
        n_rows = len(columns[0]) if columns else 0
        sources: list[_core.Source] = []
        for feature, (position, column) in enumerate(zip(positions, columns, strict=True)):
            if len(column) != n_rows:
                raise ArgumentError(
                    f"{frame.title(position)} has {len(column)} rows, "
                    f"column {frame.names[positions[0]]!r} has {n_rows}"
                )
            sources.append(self._source(feature, column, frame.title(position)))
        out = np.empty((n_rows, self.n_features), dtype=kind)
        _core.fill_rows(out, sources)
        return out

    def _source(self, feature: int, column: InputColumn, what: str) -> _core.Source:
        if feature in self._hashed:
            return hashed_cells(column, what), None
        categories = self._categories.get(feature)
        if categories is None:
            return number_source(column, what)
        return categories.cells(column, what), None


def _absence(absent: Sequence[str], names: Sequence[str]) -> str:
    parts = []
    for name in absent[:_SHOWN]:
        close = difflib.get_close_matches(name, names, n=3)
        alike = f" (close to it: {', '.join(map(repr, close))})" if close else ""
        parts.append(f"{name!r}{alike}")
    more = f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
    return f"there is no column {', '.join(parts)}{more}"
