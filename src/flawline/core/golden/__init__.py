"""Comparison with a golden sample: a picture of a good part, or what several good ones have in common."""
