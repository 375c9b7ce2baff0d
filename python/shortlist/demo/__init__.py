"""The demonstration: real ratings to a trained, packed, measured and served ranking engine."""

from __future__ import annotations

from shortlist.demo.demonstration import run

__all__ = ["run"]
