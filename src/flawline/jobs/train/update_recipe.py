"""Update a recipe with more good pictures, such as false alarms, without a new training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flawline.core.thinning import thinned
from flawline.core.words import counted
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.detectors.registry import method_of
from flawline.errors import SourceError, UsageError
from flawline.inspector import Inspector
from flawline.inspector.parts import joined_arrays
from flawline.inspector.shape import shape_settings
from flawline.jobs.train.calibration import Calibrated, calibrate, check_targets
from flawline.jobs.train.calibration_targets import CalibrationTargets
from flawline.jobs.train.recalibration import (
    old_thresholds,
    recalibrated,
    why_kept,
    with_calibration,
)
from flawline.jobs.train.scoring import ScoredPicture, scores_of
from flawline.jobs.train.selection import CALIBRATION, TRAINING, nothing_good, offered
from flawline.jobs.train.survey import Survey, survey
from flawline.jobs.train.update_folds import extended_recipe, scores_in_folds, scores_of_samples
from flawline.networks.threads import one_thread
from flawline.recipe import (
    PictureRecord,
    Recipe,
    detector_settings,
    known_pictures,
    recipe_with,
    thresholds_of,
)
from flawline.types import Sample, Track, Unjudged, no_track

_MOST_CHECKED = 50


@dataclass(frozen=True, slots=True, eq=False)
class Updated:
    """An updated recipe; `before` and `after` are the raw scores of the new pictures, by name."""

    recipe: Recipe
    before: Mapping[str, float]
    after: Mapping[str, float]
    unjudged: tuple[Unjudged, ...]
    notes: Mapping[str, tuple[str, ...]]
    messages: tuple[str, ...]


def update_anomaly(
    recipe: Recipe,
    source: Source,
    *,
    calibration: Source | None = None,
    targets: CalibrationTargets | None = None,
    anyway: bool = False,
    keep_thresholds: bool = False,
    track: Track = no_track,
) -> Updated:
    """Learn the good pictures of a source in addition.

    The thresholds are set anew for the targets of the training: on the scores that the recipe was calibrated with and
    those of the new parts, in folds. They stay as they are, and their basis states that they are older than the new
    pictures, with `keep_thresholds`, and where that would say nothing, with a message why (`why_kept`). With
    `calibration` they are set anew on its good pictures alone, of which none may have been learnt from, for `targets`
    or else those of the training. Where most new pictures are anomalous nearly everywhere they show another part, and
    the updated recipe would accept that part: this is refused, unless `anyway`.

    Raises:
        SourceError: no new good picture, or most of them show another part ("update-part").
        UsageError: the recipe is of another kind, a calibration picture was learnt from, or too few of them.
    """
    if keep_thresholds and calibration is not None:
        raise UsageError(
            "`calibration` sets the thresholds anew, and `keep_thresholds` keeps them",
            hint="give one of them",
        )
    if recipe.settings.task != "anomaly":
        raise UsageError("only a detector of good parts learns from good pictures alone")
    with one_thread():
        found, learn, messages = _new(recipe, source, track)
        held = _held_out(recipe, calibration, found, learn, targets, track) if calibration else None
        old = Inspector(recipe)
        if not anyway:
            _check_part(old, source, learn, track)
        before = scores_of_samples(old, source, learn, "scoring before", track)
        learnt = extended_recipe(recipe, source, learn, "learning", track)
        manifest = replace(
            learnt.manifest,
            pictures=(*recipe.manifest.pictures, *_records(found, learn)),
            settings={
                **_widened(recipe, found, learn),
                "detector": learnt.manifest.settings["detector"],
            },
        )
        learnt = recipe_with(learnt, manifest=manifest)
        messages.append(f"learnt {counted(len(learn), 'more good picture')}")
        if held is not None:
            learnt, more = _calibrated(learnt, held, track)
        else:
            why = "" if keep_thresholds else why_kept(recipe, before, found.parts)
            if keep_thresholds or why:
                learnt, more = old_thresholds(learnt, len(learn), why)
            else:
                fresh = scores_in_folds(recipe, source, learn, found.parts, track)
                learnt, more = recalibrated(learnt, fresh)
        messages += more
        after = scores_of_samples(Inspector(learnt), source, learn, "scoring after", track)
    messages += _alarms(recipe, learnt, before, after)
    unjudged = (*found.unjudged, *source.unlisted())
    return Updated(
        learnt, _by_name(before), _by_name(after), unjudged, found.notes, tuple(messages)
    )


def _new(recipe: Recipe, source: Source, track: Track) -> tuple[Survey, list[Sample], list[str]]:
    """List the good pictures that the recipe does not know yet."""
    good, _, messages = offered(source, TRAINING, where=TRAINING)
    if not good:
        raise nothing_good(source, good, ())
    found = survey(source, good, value_range=recipe.manifest.value_range, track=track)
    known = known_pictures(recipe)
    learn = [sample for sample in found.samples if found.hashes[sample.name] not in known]
    if not learn:
        raise SourceError(
            f"there is nothing new to learn: of {len(good)} good pictures, {len(found.unjudged)} cannot be read and "
            "the recipe knows the others",
            hint="a picture that calibrated the recipe is known too, and must stay held out",
        )
    return found, learn, messages


def _records(found: Survey, learn: Sequence[Sample]) -> list[PictureRecord]:
    records = [PictureRecord(found.hashes[s.name], s.name, "train") for s in learn]
    copies = [PictureRecord(found.hashes[name], name, "duplicate") for name in found.copies]
    return records + copies


def _widened(recipe: Recipe, found: Survey, samples: Sequence[Sample]) -> dict[str, Any]:
    """Extend the shapes in the settings of the manifest by those of further pictures."""
    known, resolution = recipe.manifest, recipe.settings.picture.resolution
    sizes = (found.sizes[sample.name] for sample in samples)
    return {**known.settings, **shape_settings(resolution, sizes, known)}


def _check_part(
    inspector: Inspector, source: Source, samples: Sequence[Sample], track: Track
) -> None:
    """Refuse pictures that are anomalous nearly everywhere: they show another part, not a defect."""
    limit = inspector.recipe.settings.threshold
    if limit is None:
        return
    some = thinned(samples, _MOST_CHECKED)
    checked = map_pictures(
        source,
        some,
        lambda picture: float((inspector.find(picture).map > limit.region).mean()),
        value_range=inspector.value_range,
    )
    shares = [
        share
        for _, share in track(checked, title="checking that it is the same part", total=len(some))
        if not isinstance(share, Unjudged)
    ]
    if shares and np.median(shares) > 0.5:
        raise SourceError(
            f"the new pictures show another part: the recipe finds {np.median(shares):.0%} of their area anomalous",
            hint="give pictures of the recipe's part, or learn these as well with `anyway`; nothing was changed",
            code="update-part",
        )


def _by_name(scores: Mapping[str, ScoredPicture]) -> dict[str, float]:
    return {name: scored.score for name, scored in scores.items()}


@dataclass(frozen=True, slots=True, eq=False)
class _HeldOut:
    """Pictures to calibrate with, and the targets."""

    source: Source
    found: Survey
    good: tuple[Sample, ...]
    bad: tuple[Sample, ...]
    targets: CalibrationTargets
    messages: list[str]


def _held_out(
    recipe: Recipe,
    source: Source,
    new: Survey,
    learn: Sequence[Sample],
    targets: CalibrationTargets | None,
    track: Track,
) -> _HeldOut:
    """Find and check the calibration pictures before anything is learnt."""
    good, bad, messages = offered(source, CALIBRATION, where=CALIBRATION)
    found = survey(source, [*good, *bad], value_range=recipe.manifest.value_range, track=track)
    roles = known_pictures(recipe) | {new.hashes[sample.name]: "train" for sample in learn}
    learnt = [s.name for s in found.samples if roles.get(found.hashes[s.name]) == "train"]
    if learnt:
        raise UsageError(
            f"{len(learnt)} calibration pictures were learnt from, {learnt[0]} among them",
            hint="calibrate with pictures that nothing was learnt from",
            code="calibration-leak",
        )
    targets = targets or CalibrationTargets(**recipe.manifest.settings.get("thresholds", {}))
    faulty = tuple(sample for sample in found.samples if sample.defective)
    fine = tuple(sample for sample in found.samples if not sample.defective)
    parts, bad_parts = (len({found.parts[s.name] for s in own}) for own in (fine, faulty))
    check_targets(parts, bad_parts, targets, cross_fitted=False)
    return _HeldOut(source, found, fine, faulty, targets, messages)


def _calibrated(recipe: Recipe, held: _HeldOut, track: Track) -> tuple[Recipe, list[str]]:
    inspector, parts = Inspector(recipe), held.found.parts
    good = scores_of_samples(inspector, held.source, held.good, "calibrating", track)
    bad = scores_of_samples(inspector, held.source, held.bad, "scoring known bad pictures", track)
    scores = scores_of(good, bad, parts, cross_fitted=False)
    done: Calibrated = calibrate(scores, held.targets)
    records = {p.sha256: p for p in recipe.manifest.pictures if p.role != "calibration"}
    for sample in held.found.samples:
        digest = held.found.hashes[sample.name]
        records[digest] = PictureRecord(digest, sample.name, "calibration")
    own = {"scores": np.sort(scores.good), "peaks": np.sort(scores.peaks)}
    return recipe_with(
        recipe,
        settings=replace(recipe.settings, threshold=done.threshold),
        arrays={**recipe.arrays, **joined_arrays(calibration=own)},
        manifest=replace(
            recipe.manifest,
            pictures=tuple(records.values()),
            settings=_widened(recipe, held.found, held.found.samples),
            metrics=with_calibration(recipe.manifest.metrics, done.metrics),
        ),
    ), [*held.messages, *done.messages]


def _alarms(
    old: Recipe,
    new: Recipe,
    before: Mapping[str, ScoredPicture],
    after: Mapping[str, ScoredPicture],
) -> list[str]:
    """Tell which new pictures were false alarms and are accepted now; thresholds may have moved."""
    if old.settings.threshold is None:
        return []
    (limit, _), (now, _) = thresholds_of(old), thresholds_of(new)
    alarms = [name for name, scored in before.items() if scored.score > limit]
    if not alarms:
        return ["all of them were accepted before, too"]
    still = [name for name in alarms if name in after and after[name].score > now]
    messages = [
        f"{len(alarms)} of them were false alarms, {len(alarms) - len(still)} of which are accepted now"
    ]
    if still:
        why = "; a detector of averages learns little from single pictures"
        averages = method_of(detector_settings(old).method).averages
        messages.append(f"still not accepted: {', '.join(still[:5])}{why if averages else ''}")
    return messages
