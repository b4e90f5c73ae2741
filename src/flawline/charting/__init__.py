"""Series of measures in time: is the process in control, and does it hold its specification?"""

from flawline.charting.result import ControlChart
from flawline.charting.run import chart_series

__all__ = ["ControlChart", "chart_series"]
