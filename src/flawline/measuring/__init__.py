"""Masks in, tables of defects and parts out."""

from flawline.measuring.result import MaskRow, MeasuredMasks, MeasureSettings
from flawline.measuring.run import measure_source

__all__ = ["MaskRow", "MeasureSettings", "MeasuredMasks", "measure_source"]
