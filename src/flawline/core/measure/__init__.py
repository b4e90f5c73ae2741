"""Measure class masks: regions as runs of pixels, and their columns."""
