"""Write the report of a comparison with golden samples: one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import class_colour, outline_regions
from flawline.core.golden.differences import KINDS
from flawline.data.source import Source
from flawline.data.thumbnails import read_thumbnails
from flawline.data.whole_file import write_text
from flawline.jobs.golden.golden_comparison import ComparedPicture, GoldenComparison
from flawline.jobs.golden.golden_tables import write_csv, write_differences
from flawline.report.pictures import data_address
from flawline.report.template import template

SHOWN, LISTED, SIDE = 40, 1000, 480


def write_comparison(
    comparison: GoldenComparison,
    source: Source,
    folder: Path,
    *,
    value_range: tuple[float, float] | None = None,
) -> list[Path]:
    """Write comparisons.csv, differences.csv and report.html into `folder`; returns their paths.

    The pictures that the report shows, those that differ most, are read once more from `source`.
    """
    shown = _worst(comparison)[:SHOWN]
    pixels = read_thumbnails(
        source, [picture.sample for picture in shown], side=SIDE, value_range=value_range
    )
    cards = [
        {"picture": picture, "address": _address(picture, pixels.get(picture.sample.name))}
        for picture in shown
    ]
    html = template("golden.html").render(
        comparison=comparison,
        cards=cards,
        differing=len([picture for picture in comparison.pictures if picture.regions]),
        kinds=[(kind, _rgb(number)) for number, kind in enumerate(KINDS, start=1)],
        listed=_worst(comparison, every=True)[:LISTED],
    )
    return [
        write_csv(comparison, folder / "comparisons.csv"),
        write_differences(comparison, folder / "differences.csv"),
        write_text(folder / "report.html", html),
    ]


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
