"""Which pictures show one part: suggestions for the `group` column."""

from flawline.grouping.result import Grouping
from flawline.grouping.run import group

__all__ = ["Grouping", "group"]
