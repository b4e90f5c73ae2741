"""Measurement systems analysis: how well a gauge measures, and how well people agree."""
