"""Build the columns of measured numbers in pixels, in millimetres, and in coordinates of the part."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.columns import COLUMNS
from flawline.core.measure.millimetres import column_in_millimetres, names_in_millimetres
from flawline.core.measure.parts import part_columns, part_summary, stain_first
from flawline.data.csv_file import further_names
from flawline.jobs.measure.measured_masks import MeasuredMasks
from flawline.specification.zones import inside

Values = NDArray[Any]
T = TypeVar("T", bound=Hashable)
OWN = ("image", "defect", "class", "part_x", "part_y", "part_direction")


def defect_columns(measured: MeasuredMasks) -> dict[str, Values]:
    """Build one row per defect: image, number in the image, class, place on the part, then every measured column.

    A length or area is followed by its value in mm or mm2 and the standard uncertainty of that ("_mm", "_mm_u"),
    NaN for a mask without a scale. `part_x` and `part_y` are the centroid in px of the part's frame, `part_direction`
    the direction of the rotated rectangle in it, in degrees.
    """
    defects = measured.defects
    names = np.array([row.sample.name for row in measured.rows], dtype=object)
    first = np.searchsorted(defects.picture, defects.picture)
    places = part_places(measured)
    turned = np.array([row.frame.angle for row in measured.rows])[defects.picture]
    table: dict[str, Values] = {
        "image": names[defects.picture],
        "defect": np.arange(len(defects)) - first + 1,
        "class": np.array(measured.class_names(), dtype=object),
        "part_x": places[:, 0],
        "part_y": places[:, 1],
        "part_direction": (np.asarray(defects["rectangle_angle"]) - turned) % 180,
    }
    scaled = any(row.scale for row in measured.rows)
    for column in COLUMNS:
        if column.name not in defects.columns:
            continue
        table[column.name] = defects[column.name]
        if scaled:
            table |= _in_millimetres(measured, column.name)
    return table


def part_places(measured: MeasuredMasks) -> NDArray[np.float64]:
    """Compute the centroids (N, 2) in px of the frames of their parts."""
    defects = measured.defects
    points = np.stack([defects["centroid_x"], defects["centroid_y"]], axis=1).astype(np.float64)
    for frame, selected in _by_value(measured, [row.frame for row in measured.rows]):
        points[selected] = frame.to_part(points[selected])
    return points


def part_outlines(measured: MeasuredMasks) -> list[NDArray[np.float64]]:
    """List the contour points of each defect in px of the frame of its part."""
    contours = measured.defects.contours or ()
    frames = [row.frame for row in measured.rows]
    return [
        frames[picture].to_part(np.concatenate(pieces))
        for picture, pieces in zip(measured.defects.picture.tolist(), contours, strict=True)
    ]


def part_table(measured: MeasuredMasks) -> dict[str, Values]:
    """Build one row per mask: metadata of the source, size, scale, frame, and the summary of each class and zone."""
    rows = measured.rows
    keys = sorted({key for row in rows for key in row.sample.metadata} - _OWN_METADATA)
    table: dict[str, Values] = {
        "image": _objects([row.sample.name for row in rows]),
        "label": _objects([row.sample.label for row in rows]),
        "group": _objects([row.sample.group for row in rows]),
        "split": _objects([row.sample.split for row in rows]),
        "height": np.array([row.size[0] for row in rows]),
        "width": np.array([row.size[1] for row in rows]),
        "mm_per_px": np.array([row.scale.mm_per_px if row.scale else np.nan for row in rows]),
        "mm_per_px_u": np.array([row.scale.uncertainty if row.scale else np.nan for row in rows]),
        "origin_x": np.array([row.frame.x for row in rows]),
        "origin_y": np.array([row.frame.y for row in rows]),
        "frame_angle": np.array([row.frame.angle for row in rows]),
    }
    table |= _summaries(measured)
    clusters = np.zeros(len(rows), dtype=np.int64)
    np.maximum.at(clusters, measured.defects.picture, measured.defects["cluster"] + 1)
    table["NumberOfClusters"] = clusters
    table["LargestClusterDefects"] = _largest_clusters(measured)
    for name, key in zip(further_names(table, keys), keys, strict=True):
        table[name] = _objects([row.sample.metadata.get(key) for row in rows])
    return table


_OWN_METADATA = {"mm_per_px", "mm_per_px_u", "origin_x", "origin_y", "part_angle"}


def _summaries(measured: MeasuredMasks) -> dict[str, Values]:
    settings = measured.settings
    areas = np.array([float(row.size[0] * row.size[1]) for row in measured.rows])
    values = sorted(
        range(1, len(measured.classes)), key=lambda value: stain_first(measured.classes[value])
    )
    zones: list[tuple[str, NDArray[np.bool_]]] = [("", np.ones(len(measured.defects), dtype=bool))]
    zones += [(zone.name, _in_zone(measured, place)) for place, zone in enumerate(settings.zones)]
    return part_columns(
        [
            (
                measured.classes[value],
                name,
                part_summary(measured.defects, (measured.defects.value == value) & in_zone, areas),
            )
            for name, in_zone in zones
            for value in values
        ]
    )


def _in_zone(measured: MeasuredMasks, number: int) -> NDArray[np.bool_]:
    """Find defects with the centroid or a contour point in a zone; none if the zone needs a missing scale."""
    zone = measured.settings.zones[number]
    places, outlines = part_places(measured), part_outlines(measured)
    factor = np.ones(len(measured.rows))
    if zone.unit == "mm":
        factor = np.array([row.scale.mm_per_px if row.scale else np.nan for row in measured.rows])
    of_defect = factor[measured.defects.picture]
    in_zone = inside(zone, places * of_defect[:, None])
    for place, outline in enumerate(outlines):
        in_zone[place] |= bool(inside(zone, outline * of_defect[place]).any())
    return in_zone


def _largest_clusters(measured: MeasuredMasks) -> Values:
    defects = measured.defects
    largest = np.zeros(len(measured.rows), dtype=np.int64)
    if len(defects):
        cluster = np.asarray(defects["cluster"], dtype=np.int64)
        number = defects.picture * (int(cluster.max()) + 1) + cluster
        sizes = np.bincount(number)
        np.maximum.at(largest, defects.picture, sizes[number])
    return largest


def _in_millimetres(measured: MeasuredMasks, name: str) -> dict[str, Values]:
    names, columns = names_in_millimetres(name), measured.defects.columns
    table = {own: np.full(len(measured.defects), np.nan) for own in names}
    for scale, selected in _by_value(measured, [row.scale for row in measured.rows]):
        if scale is not None:
            chosen = {one: columns[one][selected] for one in (name, "perimeter")}
            for own, values in zip(names, column_in_millimetres(name, chosen, scale), strict=True):
                table[own][selected] = values
    return dict(table)


def _by_value(
    measured: MeasuredMasks, values: Sequence[T]
) -> Iterator[tuple[T, NDArray[np.bool_]]]:
    """Yield each different value of the masks with the selected defects (N,)."""
    numbers: dict[T, int] = {}
    number = np.array([numbers.setdefault(value, len(numbers)) for value in values])
    of_defect = number[measured.defects.picture]
    for value, own in numbers.items():
        yield value, of_defect == own


def _objects(values: Sequence[Any]) -> Values:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
