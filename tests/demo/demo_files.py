"""A made-up data set in the files' format, small enough to train on in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np

GENRES = ("Action", "Comedy", "Drama", "Horror")


def write_files(folder: Path, *, n_users: int = 60, n_items: int = 90, seed: int = 0) -> Path:
    """Write ratings in which half of the people like the even films, half the odd ones."""
    random = np.random.default_rng(seed)
    users = ["user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token"]
    users += [
        f"{user}\t{20 + user % 50}\t{'MF'[user % 2]}\twriter\t{10000 + user}"
        for user in range(1, n_users + 1)
    ]
    items = ["item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"]
    items += [
        f"{item}\tFilm {item}\t{1950 + item % 48}\t{GENRES[item % 4]} {GENRES[(item + 1) % 4]}"
        for item in range(1, n_items + 1)
    ]
    ratings = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    for user in range(1, n_users + 1):
        films = random.choice(np.arange(1, n_items + 1), 40, replace=False)
        times = random.integers(880_000_000, 893_000_000, 40)
        for film, time_s in zip(films.tolist(), times.tolist(), strict=True):
            stars = 5 if film % 2 == user % 2 else 2
            ratings.append(f"{user}\t{film}\t{stars}\t{time_s}")
    for name, lines in (("user", users), ("item", items), ("inter", ratings)):
        (folder / f"ml-100k.{name}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
