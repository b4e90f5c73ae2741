"""Write the report of a comparison with golden samples: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import class_colour, outline_regions
from flawline.core.golden.differences import KINDS
from flawline.data.whole_file import write_text
from flawline.jobs.golden.golden_comparison import ComparedPicture, GoldenComparison
from flawline.report.pictures import data_address
from flawline.report.template import template

SHOWN, LISTED, SIDE = 40, 1000, 480


def shown_pictures(comparison: GoldenComparison) -> list[ComparedPicture]:
    """Choose the pictures to show: those that differ most."""
    return _worst(comparison)[:SHOWN]


def write_golden_page(
    comparison: GoldenComparison, pixels: Mapping[str, NDArray[np.uint8]], path: Path
) -> Path:
    """Write the report; `pixels` are small pictures, uint8 RGB, by the name of their sample."""
    cards = [
        {"picture": picture, "address": _address(picture, pixels.get(picture.sample.name))}
        for picture in shown_pictures(comparison)
    ]
    html = template("golden.html").render(
        comparison=comparison,
        cards=cards,
        differing=len([picture for picture in comparison.pictures if picture.regions]),
        kinds=[(kind, _rgb(number)) for number, kind in enumerate(KINDS, start=1)],
        listed=_worst(comparison, every=True)[:LISTED],
    )
    return write_text(path, html)


def _worst(comparison: GoldenComparison, *, every: bool = False) -> list[ComparedPicture]:
    chosen = [picture for picture in comparison.pictures if every or picture.regions]
    return sorted(chosen, key=lambda picture: (-picture.score, picture.sample.name))


def _address(picture: ComparedPicture, pixels: NDArray[np.uint8] | None) -> str | None:
    if pixels is None:
        return None
    drawn = pixels.copy()
    for number, kind in enumerate(KINDS, start=1):
        of_kind = [region for region in picture.regions if region.label == kind]
        outline_regions(drawn, of_kind, pixels.shape[1] / picture.size[1], class_colour(number))
    return data_address(drawn)


def _rgb(number: int) -> str:
    return "rgb({},{},{})".format(*class_colour(number))
