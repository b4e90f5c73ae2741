"""Rank the pictures of a source without labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from flawline.api.settings import FEATURES, ValueRange, feature_settings, path_text
from flawline.data.source import SourceLike
from flawline.jobs.rank import rank as job
from flawline.jobs.rank.comparison import NEIGHBOURS
from flawline.jobs.rank.ranking import Ranking
from flawline.jobs.rank.saved_ranking import SavedRanking, load_ranking
from flawline.types import Track, no_track


def rank(
    source: SourceLike,
    *,
    method: str = "auto",
    features: str | Sequence[str] = FEATURES,
    backbone: str = "flawline-small",
    weights: str | os.PathLike[str] | None = None,
    preparation: str | None = None,
    size: int | None = None,
    precision: str = "auto",
    forest_size: int = 128,
    neighbours: int = NEIGHBOURS,
    top_n: int = 10,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: ValueRange = None,
    unfinished: Path | None = None,
    track: Track = no_track,
) -> tuple[Ranking, SavedRanking]:
    """Rank the pictures of a source, the most anomalous first, with reasons.

    Args:
        source: anything that `open_source` takes, or an open source.
        method: "auto" compares pictures place by place; "forest" is an isolation forest on features.
        features: what the forest sees: names, or a text with commas.
        backbone: "flawline-small" (embedded), the path of an ONNX file, or "timm:NAME".
        weights: a .safetensors file with the weights of timm:NAME.
        preparation: for an ONNX file that does not say: "imagenet" or "mean=..,std=..,size=..".
        size: side of the network's input, px.
        precision: "auto", "f32" or "bf16".
        forest_size: trees of the isolation forest.
        neighbours: how many nearest others "auto" compares with, 1 to 50; more where one defect repeats.
        top_n: how many places get reasons and, with "auto", heat maps.
        seed: of the forest, and of the draw of references in large sets.
        good, bad: labels that mean good and bad, where the words alone do not say so.
        value_range: values that become black and white in pictures of more than 8 bits.
        unfinished: a file that keeps work done, so that an interrupted run can go on.
        track: shows progress.

    Returns:
        The ranking, and what was fitted, for `rank_with` and `save_ranking`.

    Raises:
        SourceError: the source cannot be opened or has fewer than two pictures that can be judged.
        ModelError: the backbone cannot be used.
        UsageError: an argument makes no sense.
    """
    return job.rank(
        source,
        method=method,
        settings=feature_settings(
            features, backbone, preparation, size, precision, value_range, weights
        ),
        forest_size=forest_size,
        neighbours=neighbours,
        top_n=top_n,
        seed=seed,
        good=good,
        bad=bad,
        unfinished=unfinished,
        track=track,
    )


def rank_with(
    source: SourceLike,
    model: SavedRanking | str | os.PathLike[str],
    *,
    backbone: str | None = None,
    weights: str | os.PathLike[str] | None = None,
    top_n: int = 10,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    unfinished: Path | None = None,
    track: Track = no_track,
) -> Ranking:
    """Score pictures against a saved ranking; a score is the same alone and among others.

    Args:
        source: as for `rank`; one picture is enough.
        model: what `rank` fitted, or where `save_ranking` kept it.
        backbone, weights: where their files lie now, if not where they lay; they must be the same files.
        top_n, good, bad, unfinished, track: as for `rank`.

    Returns:
        The ranking of these pictures.

    Raises:
        ModelError: the saved ranking or its backbone cannot be used; and what `rank` raises.
    """
    return job.rank_with(
        source,
        model if isinstance(model, SavedRanking) else load_ranking(Path(model)),
        backbone=backbone,
        weights=path_text(weights),
        top_n=top_n,
        good=good,
        bad=bad,
        unfinished=unfinished,
        track=track,
    )
