"""Read the class masks of a source from any of the usual formats."""

from flawline.data.masks.mask_settings import MaskSettings
from flawline.data.masks.masked_source import MaskedSource, open_masked, open_masks

__all__ = ["MaskSettings", "MaskedSource", "open_masked", "open_masks"]
