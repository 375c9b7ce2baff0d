"""Forests with the methods that scikit-learn users had: predict with labels, predict_proba.

scikit-learn need not be installed. Labels are chosen as the library that trained the model chooses
them, ties included.

Source: lightgbm/sklearn.py, xgboost/sklearn.py, scikit-learn's ensemble/_gb.py, _forest.py and
_hist_gradient_boosting/gradient_boosting.py (1.5 and later), catboost/core.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortlist.errors import ArgumentError, UnsupportedError
from shortlist.models.importers.ensemble import CategoryName

if TYPE_CHECKING:
    from shortlist.models.forest import Forest, Scores

__all__ = ["ForestClassifier", "ForestRanker", "ForestRegressor", "as_estimator"]

_CLASSIFYING = (
    *("binary", "multiclass", "multiclassova"),
    *("binary:logistic", "binary:logitraw", "binary:hinge", "multi:softmax", "multi:softprob"),
    *("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll"),
)
_RANKING = ("lambdarank", "rank_xendcg", "rank:", "YetiRank", "Pair", "Query", "StochasticRank")


class _ForestEstimator:
    """What every estimator has; it is fitted, and stays as it is."""

    def __init__(self, forest: Forest) -> None:
        self.forest = forest
        self.n_features_in_: int = forest.n_features
        if any(name != f"Column_{i}" for i, name in enumerate(forest.feature_names)):
            self.feature_names_in_ = np.array(forest.feature_names, dtype=object)

    def fit(self, X: object, y: object = None, **fit_params: object) -> None:
        """Refuse: the forest is trained.

        Raises
        ------
        UnsupportedError
        """
        given = ", ".join(["X", *(["y"] if y is not None else []), *fit_params])
        raise UnsupportedError(
            f"fit({given}): a {type(self).__name__} is trained already; where scikit-learn fits "
            f"what it is given, wrap this in sklearn.frozen.FrozenEstimator"
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return what it was made of; `deep` adds nothing, as a forest has no parameters."""
        return {"forest": self.forest}

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_clone__(self) -> _ForestEstimator:
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.forest!r})"


class ForestRegressor(_ForestEstimator):
    """A forest that predicts numbers.

    Attributes
    ----------
    forest : the :class:`shortlist.Forest`.
    n_features_in_ : number of features.
    feature_names_in_ : object array; absent where the model has no names.
    """

    _estimator_type = "regressor"

    def predict(self, X: ArrayLike) -> Scores:
        """Predict values: shape (n,), or (n, n_outputs) with several outputs."""
        return self.forest.predict(X)

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return R^2, the mean over outputs."""
        truth = np.asarray(y, dtype=np.float64)
        weight = np.ones(len(truth)) if sample_weight is None else np.asarray(sample_weight)
        columns = truth.reshape(len(truth), -1)
        predicted = np.asarray(self.predict(X), dtype=np.float64)
        errors = columns - predicted.reshape(columns.shape)
        spread = columns - np.average(columns, axis=0, weights=weight)
        unexplained = (weight[:, np.newaxis] * errors**2).sum(axis=0)
        total = (weight[:, np.newaxis] * spread**2).sum(axis=0)
        # A constant truth: perfect is 1, anything else 0, as in scikit-learn.
        constant = np.where(unexplained == 0.0, 1.0, 0.0)
        share = unexplained / np.where(total == 0.0, 1.0, total)
        return float(np.where(total == 0.0, constant, 1.0 - share).mean())

    def __sklearn_tags__(self) -> object:
        from sklearn.utils import InputTags, RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type="regressor",
            target_tags=TargetTags(required=True),
            regressor_tags=RegressorTags(),
            input_tags=InputTags(allow_nan=True, sparse=True),
        )


class ForestRanker(_ForestEstimator):
    """A forest that predicts scores to rank by; attributes as :class:`ForestRegressor` has."""

    def predict(self, X: ArrayLike) -> Scores:
        """Predict scores, shape (n,)."""
        return self.forest.predict(X)

    def __sklearn_tags__(self) -> object:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=True),
            input_tags=InputTags(allow_nan=True, sparse=True),
        )


class ForestClassifier(_ForestEstimator):
    """A forest that predicts classes.

    Attributes
    ----------
    forest : the :class:`shortlist.Forest`.
    classes_ : labels, in the order of the columns of ``predict_proba``.
    n_classes_ : number of labels.
    n_features_in_ : number of features.
    feature_names_in_ : object array; absent where the model has no names.

    Raises
    ------
    ArgumentError
        The number of labels is not the forest's.
    """

    _estimator_type = "classifier"

    def __init__(self, forest: Forest, classes: Sequence[CategoryName] | None = None) -> None:
        super().__init__(forest)
        n_classes = max(forest.n_outputs, 2)
        if forest.n_outputs == 1 and forest.classes is not None and len(forest.classes) == 1:
            n_classes = 1
        given = forest.classes if classes is None else tuple(classes)
        labels = tuple(range(n_classes)) if given is None else given
        if len(labels) != n_classes:
            raise ArgumentError(f"classes: got {len(labels)} labels, the model has {n_classes}")
        self.classes_: NDArray[Any] = np.array(labels)
        self.n_classes_ = n_classes

    def predict_proba(self, X: ArrayLike) -> Scores:
        """Predict probabilities, shape (n, n_classes)."""
        found = self.forest.predict(X)
        if found.ndim == 2:
            return found
        if self.n_classes_ == 1:
            return found[:, np.newaxis]
        both = np.empty((len(found), 2), dtype=found.dtype)
        both[:, 0] = 1 - found
        both[:, 1] = found
        return both

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict labels, shape (n,)."""
        by_raw = self.forest.source in ("sklearn", "catboost")
        found = self.forest.predict(X, raw_score=by_raw)
        if found.ndim == 2:
            codes = np.argmax(found, axis=1)
        elif self.n_classes_ == 1:
            codes = np.zeros(len(found), dtype=np.int64)
        elif self.forest.objective.startswith("GradientBoostingClassifier"):
            codes = (found >= 0.0).astype(np.int64)
        else:
            codes = (found > (0.0 if by_raw else 0.5)).astype(np.int64)
        labels: NDArray[Any] = self.classes_.take(codes)
        return labels

    def predict_log_proba(self, X: ArrayLike) -> Scores:
        """Predict logarithms of probabilities, shape (n, n_classes)."""
        with np.errstate(divide="ignore"):
            found: Scores = np.log(self.predict_proba(X))
        return found

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of rows whose label is predicted."""
        right = self.predict(X) == np.asarray(y)
        weight = np.ones(len(right)) if sample_weight is None else np.asarray(sample_weight)
        return float(np.average(right, weights=weight))

    def __sklearn_tags__(self) -> object:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(multi_class=self.n_classes_ > 2),
            input_tags=InputTags(allow_nan=True, sparse=True),
        )


def as_estimator(
    forest: Forest, classes: Sequence[CategoryName] | None
) -> ForestClassifier | ForestRegressor | ForestRanker:
    """Return the estimator that fits a forest's objective; `classes` make it a classifier."""
    words = forest.objective.split()
    objective = words[0].partition(":")[0] if words and forest.source == "catboost" else ""
    names = {objective, *words[:1]}
    if classes is not None or forest.classes is not None or names & set(_CLASSIFYING):
        return ForestClassifier(forest, classes)
    if words and words[0].startswith(_RANKING):
        return ForestRanker(forest)
    return ForestRegressor(forest)
