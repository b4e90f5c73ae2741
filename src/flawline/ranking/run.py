"""Rank the pictures of a source without labels: the odd ones first, with reasons."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline import __version__
from flawline.data.source import Source
from flawline.errors import ModelError, SourceError, UsageError
from flawline.features.compute import (
    DEFAULT,
    FeatureSettings,
    by_name,
    compute_features,
    describe_network,
    opened,
)
from flawline.features.map_rows import choose_maps, map_rows
from flawline.features.table import FeatureTable
from flawline.models.backbone import open_backbone
from flawline.models.threads import one_thread
from flawline.ranking import by_comparison, by_forest
from flawline.ranking.result import Ranking, Reason, in_order
from flawline.ranking.saved import SavedRanking
from flawline.types import Sample, Track, Unjudged, no_track

METHODS = ("auto", "forest")


def rank(
    source: str | Path | Source,
    *,
    method: str = "auto",
    settings: FeatureSettings = DEFAULT,
    forest_size: int = 128,
    top_n: int = 10,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    unfinished: Path | None = None,
    track: Track = no_track,
) -> tuple[Ranking, SavedRanking]:
    """Rank the pictures of a source by how odd they are among the others.

    Args:
        source: anything that `open_source` takes, or an open source.
        method: "auto" compares pictures place by place (`flawline.models.comparison`); "forest" is BigML's
            isolation forest.
        settings: backbone, its preparation and precision, and for the forest the features.
        forest_size: trees of the isolation forest, at least 1.
        top_n: how many places get reasons and, with "auto", heat maps.
        seed: seed of the forest, and of the draw of references in large sets.
        good, bad: labels that mean good and bad, where the words alone do not say so.
        unfinished: a file that keeps work done, so that an interrupted run can go on.
        track: shows progress.

    Returns:
        The ranking, and what was fitted, for scoring new pictures with `rank_with`.

    Raises:
        SourceError: the source cannot be opened or has fewer than two pictures that can be judged.
        ModelError: the backbone cannot be used.
        UsageError: an argument makes no sense.
    """
    _check(method, forest_size, top_n, seed)
    with opened(source, good, bad) as open_, one_thread():
        # One thread for linear algebra: the pictures keep every core busy already, and sums keep their order.
        if method == "forest":
            return _rank_by_forest(open_, settings, forest_size, top_n, seed, unfinished, track)
        return _rank_by_comparison(open_, settings, top_n, seed, unfinished, track)


def rank_with(
    source: str | Path | Source,
    saved: SavedRanking,
    *,
    top_n: int = 10,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    unfinished: Path | None = None,
    track: Track = no_track,
) -> Ranking:
    """Score new pictures against a saved ranking; a score is the same alone and among others.

    Arguments and errors are those of `rank`; one picture is enough.
    """
    _check("auto", 1, top_n, 0)
    with opened(source, good, bad) as open_, one_thread():
        if saved.fitted is None:
            computed = compute_features(open_, saved.settings, unfinished=unfinished, track=track)
            _check_same_network(saved, computed.described())
            return _forest_ranking(open_, by_name(computed.table), saved, top_n)
        reader = _reader(open_, saved.settings, unfinished, track)
        _check_same_network(saved, describe_network(reader.rows.network))
        samples = sorted(open_.samples(), key=lambda sample: sample.name)
        scored = by_comparison.score(reader, saved.fitted, samples, same_source=False)
        if not scored.samples:
            raise SourceError(
                f"none of the {len(scored.unjudged)} pictures could be judged",
                hint=f"the first: {scored.unjudged[0].image}: {scored.unjudged[0].reason}",
            )
        return _comparison_ranking(reader, saved.fitted, scored, saved, top_n, same_source=False)


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
        raise _too_few(len(table.samples), table.unjudged)
    described = {
        "method": "forest",
        **computed.described(),
        "forest_size": forest_size,
        "seed": seed,
        "flawline": __version__,
    }
    forest = by_forest.grow(table, trees=forest_size, seed=seed)
    saved = SavedRanking(settings, described, forest=forest)
    return _forest_ranking(source, table, saved, top_n), saved


def _forest_ranking(
    source: Source, table: FeatureTable, saved: SavedRanking, top_n: int
) -> Ranking:
    assert saved.forest is not None
    scores, reasons = by_forest.score_table(saved.forest, table, top_n)
    return _ranking(source, table.samples, scores, reasons, table.unjudged, saved, top_n)


def _rank_by_comparison(
    source: Source,
    settings: FeatureSettings,
    top_n: int,
    seed: int,
    unfinished: Path | None,
    track: Track,
) -> tuple[Ranking, SavedRanking]:
    reader = _reader(source, settings, unfinished, track)
    samples = sorted(source.samples(), key=lambda sample: sample.name)
    chosen = by_comparison.choose_references(samples, seed)
    fitted, scored = by_comparison.fit(reader, chosen)
    if fitted is None:
        raise _too_few(len(scored.samples), scored.unjudged)
    names = {sample.name for sample in chosen}
    rest = [sample for sample in samples if sample.name not in names]
    if rest:
        scored = by_comparison.joined(
            scored, by_comparison.score(reader, fitted, rest, same_source=True)
        )
    described = {
        "method": "auto",
        **describe_network(reader.rows.network),
        **_described_range(settings),
        "maps": ", ".join(reader.rows.shapes),
        "references": len(fitted.digests),
        "seed": seed,
        "flawline": __version__,
    }
    saved = SavedRanking(settings, described, fitted=fitted)
    return _comparison_ranking(reader, fitted, scored, saved, top_n, same_source=True), saved


def _comparison_ranking(
    reader: by_comparison.Reader,
    fitted: by_comparison.Fitted,
    scored: by_comparison.Scored,
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
        reader.source,
        scored.samples,
        scored.scores.astype(np.float64),
        {i: reasons for i, (reasons, _) in explained.items()},
        scored.unjudged,
        saved,
        top_n,
    )
    heat = {scored.samples[i].name: heat for i, (_, heat) in explained.items()}
    return replace(ranking, heat_maps=heat)


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
        source=Path(source.location).name,
        pictures=in_order(samples, scores, reasons),
        unjudged=unjudged,
        settings={**saved.described, "top_n": top_n},
        labels={label: bad for label, (_, bad) in source.summary().labels.items()},
    )


def _reader(
    source: Source, settings: FeatureSettings, unfinished: Path | None, track: Track
) -> by_comparison.Reader:
    network = open_backbone(
        settings.backbone,
        preparation=settings.preparation,
        outputs=choose_maps,
        size=settings.size,
        precision=settings.precision,
        weights=settings.weights,
    )
    identity = f"maps {describe_network(network)} {list(network.outputs)} {settings.value_range}"
    return by_comparison.Reader(
        source,
        map_rows(network),
        settings.value_range,
        hashlib.sha256(identity.encode()).hexdigest(),
        unfinished,
        track,
    )


def _check_same_network(saved: SavedRanking, came: Mapping[str, Any]) -> None:
    for key in ("backbone_sha256", "backbone_input"):
        if saved.described.get(key) != came.get(key):
            raise ModelError(
                f"the ranking model was fitted with {key} {saved.described.get(key)}, "
                f"and {came.get('backbone', 'no backbone')} has {came.get(key)}",
                hint="give the same backbone file that was used for fitting",
                code="model-backbone",
            )


def _described_range(settings: FeatureSettings) -> dict[str, Any]:
    if settings.value_range is None:
        return {}
    return {"value_range": "{:g} to {:g}".format(*settings.value_range)}


def _check(method: str, forest_size: int, top_n: int, seed: int) -> None:
    if method not in METHODS:
        raise UsageError(f"method {method!r} is not one of {', '.join(METHODS)}")
    if forest_size < 1 or top_n < 1 or seed < 0:
        raise UsageError(
            "forest_size and top_n must be at least 1 and seed at least 0, "
            f"got {forest_size}, {top_n} and {seed}"
        )


def _too_few(judged: int, unjudged: Sequence[Unjudged]) -> SourceError:
    return SourceError(
        f"ranking compares pictures, and only {judged} of {judged + len(unjudged)} could be judged",
        hint=f"the first that could not: {unjudged[0].image}: {unjudged[0].reason}"
        if unjudged
        else "give at least two pictures",
    )
