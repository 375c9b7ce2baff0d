"""Bundles: immutable versions of everything an answer needs; packing, checking, describing them."""

from __future__ import annotations

from shortlist.bundle.inspection import BundleInfo, inspect
from shortlist.bundle.packing import pack
from shortlist.bundle.verification import Verification, verify
from shortlist.bundle.versions import latest, resolve, versions

__all__ = [
    "BundleInfo",
    "Verification",
    "inspect",
    "latest",
    "pack",
    "resolve",
    "verify",
    "versions",
]
