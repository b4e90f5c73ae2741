"""Summarise defects by part: one row per picture, for each class and zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.defects import Defects
from flawline.core.measure.ragged import Floats, Integers, total


@dataclass(frozen=True, slots=True)
class PartSummary:
    """Summary of the defects of one class (in one zone) of every picture; each array has one entry per picture.

    `largest` is the place in the defects of the one with the largest contour area, -1 where there is none. Its area
    is `largest_area`, of its smallest enclosing circle `circle_x` and `circle_y` are the centre and `largest_radius`
    the radius, all three as OpenCV gives them: 0 is the centre of the first pixel. Without a defect these are 0.
    `total_percent` is the share of the picture that the contour areas cover, in percent.
    """

    number: Integers
    largest: Integers
    largest_area: Floats
    largest_radius: Floats
    circle_x: Floats
    circle_y: Floats
    total_percent: Floats
    total_area: Floats
    longest: Floats
    total_length: Floats


def part_summary(
    defects: Defects, chosen: NDArray[np.bool_], picture_areas: NDArray[np.float64]
) -> PartSummary:
    """Summarise the `chosen` defects (N,) by picture; `picture_areas` (pictures,) is in square pixels.

    Equal areas go to the defect that comes first from the top. Lengths are 0 where skeletons were not measured.
    """
    count = len(picture_areas)
    index = np.flatnonzero(chosen)
    picture = defects.picture[index]
    area = defects["contour_area"][index].astype(np.float64)
    largest = np.full(count, -1)
    order = np.lexsort((-index, area))
    largest[picture[order]] = index[order]
    length = np.asarray(defects.columns.get("skeleton_length", np.zeros(len(defects))))[index]
    longest = np.zeros(count)
    np.maximum.at(longest, picture, length)

    def of_largest(name: str, shift: float = 0.0) -> Floats:
        values = np.append(defects[name].astype(np.float64) + shift, 0.0)
        return np.asarray(values[largest], dtype=np.float64)

    sums = total(picture, area, count)
    return PartSummary(
        np.bincount(picture, minlength=count),
        largest,
        of_largest("contour_area"),
        of_largest("circle_radius"),
        of_largest("circle_x", -0.5),
        of_largest("circle_y", -0.5),
        100 * sums / picture_areas,
        total(picture, defects["area"][index], count),
        longest,
        total(picture, length, count),
    )


def published_columns(
    summary: PartSummary, class_name: str, zone: str = ""
) -> dict[str, NDArray[np.generic]]:
    """Name the columns of a summary as in the published table of heat sinks, with the class in place of the stain.

    For "stain": NumberOfStains, LargestStainArea, LargestStainRadius, EnclosingCircleX, EnclosingCircleY, TotalStain%,
    then LongestStain, TotalStainLength, TotalStainArea. The number of any other class is `count_` and its name. A class
    other than the first of a table needs its name in the circle's columns too, which `part_columns` adds. A zone goes
    in front, as in "critical.NumberOfStains".
    """
    noun = noun_of(class_name)
    names = {
        count_name(class_name): summary.number,
        f"Largest{noun}Area": summary.largest_area,
        f"Largest{noun}Radius": summary.largest_radius,
        "EnclosingCircleX": summary.circle_x,
        "EnclosingCircleY": summary.circle_y,
        f"Total{noun}%": summary.total_percent,
        f"Longest{noun}": summary.longest,
        f"Total{noun}Length": summary.total_length,
        f"Total{noun}Area": summary.total_area,
    }
    front = f"{zone}." if zone else ""
    return {front + name: np.asarray(values) for name, values in names.items()}


def part_columns(
    summaries: Sequence[tuple[str, str, PartSummary]],
) -> dict[str, NDArray[np.generic]]:
    """Make the columns of several (class, zone, summary); circles of classes after the first get the class name."""
    table: dict[str, NDArray[np.generic]] = {}
    first = summaries[0][0] if summaries else ""
    for class_name, zone, summary in summaries:
        for name, values in published_columns(summary, class_name, zone).items():
            circle = "EnclosingCircle"
            if class_name != first and circle in name:
                name = name.replace(circle, noun_of(class_name) + circle)
            table[name] = values
    return table


def stain_first(class_name: str) -> bool:
    """Make a sort key of classes: stains first, as in the published table."""
    return class_name.lower() != "stain"


def count_name(class_name: str) -> str:
    """Name the column of the number of defects of a class: "scratch" gives count_scratch."""
    if noun_of(class_name) == "Stain":
        return "NumberOfStains"
    return _COUNT + ("_".join(_words(class_name)) or "defect")


def former_count_name(name: str) -> str:
    """Translate count_scratch to version 0.1's NumberOfScratches; other columns are unchanged."""
    front, dot, own = name.rpartition(".")
    if not own.startswith(_COUNT):
        return name
    return f"{front}{dot}NumberOf{plural(noun_of(own.removeprefix(_COUNT)))}"


def is_count(name: str) -> bool:
    """Tell whether a column or measure is a number of defects, in any zone: defects, NumberOfStains, count_scratch."""
    own = name.rpartition(".")[2]
    return own == "defects" or own.startswith((_COUNT, "NumberOf"))


def noun_of(class_name: str) -> str:
    """Format a class for the name of a column: "stain" gives Stain, "paint run" PaintRun."""
    return "".join(word[:1].upper() + word[1:] for word in _words(class_name)) or "Defect"


_COUNT = "count_"


def _words(class_name: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in class_name).split()


def plural(noun: str) -> str:
    """Form a plural: Stain gives Stains, Scratch Scratches, Anomaly Anomalies."""
    lower = noun.lower()
    if lower.endswith("y") and lower[-2:-1] not in ("", *"aeiou"):
        return noun[:-1] + "ies"
    return noun + ("es" if lower.endswith(("s", "sh", "ch", "x", "z")) else "s")
