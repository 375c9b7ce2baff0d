"""The files are read into columns, and a bad cell is named."""

from __future__ import annotations

import numpy as np
import pytest
from demo_files import write_files

from shortlist.demo import dataset
from shortlist.errors import FormatError, StorageError


def test_columns_hold_what_the_files_say(tmp_path):
    data = dataset.read(write_files(tmp_path))

    assert data.users.ids.tolist() == list(range(1, 61))
    assert data.users.age[:2].tolist() == [21.0, 22.0]
    assert data.users.gender[:2].tolist() == ["F", "M"]
    assert data.users.zip_code[0] == "10001"
    assert data.items.title[0] == "Film 1"
    assert data.items.year[0] == 1951.0
    assert data.items.genres[0] == ("Comedy", "Drama")
    assert data.items.genre_names == ("Action", "Comedy", "Drama", "Horror")
    assert data.items.genre_matrix[0].tolist() == [0.0, 1.0, 1.0, 0.0]
    assert len(data.ratings) == 60 * 40


def test_ratings_are_in_order_of_time_and_name_rows(tmp_path):
    data = dataset.read(write_files(tmp_path))

    assert (np.diff(data.ratings.time_s) >= 0).all()
    assert set(data.ratings.user.tolist()) == set(range(60))
    even_films = data.items.ids[data.ratings.item] % 2 == 0
    even_users = data.users.ids[data.ratings.user] % 2 == 0
    assert ((data.ratings.stars == 5.0) == (even_films == even_users)).all()


def test_between_takes_the_end_and_leaves_the_start(tmp_path):
    ratings = dataset.read(write_files(tmp_path)).ratings
    start, end = ratings.time_s[100], ratings.time_s[200]

    part = ratings.between(start, end)

    assert part.time_s.min() > start
    assert part.time_s.max() == end
    assert len(part) == ((ratings.time_s > start) & (ratings.time_s <= end)).sum()


@pytest.mark.parametrize("year", ["unkonwn", "V", ""])
def test_a_year_that_the_source_does_not_know_is_missing(tmp_path, year):
    write_files(tmp_path)
    replace_line(tmp_path / "ml-100k.item", 2, f"1\tFilm\t{year}\tunknown")

    items = dataset.read(tmp_path).items

    assert np.isnan(items.year[0])
    assert items.genres[0] == ()


def replace_line(path, number, text):
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[number - 1] = text
    path.write_text("\n".join(lines), encoding="utf-8")


BAD_LINES = {
    "inter header": ("inter", 1, "a\tb", "the header is"),
    "too few cells": ("inter", 3, "1\t2\t3", "line 3 has 3 cells, expected 4"),
    "unknown user": ("inter", 4, "999\t1\t3\t1", "line 4: user_id:token is '999'"),
    "unknown film": ("inter", 4, "1\t999\t3\t1", "expected the id of a known item"),
    "too many stars": ("inter", 2, "1\t1\t6\t1", "expected a rating from 1 to 5"),
    "stars that are not a number": ("inter", 2, "1\t1\tnan\t1", "expected a rating from 1 to 5"),
    "negative time": ("inter", 2, "1\t1\t3\t-1", "expected Unix seconds"),
    "id as text": ("user", 2, "one\t20\tM\twriter\t1", "line 2: user_id:token is 'one'"),
    "id twice": ("user", 3, "1\t20\tM\twriter\t1", "line 3 has the id 1 again"),
    "age": ("user", 2, "1\t-4\tM\twriter\t1", "expected an age from 0 to 150"),
    "no gender": ("user", 2, "1\t20\t\twriter\t1", "expected a text that is not empty"),
    "year": ("item", 2, "1\tFilm\t19x5\tDrama", "expected a year from 1850 to 2100"),
    "no title": ("item", 2, "1\t\t1995\tDrama", "expected a text that is not empty"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_bad_line_is_refused_by_file_line_and_expectation(tmp_path, case):
    name, number, line, message = BAD_LINES[case]
    write_files(tmp_path)
    replace_line(tmp_path / f"ml-100k.{name}", number, line)

    with pytest.raises(FormatError) as caught:
        dataset.read(tmp_path)

    assert str(caught.value).startswith(f"ml-100k.{name}: ")
    assert message in str(caught.value)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(StorageError, match=r"ml-100k\.user"):
        dataset.read(tmp_path)


def test_a_file_with_a_header_alone_is_refused(tmp_path):
    path = write_files(tmp_path) / "ml-100k.user"
    path.write_text(path.read_text(encoding="utf-8").split("\n")[0] + "\n", encoding="utf-8")

    with pytest.raises(FormatError, match="a header but no row"):
        dataset.read(tmp_path)


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    (write_files(tmp_path) / "ml-100k.item").write_bytes(b"\xff")

    with pytest.raises(FormatError, match=r"ml-100k\.item: not UTF-8 at byte 0"):
        dataset.read(tmp_path)


def test_movielens_has_its_published_size(shared_path):
    data = dataset.read(shared_path("data", "ml-100k"))

    assert len(data.ratings) == 100_000
    assert len(data.users.ids) == 943
    assert len(data.items.ids) == 1682
    assert np.isnan(data.items.year).sum() == 2
