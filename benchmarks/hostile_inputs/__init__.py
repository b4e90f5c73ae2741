"""Inputs that somebody means ill with, one file a kind; `benchmarks/hostile.py` runs them."""
