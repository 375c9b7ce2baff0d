"""A split by time lets nothing of the future into the past."""

from __future__ import annotations

import numpy as np
import pytest
from demo_files import write_files

from shortlist.demo import dataset, split
from shortlist.demo.attributes import item_columns, user_columns
from shortlist.demo.dataset import Dataset, Ratings
from shortlist.errors import ArgumentError


@pytest.fixture
def data(tmp_path):
    return dataset.read(write_files(tmp_path))


def test_everything_known_is_before_everything_tested(data):
    test = split.split(data)

    assert test.known.time_s.max() <= test.now_s < test.later.time_s.min()
    assert len(test.known) + len(test.later) == len(data.ratings)
    assert len(test.later) / len(data.ratings) == pytest.approx(0.2, abs=0.01)


def test_ratings_of_one_second_stay_together(data):
    same = Ratings(
        data.ratings.user,
        data.ratings.item,
        data.ratings.stars,
        np.floor(data.ratings.time_s / 4e6) * 4e6,
    )

    test = split.split(Dataset(data.users, data.items, same))

    assert not set(test.known.time_s.tolist()) & set(test.later.time_s.tolist())


def test_a_moment_knows_who_saw_and_who_liked_what(data):
    test = split.split(data)

    for user in range(len(data.users.ids)):
        seen = set(test.known.item[test.known.user == user].tolist())
        good = (test.later.user == user) & (test.later.stars >= split.LIKED_STARS)
        liked = set(test.later.item[good].tolist()) - seen
        assert set(np.flatnonzero(test.seen[user]).tolist()) == seen
        assert set(np.flatnonzero(test.liked[user]).tolist()) == liked
        asked = len(seen) >= split.MIN_HISTORY and bool(liked)
        assert (user in test.users.tolist()) == asked


def test_snapshots_end_before_the_test_begins(data):
    test = split.split(data)

    past = split.snapshots(data, until_s=test.now_s, shares=(0.5, 0.9), horizon_days=20.0)

    assert [at.now_s for at in past] == sorted(at.now_s for at in past)
    for at in past:
        assert at.known.time_s.max() <= at.now_s < at.later.time_s.min()
        assert at.later.time_s.max() <= test.now_s
        assert at.later.time_s.max() <= at.now_s + 20 * split.DAY_S


def test_columns_of_a_moment_do_not_change_with_the_future(data):
    test = split.split(data)
    known = data.ratings.between(-np.inf, test.now_s)
    past_alone = Dataset(data.users, data.items, known)
    same = split.moment(past_alone, now_s=test.now_s, until_s=np.inf)

    for columns in (item_columns, user_columns):
        with_future, without = columns(data, test), columns(past_alone, same)
        assert with_future.keys() == without.keys()
        for name, values in with_future.items():
            np.testing.assert_array_equal(values, without[name], err_msg=name)


def test_columns_hold_what_can_be_counted_by_hand(data):
    at = split.split(data)
    known = at.known
    film = int(known.item[-1])
    mine = known.item == film
    recent = known.time_s > at.now_s - 14 * split.DAY_S
    items, users = item_columns(data, at), user_columns(data, at)

    assert items["popularity"][film] == pytest.approx(1e4 * mine.sum() / len(known))
    expected = 1e4 * (mine & recent).sum() / recent.sum()
    assert items["popularity_14d"][film] == pytest.approx(expected)
    person = int(known.user[-1])
    his = known.user == person
    assert users["n_ratings"][person] == his.sum()
    assert users["mean_stars"][person] == pytest.approx(known.stars[his].mean())
    expected = (at.now_s - known.time_s[his].max()) / split.DAY_S
    assert users["idle_days"][person] == pytest.approx(expected)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan")])
def test_a_share_out_of_range_is_refused(data, share):
    with pytest.raises(ArgumentError, match="test_share is"):
        split.split(data, test_share=share)


def test_a_test_without_people_is_refused(data):
    disliked = Ratings(
        data.ratings.user,
        data.ratings.item,
        np.ones_like(data.ratings.stars),
        data.ratings.time_s,
    )

    with pytest.raises(ArgumentError, match="nothing to test with"):
        split.split(Dataset(data.users, data.items, disliked))
