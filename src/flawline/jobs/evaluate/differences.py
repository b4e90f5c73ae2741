"""Compute the metrics of recipes on the same pictures, and their differences to the first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flawline.core.bootstrap import Difference
from flawline.core.metrics import auroc, average_precision
from flawline.jobs.evaluate.comparison_row import Row as Row
from flawline.jobs.evaluate.costs import Costs as Costs
from flawline.jobs.evaluate.draw import Draw
from flawline.jobs.evaluate.evaluation import Evaluation, JudgedPicture
from flawline.jobs.evaluate.figures import draws_for, parts_of
from flawline.jobs.evaluate.iou_rows import iou_rows
from flawline.jobs.evaluate.part_rows import cost_row, rate_rows, time_row
from flawline.jobs.evaluate.timing import Timed

SPEED = "pictures per second"


def metric_rows(
    found: Sequence[Evaluation],
    judged: Sequence[Sequence[JudgedPicture]],
    same: bool,
    costs: Costs | None,
    timed: Sequence[Timed],
    seed: int,
) -> list[Row]:
    """Compute the rows of all metrics.

    Args:
        found: the evaluation of each recipe.
        judged: by recipe, the same pictures in the same order.
        same: whether these are all pictures of each evaluation, so that its pixel figures can be compared.
        costs: of decisions, for a cost per part.
        timed: times of pictures with all recipes in turn.
        seed: of the draws.
    """
    scores = [np.array([p.score for p in pictures]) for pictures in judged]
    bad = np.array([p.defective for p in judged[0]], bool)
    names = [p.part for p in judged[0]]
    draw = Draw(seed, draws_for(len(bad)))
    kinds = "" if bad.any() and not bad.all() else "pictures are all good or all bad"
    rows = [
        draw.row("image AUROC", True, auroc, bad, scores, names, kinds),
        draw.row("image average precision", True, average_precision, bad, scores, names, kinds),
        *_pixel_rows(found, same),
        *iou_rows(found, same, draw.draws, seed),
        _recall_row(judged, draw),
    ]
    parts = [parts_of(pictures) for pictures in judged]
    rows += rate_rows(parts, draw)
    if costs is not None:
        rows.append(cost_row(parts, costs, draw))
    rows.append(time_row(timed, draw))
    speeds = tuple(one.pictures_per_second for one in found)
    rows.append(Row(SPEED, None, speeds, (None,) * (len(found) - 1)))
    return rows


def _pixel_rows(found: Sequence[Evaluation], same: bool) -> list[Row]:
    none: tuple[Difference | None, ...] = (None,) * (len(found) - 1)
    given = [one.pixels for one in found]
    if not same or any(one is None for one in given):
        reason = found[0].missing.get("pixels") or "the recipes did not judge the same pictures"
        return [Row("pixel AUROC", True, (None,) * len(found), none, reason)]
    pixels = [one for one in given if one is not None]
    reason = "over pixels, without an interval"
    return [
        Row("pixel AUROC", True, tuple(one.auroc.value for one in pixels), none, reason),
        Row("AUPRO up to 0.3", True, tuple(one.aupro.value for one in pixels), none, reason),
        Row(
            "AUPRO up to 0.05", True, tuple(one.aupro_strict.value for one in pixels), none, reason
        ),
    ]


def _recall_row(judged: Sequence[Sequence[JudgedPicture]], draw: Draw) -> Row:
    """Compute the share of the regions of masks that were found, drawn by part."""
    found = [[d.found for p in pictures for d in p.defects or ()] for pictures in judged]
    parts = [p.part for p in judged[0] for _ in p.defects or ()]
    reason = "" if parts else "no bad picture has a mask that can be used"
    return draw.row(
        "defect regions found",
        True,
        lambda b, v: float(v[b].mean()),
        np.ones(len(parts), bool),
        [np.array(own, np.float64) for own in found],
        parts,
        reason,
        only=True,
    )
