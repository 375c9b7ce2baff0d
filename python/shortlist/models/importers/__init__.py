"""Readers of foreign model files: memory-safe, every count checked, into plain arrays."""
