"""From what was trained to a bundle on disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import shortlist
from shortlist.demo.dataset import Dataset
from shortlist.demo.train import Trained

__all__ = ["N_CANDIDATES", "pack"]

N_CANDIDATES = 500
#: Rows whose histograms the bundle keeps, for drift to be seen against.
REFERENCE_ROWS = 20_000


def pack(data: Dataset, trained: Trained, out: Path) -> Path:
    """Write the next version of the bundle; return its folder.

    Everybody who had rated before the test is in the user table with a vector; to others the
    bundle answers with what was popular in the last month.

    Raises
    ------
    ShortlistError
    """
    scene = trained.scene
    known = np.flatnonzero(scene.at.seen.any(axis=1))
    items: dict[str, object] = {
        "id": data.items.ids,
        "title": data.items.title,
        "genres": [list(genres) for genres in data.items.genres],
        **scene.items,
    }
    users: dict[str, object] = {
        "id": data.users.ids[known],
        "vector": scene.vectors.users[known],
        **{name: values[known] for name, values in scene.users.items()},
    }
    with tempfile.TemporaryDirectory(prefix="shortlist-") as folder:
        model = Path(folder) / "ranker.txt"
        trained.booster.save_model(model)
        return shortlist.pack(
            out,
            retriever=shortlist.Index.build(scene.vectors.items, ids=data.items.ids, metric="ip"),
            features=trained.features,
            ranker=model,
            items=items,
            users=users,
            popularity=scene.items["popularity_30d"],
            n_candidates=N_CANDIDATES,
            reference=scene.reference(n_rows=REFERENCE_ROWS),
        )
