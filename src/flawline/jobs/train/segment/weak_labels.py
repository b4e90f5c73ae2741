"""Say what a segmenter's labels were where they were no full masks, and what therefore rests on them."""

from __future__ import annotations

from typing import Any

from flawline.core.segmentation_metrics import LEAST_KNOWN
from flawline.data.masks.check import MaskReport


def labels_as_dict(report: MaskReport) -> dict[str, Any]:
    """Describe the labels for a recipe's manifest: pictures with estimated outlines, and the share of known pixels."""
    return {"estimated_outlines": report.estimated, "known_pixels": known_share(report)}


def known_share(report: MaskReport) -> float:
    """Compute the share of all pixels that the masks label, 0 to 1."""
    known = sum(share.pixels for share in report.classes)
    return known / max(known + report.ignored, 1)


def weak_labels(report: MaskReport) -> str:
    """Say in a few words what the labels were and what rests on them, empty for full masks."""
    known = known_share(report)
    if known < LEAST_KNOWN:
        return f"only {100 * known:.2g} % of the pixels are labelled: areas and thresholds rest on strokes"
    if report.estimated:
        return "outlines were estimated in boxes: areas and thresholds rest on boxes"
    return ""


def stroke_messages(report: MaskReport) -> list[str]:
    """Say what figures mean where most pixels are not labelled; nothing where they are."""
    known = known_share(report)
    if known >= LEAST_KNOWN:
        return []
    return [
        f"{100 * known:.2g} % of the pixels are labelled: shares of pixels, IoU and thresholds are those of the "
        "strokes, not of whole defects; a picture counts as good only where at least half of it is labelled"
    ]
