"""Fuzz targets: model files and compiled forests damaged at random, and what must hold of them."""
