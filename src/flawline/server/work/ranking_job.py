"""Rank pictures as a job, with all that the page of a ranking shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from flawline.data.json_file import write_json_document
from flawline.data.source import open_source
from flawline.server.work.contact_sheet import ordered, sheet_document, write_pictures
from flawline.server.work.runner import JobTrack

EXPLAINED = 240
"""Pictures, from the top, that get heat and reasons: each of them is read and compared once more."""
REPORTED = 24
SHEET, FEATURES = "sheet.json", "features.npy"


def run_ranking(take: Callable[[Path], Path], track: JobTrack, folder: Path) -> dict[str, Any]:
    """Rank the pictures that `take` gives; writes ranking, report, pictures and features into the folder."""
    from flawline.features.compute import FeatureSettings, compute_features
    from flawline.jobs.cluster.cluster import principal_components
    from flawline.jobs.rank.rank import rank
    from flawline.jobs.rank.ranking_files import write_ranking

    with open_source(take(folder)) as source:
        ranking, _ = rank(source, top_n=EXPLAINED, track=track)
        shown = replace(ranking, settings={**ranking.settings, "top_n": REPORTED})
        write_ranking(shown, source, folder)
        table = compute_features(
            source, FeatureSettings(features=("embedding",)), track=track
        ).table
        rows = ordered([sample.name for sample in table.samples], ranking)
        places = principal_components(table.values[rows])
        np.save(folder / FEATURES, places.astype(np.float32), allow_pickle=False)
        sizes = write_pictures(source, ranking, folder, track)
    write_json_document(folder / SHEET, sheet_document(ranking, sizes, places))
    unjudged = [item.as_dict() for item in ranking.unjudged]
    return {"pictures": len(ranking.pictures), "unjudged": unjudged}
