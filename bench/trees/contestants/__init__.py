"""One module a library: how its users score trees with it."""
