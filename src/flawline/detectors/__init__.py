"""Detectors of anomalies, one file a method."""
