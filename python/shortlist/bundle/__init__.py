"""Bundles: immutable versions of everything an answer needs."""
