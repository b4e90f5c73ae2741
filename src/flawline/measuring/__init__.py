"""Masks in, tables of defects and parts out."""

from flawline.measuring.result import MaskRow, Measured, Settings
from flawline.measuring.run import measure_source

__all__ = ["MaskRow", "Measured", "Settings", "measure_source"]
