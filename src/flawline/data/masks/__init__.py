"""Read the class masks of a source from any of the usual formats."""

from flawline.data.masks.masked_source import MaskedSource, open_masks

__all__ = ["MaskedSource", "open_masks"]
