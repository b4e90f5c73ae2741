"""Draw a self-test: detection by size and contrast, and the blind zones over the mean part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.blind_zones import BlindMap
from flawline.core.colours import SERIES, UNKNOWN, VERMILION, rgb
from flawline.core.self_test import DetectionLimit
from flawline.core.self_test_words import (
    limit_name,
    limit_rows,
    self_test_parts,
    usual_contrast,
    zone_text,
)
from flawline.report.figure import INK, as_svg, new_figure, own_style
from flawline.report.pictures import data_address

if TYPE_CHECKING:
    from flawline.inspector.self_test import SelfTest

_LINES = ("-", "--", "-.", ":")
_MARKS = "osD^"
_SIDE = 480


def self_test_section(test: SelfTest) -> dict[str, Any]:
    """Gather what the section of a report shows: sentence, curves, table and the map of blind zones."""
    names = dict.fromkeys(limit_name(limit) for limit in test.limits)
    return {
        "clauses": [
            f"{clause[0].upper()}{clause[1:]}."
            for clause in self_test_parts(test.limits, test.blind.zones)
        ],
        "defects": len(test.trials),
        "pictures": len(test.pictures),
        "refused": len(test.refused),
        "where": "of the picture" if test.part.kind == "none" else "of the part",
        "curves": [
            {
                "name": f"{name[0].upper()}{name[1:]}",
                "svg": detection_curves([own for own in test.limits if limit_name(own) == name]),
            }
            for name in names
        ],
        "rows": limit_rows(test.limits),
        "map": data_address(blind_picture(test.blind, test.mean)),
        "zones": [zone_text(zone) for zone in test.blind.zones],
        "usual": f"{100 * usual_contrast(test.limits):g} %",
    }


@own_style()
def detection_curves(limits: Sequence[DetectionLimit]) -> str:
    """Draw the detection of one kind by size, a curve for each contrast, with the shares found at each size."""
    figure, axes = new_figure(size=(4.4, 3.0))
    for place, limit in enumerate(limits):
        colour, line = SERIES[place % len(SERIES)], _LINES[place % len(_LINES)]
        widths = [size.width for size in limit.sizes]
        shares = [100 * size.found.value for size in limit.sizes]
        label = f"{100 * abs(limit.contrast):g} % contrast"
        if limit.pod.curve is not None:
            size, chance, _ = limit.pod.curve.T
            axes.plot(size, 100 * chance, color=colour, ls=line, lw=1.6, label=label)
            axes.plot(widths, shares, _MARKS[place % 4], color=colour, ms=4.5)
        else:
            mark = _MARKS[place % 4]
            axes.plot(
                widths, shares, color=colour, ls=line, lw=0.8, marker=mark, ms=4.5, label=label
            )
    axes.axhline(90, color=UNKNOWN, lw=0.8, ls=":")
    _widths_axis(axes, limits)
    axes.set_ylim(-3, 103)
    axes.set_ylabel("found, %")
    above: Any = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 3}
    axes.legend(frameon=False, labelcolor=INK, fontsize=7.5, handlelength=2.2, **above)
    return as_svg(figure, f"Detection of {limit_name(limits[0])}")


def blind_picture(blind: BlindMap, mean: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw the relative detection over the mean part, uint8 (h, w, 3): the redder, the less is found.

    Significantly low places are outlined; where nothing is known the picture stays grey.
    """
    factor = _SIDE / max(mean.shape[:2])
    width, height = (max(1, round(side * factor)) for side in mean.shape[1::-1])
    grey = cv2.cvtColor(cv2.resize(mean, (width, height)), cv2.COLOR_RGB2GRAY)
    ground = np.repeat(grey[..., None], 3, axis=2).astype(np.float32)
    lack = np.nan_to_num(1 - blind.relative, nan=0.0).clip(0, 1).astype(np.float32)
    share = cv2.resize(lack, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    tint = np.array(rgb(VERMILION), np.float32)
    drawn = np.rint(ground + (tint - ground) * (0.8 * share)).astype(np.uint8)
    low = cv2.resize(blind.low.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(low, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(drawn, outlines, -1, (0, 0, 0), 5, cv2.LINE_AA)
    cv2.drawContours(drawn, outlines, -1, rgb(VERMILION), 2, cv2.LINE_AA)
    return np.asarray(drawn, np.uint8)


def _widths_axis(axes: Any, limits: Sequence[DetectionLimit]) -> None:
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    widths = sorted({size.width for limit in limits for size in limit.sizes})
    aspect = limits[0].aspect
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(widths))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(widths, [f"{width:g}" for width in widths])
    axes.set_xlim(widths[0] / 1.15, widths[-1] * 1.15)
    words = "width" if aspect > 1 else "diameter"
    times = f", {aspect:.2g} times as long" if aspect > 1 else ""
    axes.set_xlabel(f"{words}, px{times}")
