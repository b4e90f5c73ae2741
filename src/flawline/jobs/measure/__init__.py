"""Measure masks into tables of defects and parts."""
