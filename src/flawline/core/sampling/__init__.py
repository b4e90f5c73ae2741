"""Acceptance sampling: how many parts of a lot to check, and what that lets through."""
