"""Vectors of people and films by matrix factorisation, whose inner product says who likes what.

Alternating least squares for implicit feedback (Hu, Koren and Volinsky 2008), by `implicit`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import implicit.cpu.als
import numpy as np
import scipy.sparse
import threadpoolctl
from numpy.typing import NDArray

from shortlist.demo.split import Moment

__all__ = ["ITERATIONS", "Vectors", "train"]

FACTORS = 16
REGULARIZATION = 1.0
#: How much more a rating of five stars weighs than no rating.
CONFIDENCE = 5.0
ITERATIONS = 15
# The matrix is small: threads would wait for each other longer than they work.
N_THREADS = 1
SEED = 7


@dataclass(frozen=True)
class Vectors:
    """float32 vectors: ``users`` of shape (users, dim), ``items`` of shape (items, dim)."""

    users: NDArray[np.float32]
    items: NDArray[np.float32]

    def similarity(self, user: NDArray[np.int64], item: NDArray[np.int64]) -> NDArray[np.float32]:
        """Inner products of pairs of rows, shape (n,)."""
        products: NDArray[np.float32] = np.einsum("nd,nd->n", self.users[user], self.items[item])
        return products

    def similarities(self, user: NDArray[np.int64]) -> NDArray[np.float32]:
        """Inner products of users with all items, shape (len(user), items)."""
        return self.users[user] @ self.items.T


def train(known: Moment, *, on_iteration: Callable[[], None]) -> Vectors:
    """Factorise the ratings known at a moment.

    Parameters
    ----------
    known
        Only its ratings until the moment are read.
    on_iteration
        Called after each of the `ITERATIONS`.
    """
    ratings = known.known
    weights = (ratings.stars / 5.0).astype(np.float32)
    matrix = scipy.sparse.csr_matrix(
        (weights, (ratings.user, ratings.item)), shape=known.seen.shape
    )
    # The library runs its own threads; a BLAS with threads of its own would fight them for CPUs.
    with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
        model = implicit.cpu.als.AlternatingLeastSquares(
            factors=FACTORS,
            regularization=REGULARIZATION,
            alpha=CONFIDENCE,
            iterations=ITERATIONS,
            num_threads=N_THREADS,
            random_state=SEED,
        )
        model.fit(matrix, show_progress=False, callback=lambda *_: on_iteration())
    return Vectors(np.asarray(model.user_factors), np.asarray(model.item_factors))
