"""Ensembles drawn at random, with every rule that importers may use, and rows on their edges."""

import numpy as np

from shortlist.models.importers.ensemble import (
    Aggregate,
    ImportedEnsemble,
    LinearLeaves,
    Transform,
    ViewKind,
)

EDGES = [0.0, -0.0, 5e-324, -5e-324, 1e-45, -1e-45, 1e-35, -1e-35, 1.0000000180025095e-35]
EDGES += [np.inf, -np.inf, np.nan, np.nan, -1.0, -0.5, 0.5, 2.0, 3.9, 2.0**24, 2.0**31, 1e300]


def random_ensemble(rng, n_features=6):
    """Return an ensemble of up to 40 trees."""
    n_outputs = int(rng.integers(1, 4))
    oblivious = bool(rng.random() < 0.3)
    vectors = bool(n_outputs > 1 and rng.random() < 0.4)
    float32 = bool(rng.random() < 0.5)
    aggregate = Aggregate(int(rng.choice([0, 0, 0, 1, 2])))
    n_trees = n_outputs * int(rng.integers(1, 14))
    shape = _oblivious_shape if oblivious else _binary_shape
    trees = [shape(rng) for _ in range(n_trees)]
    n_splits = np.array([len(left) for left, _, _ in trees])
    n_leaves = np.array([leaves for _, _, leaves in trees])
    total, total_leaves = int(n_splits.sum()), int(n_leaves.sum())
    features = rng.integers(0, n_features, total)
    kinds = np.where(features < 4, rng.integers(0, 5, total), rng.integers(5, 8, total))
    kinds[rng.random(total) < 0.1] = ViewKind.VALUE
    counts = np.where(kinds >= ViewKind.CATEGORY, rng.integers(0, 6, total), 0)
    leaf_values = rng.normal(size=(total_leaves, n_outputs) if vectors else total_leaves)
    linear = not (vectors or float32 or oblivious or aggregate) and rng.random() < 0.3
    per_round = n_outputs
    outputs = np.tile(rng.permutation(n_outputs), n_trees // n_outputs)
    thresholds = rng.choice([*rng.normal(size=12), *EDGES[:11]], total)
    if float32 or rng.random() < 0.3:
        thresholds = thresholds.astype(np.float32).astype(np.float64)
        leaf_values = leaf_values.astype(np.float32).astype(np.float64)
    return ImportedEnsemble(
        source="random",
        objective="none",
        feature_names=tuple(f"f{i}" for i in range(n_features)),
        n_outputs=n_outputs,
        transform=Transform.IDENTITY,
        average=bool(rng.random() < 0.3),
        average_raw=bool(rng.random() < 0.5),
        split_offsets=_offsets(n_splits),
        leaf_offsets=_offsets(n_leaves),
        features=features,
        kinds=kinds,
        thresholds=thresholds,
        left=_joined([left for left, _, _ in trees]),
        right=_joined([right for _, right, _ in trees]),
        leaf_values=leaf_values,
        category_offsets=_offsets(counts),
        categories=rng.integers(0, 9, int(counts.sum())).astype(np.float64),
        missing_left=rng.random(total) < 0.5 if rng.random() < 0.7 else None,
        unknown_left=rng.random(total) < 0.5 if rng.random() < 0.7 else None,
        known_categories={5: np.arange(12.0)} if rng.random() < 0.5 else {},
        oblivious=oblivious,
        round_offsets=np.arange(0, n_trees + 1, per_round),
        tree_outputs=outputs,
        leaf_ids=rng.integers(0, 1000, total_leaves),
        linear_leaves=_linear(rng, total_leaves, n_features) if linear else None,
        linear_weights=rng.normal(size=(n_features, n_outputs)).astype(np.float32)
        if float32 and not aggregate and rng.random() < 0.2
        else None,
        float32=float32,
        float32_input=float32 or (not linear and bool(rng.random() < 0.3)),
        base=rng.normal(size=n_outputs).astype(np.float32).astype(np.float64),
        sum_scale=1.0 if rng.random() < 0.5 else 0.75,
        bias=None if rng.random() < 0.5 else rng.normal(size=n_outputs),
        bias_of_first_round=bool(rng.random() < 0.5),
        aggregate=aggregate,
        absent=0.0 if rng.random() < 0.5 else np.nan,
    )


def edge_rows(ensemble, rng, n):
    """Rows of thresholds, their neighbours in both widths, categories, and special numbers."""
    around = ensemble.thresholds if ensemble.thresholds.size else np.zeros(1)
    with np.errstate(all="ignore"):
        narrow = around.astype(np.float32)
        pool = np.concatenate(
            (
                around,
                np.nextafter(around, np.inf),
                np.nextafter(around, -np.inf),
                np.nextafter(narrow, np.float32(np.inf)).astype(np.float64),
                np.nextafter(narrow, np.float32(-np.inf)).astype(np.float64),
                EDGES,
                np.arange(-1.0, 14.0),
            )
        )
    return rng.choice(pool, (n, len(ensemble.feature_names)))


def _binary_shape(rng):
    """Children of a random tree: a leaf turns into a split again and again."""
    n_splits = int(rng.choice([0, 1, 2, 5, 20, 40]))
    left, right = np.zeros(n_splits, np.int64), np.zeros(n_splits, np.int64)
    open_ends = []
    for split in range(n_splits):
        if split:
            parent, side = open_ends.pop(int(rng.integers(len(open_ends))))
            (left, right)[side][parent] = split
        open_ends += [(split, 0), (split, 1)]
    for leaf, which in enumerate(rng.permutation(len(open_ends))):
        parent, side = open_ends[which]
        (left, right)[side][parent] = ~leaf
    return left, right, n_splits + 1


def _oblivious_shape(rng):
    depth = int(rng.integers(0, 7))
    return np.zeros(depth, np.int64), np.zeros(depth, np.int64), 1 << depth


def _linear(rng, n_leaves, n_features):
    counts = rng.integers(0, 4, n_leaves)
    return LinearLeaves(
        constants=rng.normal(size=n_leaves),
        offsets=_offsets(counts),
        features=rng.integers(0, n_features, int(counts.sum())),
        coefficients=rng.normal(size=int(counts.sum())),
    )


def _offsets(counts):
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def _joined(arrays):
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int64)
