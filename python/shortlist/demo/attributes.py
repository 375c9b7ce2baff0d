"""What is known of each person and each film at a moment: columns of the user and item tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shortlist.demo.dataset import Dataset, Ratings
from shortlist.demo.split import DAY_S, LIKED_STARS, Moment

__all__ = ["Columns", "item_columns", "user_columns"]

Columns = dict[str, NDArray[np.float64] | NDArray[np.str_]]

# Ratings that a film or a genre is credited with, so that few ratings say little.
PRIOR_RATINGS = 5.0


def item_columns(data: Dataset, at: Moment) -> Columns:
    """Return one value a film: its year and genre, and how it was rated until the moment.

    Popularity is the share of all ratings in a span of time, in parts of 10,000, so that it means
    the same early and late.
    """
    known, n_items = at.known, len(data.items.ids)
    counts = _counts(known.item, n_items)
    stars = np.bincount(known.item, known.stars, minlength=n_items)
    liked = np.bincount(known.item, known.stars >= LIKED_STARS, minlength=n_items)
    popularity = _popularity(known, n_items)
    recent = {
        days: _popularity(known.between(at.now_s - days * DAY_S, at.now_s), n_items)
        for days in (14, 30, 60)
    }
    mean = known.stars.mean()
    return {
        "popularity": popularity,
        "popularity_14d": recent[14],
        "popularity_30d": recent[30],
        "popularity_60d": recent[60],
        "trend": recent[14] / (popularity + 0.5),
        "mean_stars": (stars + PRIOR_RATINGS * mean) / (counts + PRIOR_RATINGS),
        "liked_share": liked / (counts + PRIOR_RATINGS),
        "year": data.items.year,
        "genre": np.array([genres[0] if genres else "none" for genres in data.items.genres]),
    }


def user_columns(data: Dataset, at: Moment) -> Columns:
    """Return one value a person: who they are, and how they rated until the moment."""
    known, n_users = at.known, len(data.users.ids)
    counts = _counts(known.user, n_users)
    popularity = _popularity(known, len(data.items.ids))
    year = data.items.year[known.item]
    dated = np.isfinite(year)
    last_s = np.full(n_users, np.nan)
    last_s[known.user] = known.time_s  # in order of time: the last one stays
    return {
        "age": data.users.age,
        "gender": data.users.gender,
        "occupation": data.users.occupation,
        "area": np.array([code[:2] for code in data.users.zip_code.tolist()]),
        "n_ratings": counts,
        "mean_stars": _means(known.user, known.stars, n_users),
        "mean_popularity": _means(known.user, popularity[known.item], n_users),
        "mean_year": _means(known.user[dated], year[dated], n_users),
        "idle_days": (at.now_s - last_s) / DAY_S,
        "favourite_genre": _favourite_genres(data, known),
    }


def _popularity(ratings: Ratings, n_items: int) -> NDArray[np.float64]:
    return 1e4 * _counts(ratings.item, n_items) / max(len(ratings), 1)


def _favourite_genres(data: Dataset, known: Ratings) -> NDArray[np.str_]:
    """Return the genre that each person rates most beyond its share with everybody."""
    genres = data.items.genre_matrix[known.item]
    watched = np.zeros((len(data.users.ids), genres.shape[1]))
    np.add.at(watched, known.user, genres)
    usual = watched.sum(axis=0) / watched.sum()
    totals = watched.sum(axis=1, keepdims=True)
    excess = (watched + PRIOR_RATINGS * usual) / (totals + PRIOR_RATINGS) - usual
    names = np.array([*data.items.genre_names, "none"])
    return names[np.where(totals[:, 0] > 0, excess.argmax(axis=1), len(names) - 1)]


def _counts(rows: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    return np.bincount(rows, minlength=n).astype(np.float64)


def _means(rows: NDArray[np.int64], values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    counts = np.bincount(rows, minlength=n)
    sums = np.bincount(rows, values, minlength=n)
    means: NDArray[np.float64] = np.divide(sums, counts, out=np.full(n, np.nan), where=counts > 0)
    return means
