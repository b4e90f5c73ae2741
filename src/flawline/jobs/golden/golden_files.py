"""Write the files of a comparison with golden samples: tables and the report."""

from __future__ import annotations

from pathlib import Path

from flawline.data.source import Source
from flawline.data.thumbnails import read_thumbnails
from flawline.jobs.golden.golden_comparison import GoldenComparison
from flawline.jobs.golden.golden_report import SIDE, shown_pictures, write_golden_page
from flawline.jobs.golden.golden_tables import write_csv, write_differences


def write_comparison(
    comparison: GoldenComparison,
    source: Source,
    folder: Path,
    *,
    value_range: tuple[float, float] | None = None,
) -> list[Path]:
    """Write comparisons.csv, differences.csv and report.html into `folder`; returns their paths.

    The pictures that the report shows, those that differ most, are read once more from `source`.
    """
    samples = [picture.sample for picture in shown_pictures(comparison)]
    pixels = read_thumbnails(source, samples, side=SIDE, value_range=value_range)
    return [
        write_csv(comparison, folder / "comparisons.csv"),
        write_differences(comparison, folder / "differences.csv"),
        write_golden_page(comparison, pixels, folder / "report.html"),
    ]
