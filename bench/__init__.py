"""Benchmarks: shortlist and what people use instead, in one run on one machine."""
