"""Rank pictures without labels."""
