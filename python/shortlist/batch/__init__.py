"""Scoring files of rows, a chunk at a time."""

from __future__ import annotations

from shortlist.batch.model import ScoredModel
from shortlist.batch.scoring import score_file

__all__ = ["ScoredModel", "score_file"]
