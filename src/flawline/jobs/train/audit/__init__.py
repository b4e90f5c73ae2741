"""Audit labels: find masks that look wrong."""
