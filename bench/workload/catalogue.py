"""The seeded catalogue: items and users with clustered low-rank vectors, and their attributes.

Vectors have unit length, so inner product and cosine order items alike and 8-bit quantisation works
at its best. Attributes follow two shapes: numbers (log-normal, a tenth of them missing) and texts
out of small vocabularies, which every contestant codes as 0 for missing and 1..V in order.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEED = 20_240_601
N_ITEMS = 100_000
N_USERS = 5_000
DIM = 64
MISSING_SHARE = 0.1

_LATENT_DIM = 16
_N_CLUSTERS = 256
_FIRST_ITEM_ID = 1_000_003
_ITEM_ID_STEP = 7

USER_NUMBERS = tuple(f"u{i:02d}" for i in range(14))
USER_TEXTS = {
    "country": tuple(f"country-{i:02d}" for i in range(40)),
    "device": ("phone", "tablet", "desktop", "tv"),
    "plan": ("free", "basic", "plus", "family", "student"),
}
CONTEXT_NUMBERS = ("hour", "session_length", "scroll_depth")
ITEM_NUMBERS = tuple(f"i{i:02d}" for i in range(27))
ITEM_TEXTS = {
    "genre": tuple(f"genre-{i:02d}" for i in range(60)),
    "language": tuple(f"language-{i:02d}" for i in range(20)),
    "seller": tuple(f"seller-{i:03d}" for i in range(500)),
}

USER_FIELDS = (*USER_NUMBERS, *USER_TEXTS)
REQUEST_FIELDS = (*USER_FIELDS, *CONTEXT_NUMBERS)
ITEM_FIELDS = (*ITEM_NUMBERS, *ITEM_TEXTS)
N_REQUEST_FEATURES = len(REQUEST_FIELDS)
N_ITEM_FEATURES = len(ITEM_FIELDS)
N_FEATURES = N_REQUEST_FEATURES + N_ITEM_FEATURES


@dataclass(frozen=True)
class Entities:
    """Vectors and attributes of items or users; row i of each array belongs to ids[i]."""

    ids: NDArray[np.int64]
    vectors: NDArray[np.float32]
    numbers: NDArray[np.float32]  # (n, number of number fields), NaN where missing
    codes: NDArray[np.int32]  # (n, number of text fields), 0 where missing

    def features(self) -> NDArray[np.float32]:
        """Numbers, then text codes: the feature columns of these entities."""
        return np.hstack([self.numbers, self.codes.astype(np.float32)])


@dataclass(frozen=True)
class Catalogue:
    items: Entities
    users: Entities


def _vectors(rng: np.random.Generator, n: int, centres: NDArray[np.float64]) -> NDArray[np.float32]:
    cluster = rng.choice(len(centres), size=n, p=_cluster_shares(len(centres)))
    latent = centres[cluster] + 0.45 * rng.standard_normal((n, _LATENT_DIM))
    projection = np.random.default_rng(SEED + 1).standard_normal((_LATENT_DIM, DIM)) / np.sqrt(DIM)
    full = latent @ projection + 0.08 * rng.standard_normal((n, DIM))
    return (full / np.linalg.norm(full, axis=1, keepdims=True)).astype(np.float32)


def _cluster_shares(n: int) -> NDArray[np.float64]:
    shares = 1.0 / np.arange(4, 4 + n)
    return shares / shares.sum()


def numbers(rng: np.random.Generator, n: int, n_fields: int) -> NDArray[np.float32]:
    """Log-normal numbers with four decimals, a tenth of them NaN."""
    values = np.round(rng.lognormal(0.0, 0.8, (n, n_fields)), 4)
    values[rng.random((n, n_fields)) < MISSING_SHARE] = np.nan
    return values.astype(np.float32)


def codes(rng: np.random.Generator, n: int, texts: dict[str, tuple[str, ...]]) -> NDArray[np.int32]:
    """Codes 1..V with falling popularity, a tenth of them 0 (missing)."""
    columns = []
    for vocabulary in texts.values():
        drawn = rng.geometric(min(0.5, 4.0 / len(vocabulary)), size=n)
        column = (drawn - 1) % len(vocabulary) + 1
        column[rng.random(n) < MISSING_SHARE] = 0
        columns.append(column)
    return np.stack(columns, axis=1).astype(np.int32)


@functools.cache
def catalogue() -> Catalogue:
    """The catalogue, the same in every process of a run."""
    rng = np.random.default_rng(SEED)
    centres = rng.standard_normal((_N_CLUSTERS, _LATENT_DIM))
    items = Entities(
        ids=_FIRST_ITEM_ID + _ITEM_ID_STEP * np.arange(N_ITEMS, dtype=np.int64),
        vectors=_vectors(rng, N_ITEMS, centres),
        numbers=numbers(rng, N_ITEMS, len(ITEM_NUMBERS)),
        codes=codes(rng, N_ITEMS, ITEM_TEXTS),
    )
    users = Entities(
        ids=np.arange(N_USERS, dtype=np.int64),
        vectors=_vectors(rng, N_USERS, centres),
        numbers=numbers(rng, N_USERS, len(USER_NUMBERS)),
        codes=codes(rng, N_USERS, USER_TEXTS),
    )
    return Catalogue(items=items, users=users)


def user_id(row: int) -> str:
    """The id of the user in this row of the users table."""
    return f"u{row:05d}"
