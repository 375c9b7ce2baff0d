"""Splits by time: what was known at a moment, and what people liked afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shortlist.demo.dataset import Dataset, Ratings
from shortlist.errors import ArgumentError

__all__ = ["DAY_S", "LIKED_STARS", "MIN_HISTORY", "Moment", "moment", "snapshots", "split"]

DAY_S = 86_400.0
#: A film is liked from so many stars on.
LIKED_STARS = 4.0
#: A person is asked for who has rated at least so many films before.
MIN_HISTORY = 5


@dataclass(frozen=True)
class Moment:
    """The world at one moment, and what followed.

    Parameters
    ----------
    now_s
        The moment, Unix seconds.
    known
        Ratings until then: all that features and vectors may use.
    later
        Ratings after it: what predictions are held against.
    seen, liked
        bool, shape (users, items): rated before; liked afterwards and not rated before.
    users
        Rows of the people to rank for: enough history, and at least one film liked afterwards.
    """

    now_s: float
    known: Ratings
    later: Ratings
    seen: NDArray[np.bool_]
    liked: NDArray[np.bool_]
    users: NDArray[np.int64]


def moment(data: Dataset, *, now_s: float, until_s: float) -> Moment:
    """Cut the ratings at ``now_s``, and leave out what comes after ``until_s``."""
    known = data.ratings.between(-np.inf, now_s)
    later = data.ratings.between(now_s, until_s)
    shape = (len(data.users.ids), len(data.items.ids))
    seen = np.zeros(shape, np.bool_)
    seen[known.user, known.item] = True
    liked = np.zeros(shape, np.bool_)
    good = later.stars >= LIKED_STARS
    liked[later.user[good], later.item[good]] = True
    liked &= ~seen
    asked = (seen.sum(axis=1) >= MIN_HISTORY) & liked.any(axis=1)
    return Moment(now_s, known, later, seen, liked, np.flatnonzero(asked))


def split(data: Dataset, *, test_share: float = 0.2) -> Moment:
    """Hold back the latest ratings of everybody as the test.

    Parameters
    ----------
    data
        All ratings.
    test_share
        Part of the ratings that is held back, above 0 and below 1; ratings of one second stay
        together.

    Raises
    ------
    ArgumentError
        The share is out of range, or nobody is left to test with.
    """
    if not 0 < test_share < 1:
        raise ArgumentError(f"test_share is {test_share}, expected above 0 and below 1")
    now_s = float(np.quantile(data.ratings.time_s, 1 - test_share, method="lower"))
    cut = moment(data, now_s=now_s, until_s=np.inf)
    if not len(cut.users):
        raise ArgumentError(
            f"nobody has {MIN_HISTORY} ratings until {now_s:.0f} s (Unix time) and likes a film "
            "afterwards: there is nothing to test with"
        )
    return cut


def snapshots(
    data: Dataset, *, until_s: float, shares: tuple[float, ...], horizon_days: float
) -> list[Moment]:
    """Earlier moments to learn from, at quantiles of the ratings until ``until_s``.

    Nothing after ``until_s`` is in any of them, neither as known nor as liked.
    """
    times = data.ratings.between(-np.inf, until_s).time_s
    cuts = [float(np.quantile(times, share, method="lower")) for share in shares]
    return [
        moment(data, now_s=now_s, until_s=min(until_s, now_s + horizon_days * DAY_S))
        for now_s in cuts
    ]
