"""Inspect the pictures of a source with a recipe."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from flawline.api.settings import InspectorLike, inspector_of
from flawline.data.source import SourceLike, opened
from flawline.station.inspect_source import inspect_source
from flawline.station.inspected import InspectionRun
from flawline.types import Track, no_track


def inspect(
    recipe: InspectorLike,
    source: SourceLike,
    *,
    folder: str | os.PathLike[str] | None = None,
    overlays: str = "flagged",
    precision: str | None = None,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    track: Track = no_track,
) -> InspectionRun:
    """Accept, review or reject each picture of a source, with reasons.

    Args:
        recipe: with thresholds: a recipe, its path, or an `Inspector`.
        source: anything that `open_source` takes, or an open source.
        folder: where overlays go, as overlays/NAME.jpg; none are drawn without it.
        overlays: which pictures get one: "flagged", "all" or "none".
        precision: "auto", "f32" or "bf16" instead of the recipe's.
        good, bad, track: as for `rank`.

    Returns:
        Every picture with its verdict, and those that could not be judged. One inspection at a time, with its map and
        overlay, comes from `Inspector.inspect_many`.

    Raises:
        UsageError: `overlays` is none of these.
        ModelError: the recipe cannot be used; ("recipe-uncalibrated") it has no thresholds.
        SourceError: the source cannot be opened, or none of its pictures be judged.
    """
    inspector = inspector_of(recipe, precision)
    place = None if folder is None else Path(folder)
    with opened(source, good, bad) as open_:
        return inspect_source(open_, inspector, folder=place, overlays=overlays, track=track)
