"""Write the report of a clustering: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.whole_file import write_text
from flawline.jobs.cluster.clustering import NO_CLUSTER, ClusteredPicture, Clustering
from flawline.report.charts import stacked_bars
from flawline.report.pictures import data_address, meaning
from flawline.report.template import template

TYPICAL, ATYPICAL = 7, 7


def write_cluster_report(
    clustering: Clustering, pixels: Mapping[str, NDArray[np.uint8]], path: Path
) -> Path:
    """Write the report of a clustering with the thumbnails (uint8 RGB) that `pixels` holds by sample name."""
    counts = clustering.label_counts()
    groups = [
        {
            "number": number,
            "name": _name(number),
            "title": f"Cluster {number}" if number != NO_CLUSTER else "In no cluster",
            "pictures": members,
            "counts": counts[number],
            "parts": [_sheet(title, part, pixels) for title, part in shown_parts(members)],
        }
        for number, members in clustering.members().items()
    ]
    html = template("cluster.html").render(
        clustering=clustering,
        finding=_finding(clustering),
        groups=groups,
        labels=list(clustering.labels),
        sizes=_sizes(clustering),
        meaning=meaning,
    )
    return write_text(path, html)


def _finding(clustering: Clustering) -> str:
    members = clustering.members()
    unassigned = len(members.get(NO_CLUSTER, ()))
    count = len(members) - (NO_CLUSTER in members)
    text = f"{count} cluster{'s' if count != 1 else ''}"
    return text + (
        f"; {unassigned} of {len(clustering.pictures)} pictures in none" if unassigned else ""
    )


def _name(number: int) -> str:
    return str(number) if number != NO_CLUSTER else "none"


def shown_parts(
    members: Sequence[ClusteredPicture],
) -> list[tuple[str, Sequence[ClusteredPicture]]]:
    """Choose the pictures of a cluster to show: the nearest and the farthest, each at most once."""
    if len(members) <= TYPICAL + ATYPICAL:
        return [("From the most typical to the least", members)]
    return [
        ("Most typical", members[:TYPICAL]),
        ("Least typical", list(reversed(members[-ATYPICAL:]))),
    ]


def _sheet(
    title: str, pictures: Sequence[ClusteredPicture], pixels: Mapping[str, NDArray[np.uint8]]
) -> dict[str, Any]:
    cards = [
        {"picture": picture, "address": data_address(pixels[picture.sample.name])}
        for picture in pictures
        if picture.sample.name in pixels
    ]
    return {"title": title, "cards": cards}


def _sizes(clustering: Clustering) -> str:
    members = clustering.members()
    counts = {
        word: [
            sum(meaning(p.sample.defective) == word for p in pictures)
            for pictures in members.values()
        ]
        for word in ("good", "unknown", "bad")
    }
    return stacked_bars([_name(number) for number in members], counts, axis="cluster")
