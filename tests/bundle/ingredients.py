"""What a bundle is packed of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import shortlist
from shortlist import features as f

__all__ = ["Ingredients"]


@dataclass(frozen=True)
class Ingredients:
    """What `shortlist.pack` takes."""

    model: Path
    features: f.FeatureSet
    index: shortlist.Index
    items: dict[str, object]
    users: dict[str, object]
    frame: dict[str, object]

    def everything(self) -> dict[str, object]:
        return {
            "ranker": self.model,
            "features": self.features,
            "retriever": self.index,
            "items": self.items,
            "users": self.users,
            "reference": self.frame,
            "popularity": "sold",
        }
