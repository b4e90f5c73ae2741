"""Tabulate the defects of a picture with polars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flawline.core.measure.columns import BY_NAME
from flawline.types import Region

if TYPE_CHECKING:
    import polars

BOX = ("box_left", "box_top", "box_width", "box_height")


def defects_frame(
    image: str, regions: Sequence[Region], columns: Sequence[str]
) -> polars.DataFrame:
    """List regions as a table: image, number, label, box, area, peak, p-value, then what was measured.

    Args:
        image: name of the picture.
        regions: what was found in it.
        columns: names of what is measured, also where there is no region. Counts are whole numbers, flags are true or
            false, all else is floating point; null where it is not defined, such as a gap to another defect of one.
    """
    import polars

    of_regions = (name for region in regions for name in region.measures)
    measured = [name for name in dict.fromkeys([*columns, *of_regions]) if name != "area"]
    schema: dict[str, Any] = {
        "image": polars.String,
        "defect": polars.Int64,
        "label": polars.String,
        **dict.fromkeys(BOX, polars.Int64),
        **dict.fromkeys(("area", "peak", "p_value"), polars.Float64),
    }
    rows = [
        (image, number, one.label, *one.box, one.area, one.peak, one.p_value)
        for number, one in enumerate(regions, start=1)
    ]
    frame = polars.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(
        polars.Series(name, [one.measures.get(name) for one in regions], dtype=polars.Float64).cast(
            _dtype(name)
        )
        for name in measured
    )


def _dtype(name: str) -> Any:
    import polars

    kinds = {"count": polars.Int64, "flag": polars.Boolean}
    return kinds.get(BY_NAME[name].unit, polars.Float64) if name in BY_NAME else polars.Float64
