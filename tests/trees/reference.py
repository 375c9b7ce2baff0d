"""An ensemble scored straight from its definition, slowly: what the compiled form must equal."""

import numpy as np

from shortlist.models.importers.ensemble import Aggregate, ViewKind

_ZERO = float(np.float32(1e-35))


def raw_scores(ensemble, X, rounds=None):
    """What raw_score=True must return, as a matrix: shape (n, n_outputs)."""
    X = np.asarray(X)
    rows = _seen(ensemble, X)
    dtype = np.float32 if ensemble.float32 else np.float64
    scores = np.zeros((len(rows), ensemble.n_outputs), dtype)
    if ensemble.base is not None:
        scores += ensemble.base.astype(dtype)
    offsets = _round_offsets(ensemble)
    first, last = rounds if rounds is not None else (0, len(offsets) - 1)
    leaves = reached_leaves(ensemble, X)
    found = []
    worst = np.inf if ensemble.aggregate == Aggregate.MIN else -np.inf
    for t in range(int(offsets[first]), int(offsets[last])):
        values = _values(ensemble, rows, leaves[:, t]).astype(dtype)
        output = (
            t % ensemble.n_outputs if ensemble.tree_outputs is None else ensemble.tree_outputs[t]
        )
        if ensemble.aggregate != Aggregate.SUM:
            if values.ndim == 1:  # of no weight for the other outputs
                alone = np.full_like(scores, worst)
                alone[:, output] = values
                values = alone
            found.append(values)
        elif values.ndim == 2:
            scores += values
        else:
            with np.errstate(over="ignore", invalid="ignore"):  # linear leaves of infinite x
                scores[:, output] += values
    if found:
        extreme = np.min if ensemble.aggregate == Aggregate.MIN else np.max
        scores += extreme(found, axis=0)
    if ensemble.linear_weights is not None:
        for f in range(rows.shape[1]):
            given = ~np.isnan(rows[:, f])
            scores[given] += rows[given, f, None].astype(dtype) * ensemble.linear_weights[f]
    if ensemble.average and ensemble.average_raw:
        scores /= dtype(last - first)
    if ensemble.sum_scale != 1.0:
        scores *= dtype(ensemble.sum_scale)
    if ensemble.bias is not None and not (ensemble.bias_of_first_round and first > 0):
        scores += ensemble.bias.astype(dtype)
    return scores


def reached_leaves(ensemble, X):
    """Leaf of each row and tree, counted over the whole ensemble: shape (n, n_trees)."""
    rows = _seen(ensemble, np.asarray(X))
    leaves = np.zeros((len(rows), ensemble.n_trees), np.int64)
    walk = _oblivious_leaves if ensemble.oblivious else _binary_leaves
    for t in range(ensemble.n_trees):
        leaves[:, t] = walk(ensemble, rows, t) + ensemble.leaf_offsets[t]
    return leaves


def _seen(ensemble, X):
    """The numbers that nodes compare."""
    if not ensemble.float32_input:
        return X.astype(np.float64)
    hashed = list(ensemble.hashed_features)
    with np.errstate(over="ignore"):
        rows = X.astype(np.float32).astype(np.float64)
    rows[:, hashed] = X[:, hashed]
    return rows


def _round_offsets(ensemble):
    if ensemble.round_offsets is not None:
        return ensemble.round_offsets
    return np.arange(0, ensemble.n_trees + 1, ensemble.n_outputs)


def _values(ensemble, rows, leaves):
    linear = ensemble.linear_leaves
    values = ensemble.leaf_values[leaves].astype(np.float64)
    if linear is None:
        return values
    values = values.copy()
    for row, leaf in enumerate(leaves):
        terms = range(linear.offsets[leaf], linear.offsets[leaf + 1])
        x = [rows[row, linear.features[j]] for j in terms]
        if np.isnan(x).any():
            continue
        value = linear.constants[leaf]
        with np.errstate(over="ignore", invalid="ignore"):
            for j, number in zip(terms, x, strict=True):
                value += linear.coefficients[j] * (0.0 if abs(number) <= _ZERO else number)
        values[row] = value
    return values


def _binary_leaves(ensemble, rows, t):
    first = ensemble.split_offsets[t]
    at = np.zeros(len(rows), np.int64)
    if first == ensemble.split_offsets[t + 1]:
        return at
    while (at >= 0).any():
        for split in np.unique(at[at >= 0]):
            here = at == split
            left = _goes_left(ensemble, rows[here, ensemble.features[first + split]], first + split)
            at[here] = np.where(left, ensemble.left[first + split], ensemble.right[first + split])
    return ~at


def _oblivious_leaves(ensemble, rows, t):
    leaf = np.zeros(len(rows), np.int64)
    first, last = ensemble.split_offsets[t : t + 2]
    for bit, split in enumerate(range(first, last)):
        right = ~_goes_left(ensemble, rows[:, ensemble.features[split]], split)
        leaf |= right.astype(np.int64) << bit
    return leaf


def _goes_left(ensemble, x, split):
    kind = ViewKind(ensemble.kinds[split])
    if kind >= ViewKind.CATEGORY:
        return _in_set(ensemble, x, split, kind)
    missing = np.isnan(x)
    if kind in (ViewKind.ZERO_LEFT, ViewKind.ZERO_RIGHT):
        missing |= np.abs(x) <= _ZERO
    if kind == ViewKind.NONE:
        x, missing = np.where(missing, 0.0, x), np.zeros_like(missing)
    default = kind in (ViewKind.NAN_LEFT, ViewKind.ZERO_LEFT)
    return np.where(missing, default, x <= ensemble.thresholds[split])


def _in_set(ensemble, x, split, kind):
    missing_left = ensemble.missing_left is not None and bool(ensemble.missing_left[split])
    unknown_left = ensemble.unknown_left is not None and bool(ensemble.unknown_left[split])
    begin, end = ensemble.category_offsets[split : split + 2]
    chosen = set(ensemble.categories[begin:end].tolist())
    known = _known(ensemble, int(ensemble.features[split]))
    left = []
    for number in x.tolist():
        if np.isnan(number):
            left.append(missing_left)
            continue
        key = _key(number, kind)
        left.append(key in chosen if key in known else unknown_left)
    return np.array(left, dtype=bool)


def _known(ensemble, feature):
    """Keys of the feature that some set names, or that the model knows besides."""
    known = set(ensemble.known_categories.get(feature, np.zeros(0)).tolist())
    of_feature = (ensemble.features == feature) & (ensemble.kinds >= ViewKind.CATEGORY)
    for split in np.flatnonzero(of_feature):
        begin, end = ensemble.category_offsets[split : split + 2]
        known.update(ensemble.categories[begin:end].tolist())
    return known


def _key(number, kind):
    if kind == ViewKind.CATEGORY:
        return float(int(number)) if -1.0 < number < 2.0**31 else None
    if kind == ViewKind.CATEGORY_24:
        return float(int(number)) if 0.0 <= number < 2.0**24 else None
    if kind == ViewKind.VALUE:
        return number
    return number - 2.0**53 if number >= 2.0**53 else None
