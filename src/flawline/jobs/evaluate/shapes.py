"""Build values that several JSON documents of evaluations hold."""

from __future__ import annotations

from typing import Any

from flawline.core.bootstrap import Difference
from flawline.core.metrics import Share
from flawline.jobs.evaluate.segmentation import Estimated, RegionRecall


def estimated_as_dict(one: Estimated | None) -> dict[str, Any] | None:
    """Build a metric with its interval."""
    if one is None:
        return None
    low, high = one.interval or (None, None)
    return {
        "value": rounded(one.value),
        "low": rounded(low),
        "high": rounded(high),
        "pictures": one.pictures,
        "parts": one.parts,
    }


def share_as_dict(share: Share) -> dict[str, Any]:
    """Build a share with its interval."""
    low, high = share.interval
    return {
        "hits": share.hits,
        "of": share.of,
        "value": rounded(share.value),
        "low": rounded(low),
        "high": rounded(high),
    }


def recall_as_dict(one: RegionRecall | None) -> dict[str, Any] | None:
    """Build the shares of regions and parts found."""
    if one is None:
        return None
    return {
        "name": one.name,
        "regions": share_as_dict(one.regions),
        "parts": share_as_dict(one.parts),
    }


def difference_as_dict(one: Difference) -> dict[str, Any]:
    """Build a difference with its interval."""
    return {
        "value": rounded(one.value),
        "low": rounded(one.low),
        "high": rounded(one.high),
        "p": rounded(one.p),
        "parts": one.groups,
    }


def rounded(value: float | None) -> float | None:
    """Round to six places; None stays."""
    return None if value is None else round(value, 6)
