"""Write the files of a grouping: tables and the report."""

from __future__ import annotations

from pathlib import Path

from flawline.core.drawing import thumbnail
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.jobs.groups.grouping import Grouping
from flawline.jobs.groups.grouping_tables import write_csv, write_json
from flawline.jobs.groups.groups_report import shown_names, write_groups_report
from flawline.report.pictures import data_address
from flawline.types import Track, Unjudged, no_track

_SIDE = 200


def write_grouping(
    grouping: Grouping,
    source: Source,
    folder: Path,
    *,
    value_range: tuple[float, float] | None = None,
    track: Track = no_track,
) -> Path:
    """Write groups.csv, groups.json and report.html into `folder`; returns the report's path.

    The pictures that the report shows are read once more from `source`.
    """
    write_csv(grouping, folder / "groups.csv", source.folder())
    write_json(grouping, folder / "groups.json")
    shown = shown_names(grouping)
    samples = [p.sample for p in grouping.pictures if p.sample.name in shown]
    read = map_pictures(
        source,
        samples,
        lambda picture: data_address(thumbnail(picture.pixels, _SIDE)),
        target=_SIDE,
        value_range=value_range,
    )
    addresses = {
        sample.name: address
        for sample, address in track(read, title="Report", total=len(samples))
        if not isinstance(address, Unjudged)
    }
    return write_groups_report(grouping, addresses, folder / "report.html")
