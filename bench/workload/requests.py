"""The seeded request bodies: half bring a query vector, half name a user whose vector is stored."""

from __future__ import annotations

import functools
import json

import numpy as np

from bench.workload.catalogue import (
    CONTEXT_NUMBERS,
    N_USERS,
    SEED,
    USER_NUMBERS,
    USER_TEXTS,
    catalogue,
    codes,
    numbers,
    user_id,
)

N_BODIES = 256
N_CANDIDATES = 500
K = 50


@functools.cache
def bodies(k: int = K) -> tuple[bytes, ...]:
    """Request bodies that differ in everything but n_candidates and k."""
    rng = np.random.default_rng(SEED + 2)
    stored = catalogue().users
    known = rng.choice(N_USERS, size=N_BODIES, replace=False)
    user_numbers = numbers(rng, N_BODIES, len(USER_NUMBERS))
    user_codes = codes(rng, N_BODIES, USER_TEXTS)
    context = numbers(rng, N_BODIES, len(CONTEXT_NUMBERS))
    made = []
    for i in range(N_BODIES):
        user: dict[str, object] = {}
        request: dict[str, object] = {"user": user, "n_candidates": N_CANDIDATES, "k": k}
        if i % 2:
            user["id"] = user_id(int(known[i]))
        else:
            request["vector"] = [round(float(x), 6) for x in stored.vectors[known[i]]]
        user |= _present(USER_NUMBERS, user_numbers[i])
        for (name, vocabulary), code in zip(USER_TEXTS.items(), user_codes[i], strict=True):
            if code:
                user[name] = vocabulary[code - 1]
        request["context"] = _present(CONTEXT_NUMBERS, context[i])
        made.append(json.dumps(request).encode())
    return tuple(made)


def _present(names: tuple[str, ...], values: np.ndarray) -> dict[str, float]:
    pairs = zip(names, values, strict=True)
    return {name: round(float(x), 4) for name, x in pairs if not np.isnan(x)}
