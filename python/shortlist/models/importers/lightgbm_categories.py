"""Names of LightGBM's categories: which feature each list of ``pandas_categorical`` belongs to.

LightGBM's Python package appends one list for each categorical column of the data frame, in order
of the columns, and does not say which columns. Ordered columns are among them; LightGBM takes those
for numbers, their codes.

Source: LightGBM python-package/lightgbm/basic.py (_data_from_pandas).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TypeAlias

from shortlist.errors import FormatError
from shortlist.models.importers.ensemble import CategoryName
from shortlist.models.importers.lightgbm_objective import shown

__all__ = ["CategoryLists", "match_categories", "read_categories"]

CategoryLists: TypeAlias = tuple[tuple[CategoryName, ...], ...]
_MAX_PAIRS = 1_000_000  # of list and feature that are compared


def read_categories(value: object, where: str) -> CategoryLists:
    """Check the lists; None, as models without data frames have it, is none.

    Raises
    ------
    FormatError
        Not a list of lists of strings, numbers and booleans.
    """
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(names, list) for names in value):
        raise FormatError(f"{where}: pandas_categorical is {shown(value)}, expected lists")
    for names in value:
        for name in names:
            if not isinstance(name, str | int | float):
                raise FormatError(
                    f"{where}: pandas_categorical has the category {shown(name)}, expected a "
                    "string, number or boolean"
                )
    return tuple(tuple(names) for names in value)


def match_categories(
    lists: Sequence[tuple[CategoryName, ...]],
    categorical: Set[int],
    highest: Mapping[int, int],
) -> dict[int, tuple[CategoryName, ...]]:
    """Return the names of each feature whose list is certain.

    Parameters
    ----------
    lists : names of the categorical columns, in order of the columns.
    categorical : features that the model splits by category.
    highest : the highest code seen in training, of each feature that may be such a column (-1
        where none was recorded).

    Returns
    -------
    All lists by feature, or nothing where more than one assignment fits: a name that is not known
    does no harm, a wrong one does.
    """
    if not lists:
        return {}
    for wanted in (categorical, frozenset[int]()):
        features = _only_match(lists, wanted, highest)
        if features is not None:
            return dict(zip(features, lists, strict=True))
    return {}


def _only_match(
    lists: Sequence[tuple[CategoryName, ...]], wanted: Set[int], highest: Mapping[int, int]
) -> list[int] | None:
    """Return the one ascending choice of features whose codes fit, all wanted ones among them."""
    candidates = sorted(wanted | highest.keys())
    if len(wanted) == len(lists):
        candidates = sorted(wanted)
    n = len(lists)
    if len(candidates) < n or len(candidates) * n > _MAX_PAIRS:
        return None
    sizes = [len(names) for names in lists]
    ways = [[1] + [0] * n]  # ways[c][i]: choices of i among the first c candidates; 2 is several
    for feature in candidates:
        code = highest.get(feature, -1)
        last = ways[-1]
        skipped = [0] * (n + 1) if feature in wanted else last
        ways.append(
            [skipped[0]]
            + [min(2, skipped[i + 1] + (last[i] if code < sizes[i] else 0)) for i in range(n)]
        )
    if ways[-1][n] != 1:
        return None
    chosen: list[int] = []
    i = n
    for c in range(len(candidates), 0, -1):
        feature = candidates[c - 1]
        if i > 0 and (feature in wanted or ways[c - 1][i] == 0):
            chosen.append(feature)
            i -= 1
    return chosen[::-1]
