"""Convert measured columns to millimetres, with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.columns import BY_NAME
from flawline.core.scale import Scale

Values = NDArray[Any]


def names_in_millimetres(name: str) -> tuple[str, ...]:
    """Name the columns that `column_in_millimetres` makes of one: the value, and its uncertainty where it has one."""
    column = BY_NAME[name]
    if column.unit not in ("px", "px2"):
        return ()
    own = f"{name}_{'mm' if column.unit == 'px' else 'mm2'}"
    return (own,) if column.place else (own, f"{own}_u")


def column_in_millimetres(name: str, columns: Mapping[str, Values], scale: Scale) -> list[Values]:
    """Convert a column in pixels to those of `names_in_millimetres`; areas need the column "perimeter"."""
    values = np.asarray(columns[name], dtype=np.float64)
    if BY_NAME[name].unit == "px":
        both = scale.length(values)
    else:
        both = scale.area(values, np.asarray(columns["perimeter"], dtype=np.float64))
    return list(both[: len(names_in_millimetres(name))])
