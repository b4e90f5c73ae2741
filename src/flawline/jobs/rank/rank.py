"""Rank the pictures of a source without labels: the most anomalous first, with reasons."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.source import Source, SourceLike, opened
from flawline.data.stream import Readable
from flawline.errors import SourceError, UsageError
from flawline.features.compute import (
    DEFAULT,
    FeatureSettings,
    by_name,
    check_same_network,
    computation,
    compute_features,
    describe_network,
    expected_network,
    moved,
    settings_as_dict,
    settings_from_dict,
)
from flawline.features.map_rows import map_rows
from flawline.features.table import FeatureTable
from flawline.jobs.rank import rank_by_comparison as by_comparison
from flawline.jobs.rank import rank_by_forest as by_forest
from flawline.jobs.rank.comparison import NEIGHBOURS
from flawline.jobs.rank.ranking import Ranking, Reason, in_order
from flawline.jobs.rank.saved_ranking import SavedRanking
from flawline.networks.backbone import open_backbone
from flawline.networks.map_choice import choose_maps
from flawline.networks.network import Network
from flawline.networks.threads import one_thread
from flawline.types import Sample, Track, Unjudged, no_track
from flawline.version import __version__

METHODS = ("auto", "forest")
ALIKE = (
    "no picture differs from the others, so the order means nothing; pictures of more than 8 bits may need their range "
    "of values (`value_range`)"
)


def rank(
    source: SourceLike,
    *,
    method: str = "auto",
    settings: FeatureSettings = DEFAULT,
    forest_size: int = 128,
    neighbours: int = NEIGHBOURS,
    top_n: int = 10,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    unfinished: Path | None = None,
    track: Track = no_track,
) -> tuple[Ranking, SavedRanking]:
    """Rank the pictures of a source by how anomalous they are among the others.

    Args:
        source: anything that `open_source` takes, or an open source.
        method: "auto" compares pictures place by place (`flawline.jobs.rank.comparison`); "forest" is BigML's
            isolation forest.
        settings: backbone, its preparation and precision, and for the forest the features.
        forest_size: trees of the isolation forest, at least 1.
        neighbours: how many nearest others "auto" compares with, 1 to 50; more if several pictures may be
            anomalous as a whole, all in the same way.
        top_n: how many places get reasons and, with "auto", heat maps.
        seed: seed of the forest, and of the draw of references in large sets.
        good, bad: labels that mean good and bad, where the words alone do not say so.
        unfinished: a file that stores finished work, so that an interrupted run can resume.
        track: shows progress.

    Returns:
        The ranking, and the fitted model, for scoring new pictures with `rank_with`.

    Raises:
        SourceError: the source cannot be opened or has fewer than two pictures that can be judged.
        ModelError: the backbone cannot be used.
        UsageError: an argument is out of range.
    """
    _check(method, forest_size, top_n, seed)
    if not 1 <= neighbours <= 50:
        raise UsageError(f"neighbours must be from 1 to 50, got {neighbours}")
    with opened(source, good, bad) as open_, one_thread():
        # One thread for linear algebra: the pictures already use every core, and sums have a fixed order.
        if method == "forest":
            return _rank_by_forest(open_, settings, forest_size, top_n, seed, unfinished, track)
        return _rank_by_comparison(open_, settings, neighbours, top_n, seed, unfinished, track)


def rank_with(
    source: SourceLike,
    saved: SavedRanking,
    *,
    backbone: str | None = None,
    weights: str | None = None,
    top_n: int = 10,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    unfinished: Path | None = None,
    track: Track = no_track,
) -> Ranking:
    """Score new pictures against a saved ranking; a score does not depend on the other new pictures.

    `backbone` and `weights` are the present paths of these files, if they were moved; they must be the same files.
    Other arguments and the errors are those of `rank`; one picture is enough.
    """
    saved = replace(saved, settings=moved(saved.settings, backbone, weights))
    expected = expected_network(saved.described)
    _check("auto", 1, top_n, 0)
    with opened(source, good, bad) as open_, one_thread():
        if saved.fitted is None:
            computed = compute_features(
                open_, saved.settings, expected=expected, unfinished=unfinished, track=track
            )
            warnings = check_same_network(saved.described, computed.network)
            ranking = _forest_ranking(open_, by_name(computed.table), saved, top_n)
            return _against(ranking, warnings)
        reader = open_reader(open_, saved.settings, unfinished, track, expected)
        warnings = check_same_network(saved.described, reader.rows.network)
        samples = sorted(open_.samples(), key=lambda sample: sample.name)
        scored = by_comparison.score(reader, saved.fitted, samples, same_source=False)
        if not scored.samples:
            raise SourceError(
                f"none of the {len(scored.unjudged)} pictures could be judged",
                hint=f"the first: {scored.unjudged[0].image}: {scored.unjudged[0].reason}",
            )
        ranking = _comparison_ranking(
            open_, reader, saved.fitted, scored, saved, top_n, same_source=False
        )
        return _against(ranking, warnings)


def _rank_by_forest(
    source: Source,
    settings: FeatureSettings,
    forest_size: int,
    top_n: int,
    seed: int,
    unfinished: Path | None,
    track: Track,
) -> tuple[Ranking, SavedRanking]:
    computed = compute_features(source, settings, unfinished=unfinished, track=track)
    # The forest draws rows by position, so an order that depends on the container would change the scores.
    table = by_name(computed.table)
    if len(table.samples) < 2:
        raise too_few(len(table.samples), table.unjudged)
    described = {
        "method": "forest",
        **computed.described(),
        "forest_size": forest_size,
        "seed": seed,
        "flawline": __version__,
    }
    forest = by_forest.grow(table, trees=forest_size, seed=seed)
    saved = SavedRanking(_stored_settings(settings, computed.network), described, forest=forest)
    return _forest_ranking(source, table, saved, top_n), saved


def _forest_ranking(
    source: Source, table: FeatureTable, saved: SavedRanking, top_n: int
) -> Ranking:
    assert saved.forest is not None
    scores, reasons = by_forest.score_table(saved.forest, table, top_n)
    ranking = _ranking(source, table.samples, scores, reasons, table.unjudged, saved, top_n)
    return replace(ranking, notes=dict(sorted(table.notes.items())))


def _rank_by_comparison(
    source: Source,
    settings: FeatureSettings,
    neighbours: int,
    top_n: int,
    seed: int,
    unfinished: Path | None,
    track: Track,
) -> tuple[Ranking, SavedRanking]:
    reader = replace(open_reader(source, settings, unfinished, track), neighbours=neighbours)
    samples = sorted(source.samples(), key=lambda sample: sample.name)
    chosen = by_comparison.choose_references(
        samples, seed, by_comparison.reference_limit(reader.rows.width)
    )
    fitted, scored = by_comparison.fit(reader, chosen)
    if fitted is None:
        raise too_few(len(scored.samples), scored.unjudged)
    names = {sample.name for sample in chosen}
    rest = [sample for sample in samples if sample.name not in names]
    if rest:
        scored = by_comparison.joined(
            scored, by_comparison.score(reader, fitted, rest, same_source=True)
        )
    saved = saved_comparison(reader, fitted, settings, seed)
    ranking = _comparison_ranking(source, reader, fitted, scored, saved, top_n, same_source=True)
    if not np.isfinite(fitted.references.spread).any():
        ranking = replace(ranking, warnings=(ALIKE,), heat_maps={})
    return ranking, saved


def saved_comparison(
    reader: by_comparison.Reader, fitted: by_comparison.Fitted, settings: FeatureSettings, seed: int
) -> SavedRanking:
    """Describe fitted references so that they score new pictures."""
    described = {
        "method": "auto",
        **describe_network(reader.rows.network),
        **_described_range(settings),
        "maps": ", ".join(reader.rows.shapes),
        "references": len(fitted.digests),
        "neighbours": reader.neighbours,
        "seed": seed,
        "flawline": __version__,
    }
    return SavedRanking(_stored_settings(settings, reader.rows.network), described, fitted=fitted)


def _comparison_ranking(
    source: Source,
    reader: by_comparison.Reader,
    fitted: by_comparison.Fitted,
    scored: by_comparison.ComparedPictures,
    saved: SavedRanking,
    top_n: int,
    *,
    same_source: bool,
) -> Ranking:
    top = sorted(
        range(len(scored.samples)), key=lambda i: (-scored.scores[i], scored.samples[i].name)
    )[:top_n]
    explained = by_comparison.explain(reader, fitted, scored, top, same_source=same_source)
    ranking = _ranking(
        source,
        scored.samples,
        scored.scores.astype(np.float64),
        {i: reasons for i, (reasons, _) in explained.items()},
        (*scored.unjudged, *source.unlisted()),
        saved,
        top_n,
    )
    heat = {scored.samples[i].name: heat for i, (_, heat) in explained.items()}
    return replace(ranking, heat_maps=heat, notes=dict(sorted(reader.notes.items())))


def _ranking(
    source: Source,
    samples: Sequence[Sample],
    scores: NDArray[np.float64],
    reasons: Mapping[int, tuple[Reason, ...]],
    unjudged: tuple[Unjudged, ...],
    saved: SavedRanking,
    top_n: int,
) -> Ranking:
    return Ranking(
        source=source.name,
        pictures=in_order(samples, scores, reasons),
        unjudged=unjudged,
        settings={**saved.described, "top_n": top_n},
        labels={label: bad for label, (_, bad) in source.summary().labels.items()},
    )


def open_reader(
    source: Readable,
    settings: FeatureSettings,
    unfinished: Path | None,
    track: Track,
    expected: str | None = None,
) -> by_comparison.Reader:
    """Open the network that computes rows of maps; it reads from `source`."""
    network = open_backbone(
        settings.backbone,
        preparation=settings.preparation,
        outputs=choose_maps,
        size=settings.size,
        precision=settings.precision,
        weights=settings.weights,
        expected=expected,
    )
    return by_comparison.Reader(
        source,
        map_rows(network),
        settings.value_range,
        hashlib.sha256(computation(network, settings).encode()).hexdigest(),
        unfinished,
        track,
    )


def _against(ranking: Ranking, warnings: tuple[str, ...]) -> Ranking:
    settings = {**ranking.settings, "scored_against": "a saved ranking of other pictures"}
    return replace(ranking, warnings=warnings, settings=settings)


def _stored_settings(settings: FeatureSettings, network: Network | None) -> FeatureSettings:
    return settings_from_dict(settings_as_dict(settings, network))


def _described_range(settings: FeatureSettings) -> dict[str, Any]:
    if settings.value_range is None:
        return {}
    return {"value_range": "{:g} to {:g}".format(*settings.value_range)}


def _check(method: str, forest_size: int, top_n: int, seed: int) -> None:
    if method not in METHODS:
        raise UsageError(f"method {method!r} is not one of {', '.join(METHODS)}")
    if forest_size < 1 or top_n < 1 or not 0 <= seed < 2**32:
        raise UsageError(
            "forest_size and top_n must be at least 1 and seed from 0 to 2^32 - 1, "
            f"got {forest_size}, {top_n} and {seed}"
        )


def too_few(judged: int, unjudged: Sequence[Unjudged]) -> SourceError:
    """Make the error for a ranking without two pictures."""
    return SourceError(
        f"ranking compares pictures, and only {judged} of {judged + len(unjudged)} could be judged",
        hint=f"the first that could not: {unjudged[0].image}: {unjudged[0].reason}"
        if unjudged
        else "give at least two pictures",
    )
