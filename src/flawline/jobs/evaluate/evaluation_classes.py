"""What the report of an evaluation shows of a segmenter: its confusion, classes, sizes and wishes."""

from __future__ import annotations

from typing import Any

from flawline.core.drawing import class_colour
from flawline.jobs.evaluate.evaluation_charts import pod_against_size, rates_over
from flawline.jobs.evaluate.metric_text import number
from flawline.jobs.evaluate.segmentation import DefectClass, Segmentation

_STRONGEST = 55
"""Percent of colour in a cell that holds all of its row; more would hide the number."""


def segmented(found: Segmentation, judged: tuple[float, float] | None) -> dict[str, Any]:
    """Everything that the template needs; `judged` are overkill and escape of parts as they are."""
    return {
        "found": found,
        "confusion": _confusion(found),
        "colours": colours(found.classes),
        "pods": [_pod(one, found.unit) for one in found.defects if one.pod is not None],
        "wishes": _wishes(found, judged),
        "table": [wish for wish in found.wishes if round(20 * wish.recall) % 2 == 0],
    }


def colours(classes: tuple[str, ...]) -> dict[str, str]:
    """The colour of each class of defects in overlays, for CSS."""
    return {
        name: "rgb({}, {}, {})".format(*class_colour(place))
        for place, name in enumerate(classes)
        if place
    }


def _confusion(found: Segmentation) -> list[dict[str, Any]]:
    """A row for each true class that occurs: its cells with share, pixels and how strongly they are coloured."""
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


def _wishes(found: Segmentation, judged: tuple[float, float] | None) -> str:
    """Escape and overkill against the wished recall, as SVG; empty where only one kind of part is there."""
    whole = [w for w in found.wishes if w.escape is not None and w.overkill is not None]
    if not whole:
        return ""
    recalls = [one.figures.recall for one in found.defects if one.figures.recall is not None]
    return rates_over(
        [wish.recall for wish in whole],
        [wish.escape.value for wish in whole if wish.escape],
        [wish.overkill.value for wish in whole if wish.overkill],
        "wished recall of the pixels of each class",
        at=sum(recalls) / len(recalls) if recalls else None,
        judged=judged,
    )
