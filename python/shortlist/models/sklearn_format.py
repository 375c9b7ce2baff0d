"""The file that carries scikit-learn's trees from the training environment to an importer.

A safetensors file. Its metadata has ``kind`` (:data:`KIND`), ``version`` (:data:`VERSION`),
``estimator`` (the scikit-learn class), ``scikit_learn`` (its version) and ``loss``. Nodes of all
trees stand one after another as scikit-learn numbers them, leaves in the order of their nodes:

- ``tree_nodes`` int64 (n_trees + 1,): where the nodes of each tree begin, and the end;
- ``left``, ``right`` int32 (n_nodes,): children within the tree, -1 and -1 for a leaf;
- ``features`` int32, ``thresholds`` float64, ``missing_left`` uint8 (n_nodes,);
- ``values`` float64 (n_leaves,) or (n_leaves, n_outputs), and ``learning_rate`` float64 (1,), which
  they are to be multiplied by;
- ``base`` float64 (n_outputs,): where the sums begin;
- ``sets`` int32 (n_nodes,): the node's row in ``left_bitsets``, -1 for a node that compares;
- ``left_bitsets`` uint32 (n_sets, 8): codes of the categories that go left;
- ``known_features`` int32 (n,) and ``known_bitsets`` uint32 (n, 8): the codes that training saw, of
  features whose values are the codes;
- ``description`` uint8: JSON with ``n_features``, ``feature_names`` (null where training had
  none), ``classes`` (null for a regressor), and ``categories``: for each feature that scikit-learn
  encodes, the categories whose codes are 0, 1, ..., a last null being None.
"""

from __future__ import annotations

__all__ = [
    "BOOSTED",
    "CLASSIFIERS",
    "FORESTS",
    "HISTOGRAM",
    "KIND",
    "LOSSES",
    "MAX_FEATURES",
    "VERSION",
]

KIND = "sklearn-trees"
VERSION = "1"
MAX_FEATURES = 1_000_000

BOOSTED = ("GradientBoostingClassifier", "GradientBoostingRegressor")
HISTOGRAM = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
FORESTS = (
    "RandomForestClassifier",
    "RandomForestRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
)
CLASSIFIERS = tuple(
    name for name in (*BOOSTED, *HISTOGRAM, *FORESTS) if name.endswith("Classifier")
)
# Losses of each boosted estimator; a forest has none.
LOSSES: dict[str, tuple[str, ...]] = {
    "GradientBoostingClassifier": ("log_loss", "exponential"),
    "GradientBoostingRegressor": ("squared_error", "absolute_error", "huber", "quantile"),
    "HistGradientBoostingClassifier": ("log_loss",),
    "HistGradientBoostingRegressor": (
        "squared_error",
        "absolute_error",
        "gamma",
        "poisson",
        "quantile",
    ),
}
