"""Write the files of a ranking: tables and the report."""

from __future__ import annotations

from pathlib import Path

from flawline.data.source import Source
from flawline.data.thumbnails import read_thumbnails
from flawline.jobs.rank.rank_report import ordinary, write_rank_report
from flawline.jobs.rank.ranking import Ranking
from flawline.jobs.rank.ranking_tables import write_csv, write_json


def write_ranking(
    ranking: Ranking,
    source: Source,
    folder: Path,
    *,
    value_range: tuple[float, float] | None = None,
) -> tuple[Path, Path, Path]:
    """Write ranking.csv, ranking.json and report.html into `folder`; returns their paths.

    The report shows the pictures that have reasons, read once more from `source`.
    """
    top = [picture.sample for picture in ranking.pictures[: ranking.settings["top_n"]]]
    last = ordinary(ranking)
    top += [] if last is None else [last.sample]
    pixels = read_thumbnails(source, top, value_range=value_range)
    return (
        write_csv(ranking, folder / "ranking.csv"),
        write_json(ranking, folder / "ranking.json"),
        write_rank_report(ranking, pixels, folder / "report.html"),
    )
