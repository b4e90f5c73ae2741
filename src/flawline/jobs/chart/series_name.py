"""Name a series of records: the same for its alerts, its chart and what people enter about it."""

from __future__ import annotations

from collections.abc import Mapping

from flawline.jobs.chart.forming import Forming


def series_name(measure: str, how: Forming, names: Mapping[str, str]) -> str:
    """Name the series of a measure by how its rows become points, and by which records (`Where.names`) it is of."""
    by = f" by {how.by}" if how.by else ""
    every = f" of {how.every}" if how.every else ""
    where = "".join(f" {name}={value}" for name, value in sorted(names.items()))
    return f"{measure}{by}{every}{where}"
