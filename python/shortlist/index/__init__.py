"""Candidate retrieval: the best k of a set of vectors, exactly or at a recall that is asked for."""

from __future__ import annotations

from shortlist.index.building import Kind
from shortlist.index.index import Index
from shortlist.index.neighbors import Metric, Neighbors

__all__ = ["Index", "Kind", "Metric", "Neighbors"]
