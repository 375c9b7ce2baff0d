"""MovieLens 100K as columns: people, films and ratings, checked while they are read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError, StorageError

__all__ = ["Dataset", "Items", "Ratings", "Users", "read"]

T = TypeVar("T")

Rows = NDArray[np.int64]

INTER_COLUMNS = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
USER_COLUMNS = ("user_id:token", "age:token", "gender:token", "occupation:token", "zip_code:token")
ITEM_COLUMNS = ("item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq")
# How the files write what they do not know; "V" is a sequel's number in the place of a year.
UNKNOWN = ("", "unknown", "unkonwn", "V")


@dataclass(frozen=True)
class Users:
    """People, one row each: ids int64, ages float64, the rest texts."""

    ids: NDArray[np.int64]
    age: NDArray[np.float64]
    gender: NDArray[np.str_]
    occupation: NDArray[np.str_]
    zip_code: NDArray[np.str_]


@dataclass(frozen=True)
class Items:
    """Films, one row each: ids int64, years float64 (NaN: not known), genres possibly none."""

    ids: NDArray[np.int64]
    title: NDArray[np.str_]
    year: NDArray[np.float64]
    genres: tuple[tuple[str, ...], ...]

    @cached_property
    def genre_names(self) -> tuple[str, ...]:
        """Every genre, in alphabetical order."""
        return tuple(sorted({genre for genres in self.genres for genre in genres}))

    @cached_property
    def genre_matrix(self) -> NDArray[np.float64]:
        """1 where a film (row) is of a genre (column, as in `genre_names`), else 0."""
        return np.array(
            [[genre in genres for genre in self.genre_names] for genres in self.genres], np.float64
        )


@dataclass(frozen=True)
class Ratings:
    """Ratings in order of time: rows of users and items, stars 1 to 5, Unix seconds."""

    user: Rows
    item: Rows
    stars: NDArray[np.float64]
    time_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time_s)

    def between(self, after_s: float, until_s: float) -> Ratings:
        """Ratings with ``after_s < time <= until_s``; views."""
        first, last = np.searchsorted(self.time_s, [after_s, until_s], side="right")
        part = slice(int(first), int(last))
        return Ratings(self.user[part], self.item[part], self.stars[part], self.time_s[part])


@dataclass(frozen=True)
class Dataset:
    """People, films, and what the people thought of the films."""

    users: Users
    items: Items
    ratings: Ratings


def read(folder: Path) -> Dataset:
    """Read ml-100k.user, ml-100k.item and ml-100k.inter.

    Raises
    ------
    StorageError
        A file is absent or cannot be read.
    FormatError
        Names the file, the line, the value and what was expected.
    """
    users = _read_users(folder / "ml-100k.user")
    items = _read_items(folder / "ml-100k.item")
    return Dataset(users, items, _read_ratings(folder / "ml-100k.inter", users, items))


def _read_users(path: Path) -> Users:
    table = _Table(path, USER_COLUMNS)
    return Users(
        ids=np.array(table.unique_ids(), np.int64),
        age=np.array(table.column(1, _number(0, 150, "an age from 0 to 150")), np.float64),
        gender=np.array(table.column(2, _text)),
        occupation=np.array(table.column(3, _text)),
        zip_code=np.array(table.column(4, _text)),
    )


def _read_items(path: Path) -> Items:
    table = _Table(path, ITEM_COLUMNS)
    year = _number(1850, 2100, "a year from 1850 to 2100, or unknown")
    return Items(
        ids=np.array(table.unique_ids(), np.int64),
        title=np.array(table.column(1, _text)),
        year=np.array(
            table.column(2, lambda cell: math.nan if cell in UNKNOWN else year(cell)), np.float64
        ),
        genres=tuple(
            table.column(3, lambda cell: tuple(g for g in cell.split() if g not in UNKNOWN))
        ),
    )


def _read_ratings(path: Path, users: Users, items: Items) -> Ratings:
    table = _Table(path, INTER_COLUMNS)
    user = np.array(table.column(0, _row_of(users.ids, "user")), np.int64)
    item = np.array(table.column(1, _row_of(items.ids, "item")), np.int64)
    stars = np.array(table.column(2, _number(1, 5, "a rating from 1 to 5")), np.float64)
    time_s = np.array(table.column(3, _number(0, 2**40, "Unix seconds, not negative")), np.float64)
    order = np.lexsort((item, user, time_s))
    return Ratings(user[order], item[order], stars[order], time_s[order])


class _Table:
    """A tab-separated file with a header, all of whose lines have the expected cells."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._name = path.name
        self._header = header
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise FormatError(f"{path.name}: not UTF-8 at byte {error.start}") from None
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from error
        if lines[0].split("\t") != list(header):
            raise FormatError(
                f"{path.name}: the header is {lines[0][:200]!r}, expected {' '.join(header)} "
                "separated by tabs"
            )
        if lines[-1] == "":
            lines.pop()
        self._rows = [line.split("\t") for line in lines[1:]]
        if not self._rows:
            raise FormatError(f"{path.name}: there is a header but no row")
        for number, row in enumerate(self._rows, 2):
            if len(row) != len(header):
                raise FormatError(
                    f"{path.name}: line {number} has {len(row)} cells, expected {len(header)}"
                )

    def column(self, index: int, parse: Callable[[str], T]) -> list[T]:
        return list(self._parsed(index, parse))

    def unique_ids(self) -> list[int]:
        ids = self.column(0, _identifier)
        seen: set[int] = set()
        for number, found in enumerate(ids, 2):
            if found in seen:
                raise FormatError(f"{self._name}: line {number} has the id {found} again")
            seen.add(found)
        return ids

    def _parsed(self, index: int, parse: Callable[[str], T]) -> Iterator[T]:
        for number, row in enumerate(self._rows, 2):
            try:
                yield parse(row[index])
            except ValueError as error:
                raise FormatError(
                    f"{self._name}: line {number}: {self._header[index]} is {row[index][:80]!r}, "
                    f"expected {error}"
                ) from None


def _identifier(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", cell):
        raise ValueError("an integer")
    return int(cell)


def _number(least: float, most: float, expected: str) -> Callable[[str], float]:
    def parse(cell: str) -> float:
        try:
            number = float(cell)
        except ValueError:
            raise ValueError(expected) from None
        if not least <= number <= most:
            raise ValueError(expected)
        return number

    return parse


def _row_of(ids: NDArray[np.int64], what: str) -> Callable[[str], int]:
    rows = {found: row for row, found in enumerate(ids.tolist())}

    def parse(cell: str) -> int:
        row = rows.get(_identifier(cell))
        if row is None:
            raise ValueError(f"the id of a known {what}")
        return row

    return parse


def _text(cell: str) -> str:
    if not cell:
        raise ValueError("a text that is not empty")
    return cell
