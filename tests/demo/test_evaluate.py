"""Metrics of quality agree with values computed by hand and by plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shortlist.demo.evaluate import Quality, Report, auc, ndcg_at, quality, recall_at

SCORES = np.array([[0.9, 0.8, 0.7, 0.6, 0.5]])
LIKED = np.array([[False, True, False, False, True]])
NONE_SEEN = np.zeros((1, 5), bool)


def test_recall_is_the_share_of_liked_films_among_the_first():
    assert recall_at(SCORES, LIKED, k=1).tolist() == [0.0]
    assert recall_at(SCORES, LIKED, k=2).tolist() == [0.5]
    assert recall_at(SCORES, LIKED, k=9).tolist() == [1.0]


def test_ndcg_of_a_list_computed_by_hand():
    ideal = 1.0 + 1.0 / math.log2(3)
    expected = (1 / math.log2(3) + 1 / math.log2(6)) / ideal

    assert ndcg_at(SCORES, LIKED, k=5) == pytest.approx([expected])
    assert ndcg_at(SCORES, LIKED, k=1) == pytest.approx([0.0])
    assert ndcg_at(-SCORES, LIKED, k=1) == pytest.approx([1.0])


def test_ndcg_of_the_perfect_order_is_one_though_more_is_liked_than_listed():
    liked = np.array([[True, True, True, False, False]])

    assert ndcg_at(SCORES, liked, k=2) == pytest.approx([1.0])


def test_films_at_minus_infinity_are_not_listed():
    scores = np.array([[0.9, -np.inf, 0.7, 0.6, -np.inf]])

    assert recall_at(scores, LIKED, k=5).tolist() == [0.0]
    assert ndcg_at(scores, LIKED, k=5).tolist() == [0.0]


def test_equal_scores_are_listed_by_row():
    assert recall_at(np.zeros((1, 5)), LIKED, k=2).tolist() == [0.5]


def test_auc_counts_a_tie_as_half():
    # Pairs of a liked and another film: (1, 0) lost, (1, 2) tied, (1, 3) won, (4, ...) all lost.
    scores = np.array([[0.9, 0.7, 0.7, 0.6, 0.5]])

    assert auc(scores, LIKED, NONE_SEEN) == pytest.approx([1.5 / 6])


def test_auc_leaves_out_what_was_seen():
    seen = np.array([[True, False, False, False, False]])

    assert auc(SCORES, LIKED, seen) == pytest.approx([2 / 4])


def test_metrics_agree_with_plain_loops():
    random = np.random.default_rng(5)
    scores = random.integers(0, 12, (40, 60)).astype(float)
    seen = random.random((40, 60)) < 0.3
    liked = (random.random((40, 60)) < 0.15) & ~seen
    liked[:, 0] |= ~liked.any(axis=1)
    seen[:, 0] &= ~liked[:, 0]

    found = quality(scores, scores, liked, seen)

    rows = [reference(*row) for row in zip(scores, liked, seen, strict=True)]
    recall, ndcg, area = np.mean(rows, axis=0)
    assert found.recall == pytest.approx(recall)
    assert found.ndcg == pytest.approx(ndcg)
    assert found.auc == pytest.approx(area)


def reference(scores, liked, seen):
    films = [film for film in range(len(scores)) if not seen[film]]
    order = sorted(films, key=lambda film: (-scores[film], film))
    gains = [1 / math.log2(place + 2) for place in range(10)]
    hits = sum(gain for gain, film in zip(gains, order, strict=False) if liked[film])
    ndcg = hits / sum(gains[: int(liked.sum())])
    good = [scores[film] for film in films if liked[film]]
    bad = [scores[film] for film in films if not liked[film]]
    won = sum((g > b) + 0.5 * (g == b) for g in good for b in bad)
    recall = sum(bool(liked[film]) for film in order[:100]) / len(good)
    return recall, ndcg, won / (len(good) * len(bad))


def test_a_ranker_that_beats_every_baseline_has_no_shortfall():
    report = Report(Quality(0.5, 0.3, 0.9), {"popularity": Quality(0.6, 0.2, 0.8)})

    assert report.shortfalls() == []


def test_a_shortfall_names_measure_and_baseline():
    baselines = {"popularity": Quality(0.1, 0.3, 0.8), "vectors": Quality(0.1, 0.1, 0.95)}

    shortfalls = Report(Quality(0.5, 0.3, 0.9), baselines).shortfalls()

    assert shortfalls == [
        "NDCG@10 of the ranker is 0.3000, of popularity 0.3000",
        "AUC of the ranker is 0.9000, of vectors 0.9500",
    ]
