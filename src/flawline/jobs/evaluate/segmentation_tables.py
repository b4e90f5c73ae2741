"""Write the figures of a segmenter as JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flawline.core.pod import Pod
from flawline.core.segmentation_metrics import ClassFigures
from flawline.data.csv_file import write_csv_rows
from flawline.jobs.evaluate.evaluation import JudgedPicture
from flawline.jobs.evaluate.segmentation import DefectClass, RecallTarget, Segmentation
from flawline.jobs.evaluate.shapes import estimated_as_dict, recall_as_dict, rounded, share_as_dict

_FIGURES = ("iou", "dice", "precision", "recall")
_POD = ("a50", "a90", "a90_95")


def segmentation_as_dict(one: Segmentation | None) -> dict[str, Any] | None:
    """Build the entry "segmentation" of an evaluation."""
    if one is None:
        return None
    return {
        "classes": list(one.classes),
        "confusion": {
            "pixels": [list(row) for row in one.counts],
            "by_true_class": [row and list(map(rounded, row)) for row in one.by_true_class],
        },
        "accuracy": rounded(one.accuracy),
        "mean_iou": estimated_as_dict(one.mean_iou),
        "mean_dice": rounded(one.mean_dice),
        "background": _figures(one.background),
        "defects": [_defect_class(defect) for defect in one.defects],
        "unmarked": one.unmarked and share_as_dict(one.unmarked),
        "marked_good": one.marked_good and share_as_dict(one.marked_good),
        "pictures": one.pictures,
        "parts": one.parts,
        "unit": one.unit,
        "wishes": [_target(target) for target in one.targets],
    }


def write_class_table(one: Segmentation, path: Path) -> Path:
    """Write one row per class: figures of pixels and of regions, and sizes found with 50 and 90 %."""
    header = [
        *("class", "threshold", "pixels", *_FIGURES),
        *("regions", "named", "named_low", "named_high", "found", "false_regions"),
        *(f"{name}_{one.unit}" for name in _POD),
        "pod_reason",
    ]
    background = [one.classes[0], None, one.background.pixels, *_values(one.background)]
    rows = [background + [None] * (len(header) - len(background))]
    return write_csv_rows(path, header, [*rows, *map(_class_row, one.defects)])


def write_region_table(pictures: Iterable[JudgedPicture], path: Path) -> Path:
    """Write one row per region of a mask: image, part, class, area in px, and whether it was found and named."""
    rows = [
        [p.sample.name, p.sample.group, d.label, d.area, int(d.found), int(bool(d.named))]
        for p in pictures
        for d in p.defects or ()
    ]
    return write_csv_rows(path, ["image", "group", "class", "area_px", "found", "named"], rows)


def _class_row(one: DefectClass) -> list[object]:
    found, named, pod = one.found, one.named, one.pod
    cells: list[object] = [one.name, one.threshold, one.figures.pixels, *_values(one.figures)]
    if found is None or named is None or pod is None:
        return [*cells, 0, *[None] * 4, one.false_regions, *[None] * len(_POD), "no defect"]
    low, high = (rounded(value) for value in named.regions.interval)
    cells += [named.regions.of, named.regions.hits, low, high, found.regions.hits]
    return [*cells, one.false_regions, *(rounded(getattr(pod, n)) for n in _POD), pod.reason]


def _values(figures: ClassFigures) -> list[float | None]:
    return [rounded(getattr(figures, name)) for name in _FIGURES]


def _figures(figures: ClassFigures) -> dict[str, Any]:
    return {"pixels": figures.pixels, **dict(zip(_FIGURES, _values(figures), strict=True))}


def _defect_class(one: DefectClass) -> dict[str, Any]:
    return {
        "class": one.name,
        "threshold": one.threshold,
        **_figures(one.figures),
        "found": recall_as_dict(one.found),
        "named": recall_as_dict(one.named),
        "by_size": [recall_as_dict(size) for size in one.by_size],
        "false_regions": one.false_regions,
        "pod": _pod(one.pod),
    }


def _pod(pod: Pod | None) -> dict[str, Any] | None:
    if pod is None:
        return None
    document = asdict(pod)
    del document["curve"]
    return {k: rounded(v) if isinstance(v, float) else v for k, v in document.items()}


def _target(target: RecallTarget) -> dict[str, Any]:
    return {
        "recall": target.recall,
        "thresholds": {one.name: one.threshold for one in target.chosen if one.rule != "none"},
        "precision": {one.name: rounded(one.precision) for one in target.chosen if one.pixels},
        "escape": target.escape and share_as_dict(target.escape),
        "overkill": target.overkill and share_as_dict(target.overkill),
    }
