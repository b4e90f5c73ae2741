"""Drawn parts with known defects, for demonstrations and tests."""
