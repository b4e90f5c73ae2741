"""Write the files of a clustering: tables and the report."""

from __future__ import annotations

from pathlib import Path

from flawline.data.source import Source
from flawline.data.thumbnails import read_thumbnails
from flawline.jobs.cluster.cluster_report import shown_parts, write_cluster_report
from flawline.jobs.cluster.clustering import Clustering
from flawline.jobs.cluster.clustering_tables import write_csv, write_json

SIDE = 200


def write_clustering(
    clustering: Clustering,
    source: Source,
    folder: Path,
    *,
    value_range: tuple[float, float] | None = None,
) -> Path:
    """Write clusters.csv, clusters.json and report.html into `folder`; returns the report's path.

    The report shows the nearest and the farthest pictures of each cluster, read once more from `source`.
    """
    write_csv(clustering, folder / "clusters.csv")
    write_json(clustering, folder / "clusters.json")
    shown = [
        picture.sample
        for members in clustering.members().values()
        for _, pictures in shown_parts(members)
        for picture in pictures
    ]
    pixels = read_thumbnails(source, shown, side=SIDE, value_range=value_range)
    return write_cluster_report(clustering, pixels, folder / "report.html")
