"""Evaluate a recipe on pictures that it did not learn from, and compare recipes."""
