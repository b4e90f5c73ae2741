"""Prepare the part of a report on a segmenter: confusion, classes, sizes and target recalls."""

from __future__ import annotations

from typing import Any

from flawline.core.drawing import class_colour
from flawline.jobs.evaluate.evaluation_charts import pod_against_size, rates_over
from flawline.jobs.evaluate.metric_text import number
from flawline.jobs.evaluate.segmentation import DefectClass, Segmentation

_STRONGEST = 55
"""Percent of colour in a cell that holds all of its row; more would hide the number."""


def segmented(found: Segmentation, judged: tuple[float, float] | None) -> dict[str, Any]:
    """Collect the values of the template; `judged` are overkill and escape of parts at the thresholds of the recipe."""
    return {
        "found": found,
        "confusion": _confusion(found),
        "colours": colours(found.classes),
        "pods": [_pod(one, found.unit) for one in found.defects if one.pod is not None],
        "targets": _targets(found, judged),
        "table": [target for target in found.targets if round(20 * target.recall) % 2 == 0],
    }


def colours(classes: tuple[str, ...]) -> dict[str, str]:
    """Name the colour of each class of defects in overlays, for CSS."""
    return {
        name: "rgb({}, {}, {})".format(*class_colour(place))
        for place, name in enumerate(classes)
        if place
    }


def _confusion(found: Segmentation) -> list[dict[str, Any]]:
    """Build a row for each true class that occurs: cells with share, pixels and strength of the colour."""
    return [
        {
            "name": name,
            "cells": [
                {
                    "share": f"{100 * share:.1f} %",
                    "pixels": f"{pixels:,}".replace(",", " "),
                    "right": row == column,
                    "weight": round(_STRONGEST * share),
                }
                for column, (share, pixels) in enumerate(zip(shares, counts, strict=True))
            ],
        }
        for row, (name, shares, counts) in enumerate(
            zip(found.classes, found.by_true_class, found.counts, strict=True)
        )
        if shares is not None
    ]


def _pod(one: DefectClass, unit: str) -> dict[str, Any]:
    assert one.pod is not None
    pod = one.pod
    return {
        "name": one.name,
        "pod": pod,
        "sizes": [number(value, ".3g") for value in (pod.a50, pod.a90, pod.a90_95)],
        "chart": "" if pod.curve is None else pod_against_size(pod, one.name, unit),
    }


def _targets(found: Segmentation, judged: tuple[float, float] | None) -> str:
    """Draw escape and overkill against the target recall, as SVG; empty with only good or only bad parts."""
    whole = [t for t in found.targets if t.escape is not None and t.overkill is not None]
    if not whole:
        return ""
    recalls = [one.figures.recall for one in found.defects if one.figures.recall is not None]
    return rates_over(
        [target.recall for target in whole],
        [target.escape.value for target in whole if target.escape],
        [target.overkill.value for target in whole if target.overkill],
        "target recall of the pixels of each class",
        at=sum(recalls) / len(recalls) if recalls else None,
        judged=judged,
    )
