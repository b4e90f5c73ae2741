"""Teach a recipe more good pictures without starting again, false alarms among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.threshold import highest_by_part
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.errors import SourceError, UsageError
from flawline.inspector import Inspector
from flawline.inspector.inspector import Raw
from flawline.inspector.parts import detector_state, joined_arrays, view_of
from flawline.models.detector import extend_detector
from flawline.models.threads import one_thread
from flawline.recipe import PictureRecord, Recipe, known_pictures, recipe_with, thresholds_of
from flawline.training.calibration import Calibrated, Scores, Wishes, calibrate
from flawline.training.survey import Survey, survey
from flawline.types import Sample, Track, Unjudged, no_track


@dataclass(frozen=True, slots=True, eq=False)
class Updated:
    """A recipe that learnt more; `before` and `after` are the raw scores of the new pictures, by name."""

    recipe: Recipe
    before: Mapping[str, float]
    after: Mapping[str, float]
    unjudged: tuple[Unjudged, ...]
    notes: Mapping[str, tuple[str, ...]]
    said: tuple[str, ...]


def update_anomaly(
    recipe: Recipe,
    source: Source,
    *,
    calibration: Source | None = None,
    wishes: Wishes | None = None,
    track: Track = no_track,
) -> Updated:
    """Learn the good pictures of a source too.

    Without `calibration` the thresholds stay as they are and say that they are older than the new pictures. With
    it they are set anew on its good pictures, of which none may have been learnt from, for `wishes` or else what
    was wished at training.

    Raises:
        SourceError: no new good picture.
        UsageError: the recipe is of another kind, a calibration picture was learnt from, or too few of them.
    """
    if recipe.settings.task != "anomaly":
        raise UsageError("only a detector of good parts learns from good pictures alone")
    with one_thread():
        found, learn = _new(recipe, source, track)
        old = Inspector(recipe)
        before = _scores(old, source, learn, "scoring before", track)
        view = view_of(recipe)

        def windows() -> Iterator[NDArray[np.uint8]]:
            seen = map_pictures(source, learn, view.look, value_range=old.value_range)
            for _, look in track(seen, title="learning", total=len(learn)):
                if not isinstance(look, Unjudged):
                    for window in look.windows():
                        yield window.pixels

        state = extend_detector(
            detector_state(recipe),
            recipe.model,
            windows,
            window=recipe.settings.picture.window,
            precision=recipe.settings.detector.precision,
        )
        kept = {n: a for n, a in recipe.arrays.items() if not n.startswith("detector_")}
        manifest = replace(
            recipe.manifest,
            pictures=(*recipe.manifest.pictures, *_records(found, learn)),
            settings={**recipe.manifest.settings, "detector": dict(state.settings)},
        )
        arrays = {**kept, **joined_arrays(detector=state.arrays)}
        learnt = recipe_with(recipe, arrays=arrays, manifest=manifest)
        said = [f"learnt {len(learn)} more good pictures"]
        if calibration is None:
            learnt, more = _kept_thresholds(learnt, len(learn))
        else:
            learnt, more = _calibrated(learnt, calibration, wishes, track)
        said += more
        after = _scores(Inspector(learnt), source, learn, "scoring after", track)
    said += _alarms(recipe, before, after)
    unjudged = (*found.unjudged, *source.unlisted())
    return Updated(learnt, _by_name(before), _by_name(after), unjudged, found.notes, tuple(said))


def _new(recipe: Recipe, source: Source, track: Track) -> tuple[Survey, list[Sample]]:
    """Good pictures that the recipe does not know yet."""
    samples = [sample for sample in source.samples() if not sample.defective]
    span = recipe.manifest.settings.get("value_range")
    found = survey(source, samples, value_range=(span[0], span[1]) if span else None, track=track)
    known = known_pictures(recipe)
    learn = [sample for sample in found.samples if found.hashes[sample.name] not in known]
    if not learn:
        raise SourceError(
            f"there is nothing new to learn: of {len(samples)} good pictures, {len(found.unjudged)} cannot be read and "
            "the recipe knows the others",
            hint="a picture that calibrated the recipe is known too, and must stay held out",
        )
    return found, learn


def _records(found: Survey, learn: Sequence[Sample]) -> list[PictureRecord]:
    return [PictureRecord(found.hashes[s.name], s.name, "train") for s in learn]


def _scores(
    inspector: Inspector, source: Source, samples: Sequence[Sample], title: str, track: Track
) -> dict[str, Raw]:
    seen = map_pictures(source, samples, inspector.measure, value_range=inspector.value_range)
    return {
        sample.name: raw
        for sample, raw in track(seen, title=title, total=len(samples))
        if not isinstance(raw, Unjudged)
    }


def _by_name(scores: Mapping[str, Raw]) -> dict[str, float]:
    return {name: raw.score for name, raw in scores.items()}


def _kept_thresholds(recipe: Recipe, count: int) -> tuple[Recipe, list[str]]:
    """The thresholds as they were, with a basis that says how old they are."""
    limit = recipe.settings.threshold
    if limit is None:
        return recipe, ["the recipe has no thresholds yet"]
    base, _, earlier = limit.basis.partition("; set before ")
    count += int(earlier.split()[0]) if earlier else 0
    basis = f"{base}; set before {count} pictures were added"
    settings = replace(recipe.settings, threshold=replace(limit, basis=basis))
    return recipe_with(recipe, settings=settings), [
        "the thresholds stay as they were; give --calibration to set them anew on pictures that were held out"
    ]


def _calibrated(
    recipe: Recipe, source: Source, wishes: Wishes | None, track: Track
) -> tuple[Recipe, list[str]]:
    inspector = Inspector(recipe)
    samples = [sample for sample in source.samples() if not sample.defective]
    found = survey(source, samples, value_range=inspector.value_range, track=track)
    roles = known_pictures(recipe)
    learnt = [s.name for s in found.samples if roles.get(found.hashes[s.name]) == "train"]
    if learnt:
        raise UsageError(
            f"{len(learnt)} calibration pictures were learnt from, {learnt[0]} among them",
            hint="calibrate with pictures that nothing was learnt from",
            code="calibration-leak",
        )
    good = _scores(inspector, source, found.samples, "calibrating", track)
    parts = [found.parts[name] for name in good]
    scores = Scores(
        highest_by_part([raw.score for raw in good.values()], parts),
        highest_by_part([raw.peak for raw in good.values()], parts),
        np.empty(0),
        cross_fitted=False,
    )
    kept = recipe.manifest.settings.get("thresholds", {})
    done: Calibrated = calibrate(scores, wishes or Wishes(**kept))
    records = {p.sha256: p for p in recipe.manifest.pictures if p.role != "calibration"}
    for sample in found.samples:
        digest = found.hashes[sample.name]
        records[digest] = PictureRecord(digest, sample.name, "calibration")
    held = {"scores": np.sort(scores.good), "peaks": np.sort(scores.peaks)}
    return recipe_with(
        recipe,
        settings=replace(recipe.settings, threshold=done.threshold),
        arrays={**recipe.arrays, **joined_arrays(calibration=held)},
        manifest=replace(recipe.manifest, pictures=tuple(records.values()), metrics=done.metrics),
    ), list(done.said)


def _alarms(old: Recipe, before: Mapping[str, Raw], after: Mapping[str, Raw]) -> list[str]:
    """What became of those new pictures that would not have been accepted."""
    if old.settings.threshold is None:
        return []
    limit, _ = thresholds_of(old)
    alarms = [name for name, raw in before.items() if raw.score > limit]
    if not alarms:
        return ["all of them were accepted before, too"]
    still = [name for name in alarms if name in after and after[name].score > limit]
    said = [
        f"{len(alarms)} of them were false alarms, {len(alarms) - len(still)} of which are accepted now"
    ]
    if still:
        said.append(
            f"still not accepted: {', '.join(still[:5])}; a detector of averages learns little from single pictures"
        )
    return said
