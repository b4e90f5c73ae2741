"""Class masks of a source, whatever drew them: every picture with the class of each of its pixels."""

from flawline.data.masks.masked_source import MaskedSource, open_masks

__all__ = ["MaskedSource", "open_masks"]
