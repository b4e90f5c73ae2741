"""Compare two versions of recipes on the same pictures, as a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flawline.data.source import open_source
from flawline.recipe import Recipe
from flawline.server.work.runner import JobTrack


def run_comparison(
    take: Callable[[Path], Path], recipes: Mapping[str, Recipe], track: JobTrack, folder: Path
) -> dict[str, Any]:
    """Compare recipes by name on the pictures that `take` gives; writes tables and report into the folder."""
    from flawline.api.evaluate import inspectors_by_name
    from flawline.jobs.evaluate.compare import compare
    from flawline.jobs.evaluate.compare_report import difference_text, finding, number
    from flawline.jobs.evaluate.comparison_files import write_comparison

    inspectors = inspectors_by_name(recipes, None)
    with open_source(take(folder)) as source:
        found = compare(source, inspectors, drop_known=True, track=track)
        write_comparison(found, source, inspectors, folder)
    messages = dict.fromkeys(text for one in found.evaluations for text in one.messages)
    return {
        "finding": finding(found),
        "names": list(found.names),
        "pictures": len(found.samples),
        "rows": [
            {
                "name": row.name,
                "values": [number(value, row) for value in row.values],
                "difference": difference_text(row, 1) or row.reason,
                "how": row.finding(1),
            }
            for row in found.rows
        ],
        "disagreements": list(found.disagreements),
        "messages": list(messages),
        "unjudged": [item.as_dict() for item in found.unjudged],
    }
