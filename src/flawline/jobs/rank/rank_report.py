"""Write the report of a ranking: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import heat_overlay
from flawline.data.whole_file import write_text
from flawline.jobs.rank.ranking import RankedPicture, Ranking, recall
from flawline.report.charts import recall_curve, score_histogram
from flawline.report.pictures import data_address, meaning
from flawline.report.template import template
from flawline.types import EMPTY

LISTED = 1000


def write_rank_report(
    ranking: Ranking, top_pixels: Mapping[str, NDArray[np.uint8]], path: Path
) -> Path:
    """Write the report of a ranking.

    Args:
        ranking: what to report.
        top_pixels: thumbnails (uint8 RGB) of the places to show, and of the ordinary one, by sample name.
        path: the HTML file to write.
    """
    shown = [
        picture
        for picture in ranking.pictures[: ranking.settings["top_n"]]
        if picture.sample.name in top_pixels
    ]
    last = ordinary(ranking)
    known = recall(ranking)
    html = template("rank.html").render(
        ranking=ranking,
        recall=known,
        cards=[
            _card(picture, top_pixels[picture.sample.name], ranking.heat_maps) for picture in shown
        ],
        ordinary=None
        if last is None or last.sample.name not in top_pixels
        else _card(last, top_pixels[last.sample.name], EMPTY),
        histogram=_histogram(ranking) if ranking.pictures else "",
        curve=recall_curve(known.found, known.defective) if known else "",
        listed=ranking.pictures[:LISTED],
        meaning=meaning,
        has_heat=any(picture.sample.name in ranking.heat_maps for picture in shown),
    )
    return write_text(path, html)


def ordinary(ranking: Ranking) -> RankedPicture | None:
    """Return the least anomalous picture, to show beside the others; None where all are shown anyway."""
    pictures = ranking.pictures
    return pictures[-1] if len(pictures) > ranking.settings["top_n"] else None


def _card(
    picture: RankedPicture, pixels: NDArray[np.uint8], maps: Mapping[str, NDArray[np.float32]]
) -> dict[str, Any]:
    heat = maps.get(picture.sample.name)
    card: dict[str, Any] = {"picture": picture, "address": data_address(pixels), "heat": None}
    if heat is not None:
        low, high = _heat_range(maps)
        card["heat"] = data_address(heat_overlay(pixels, heat, low, high))
    return card


def _heat_range(maps: Mapping[str, NDArray[np.float32]]) -> tuple[float, float]:
    """Return one colour scale for all pictures, so that a brighter spot is more anomalous."""
    values = np.concatenate([heat.ravel() for heat in maps.values()])
    return float(np.quantile(values, 0.7)), float(np.quantile(values, 0.998))


def _histogram(ranking: Ranking) -> str:
    groups: dict[str, list[float]] = {"good": [], "unknown": [], "bad": []}
    for picture in ranking.pictures:
        groups[meaning(picture.sample.defective)].append(picture.score)
    return score_histogram(groups, unit="anomaly score")
