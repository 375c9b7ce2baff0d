"""How contestants are run: one pinned process each, in interleaved rounds."""
