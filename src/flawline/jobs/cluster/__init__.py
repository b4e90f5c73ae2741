"""Cluster pictures that look alike."""
