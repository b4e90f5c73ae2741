"""Train a detector on good parts and calibrate its thresholds, as a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from flawline.data.source import Source
from flawline.detectors.detector import DetectorState
from flawline.detectors.registry import DEFAULT, method_of
from flawline.inspector.parts import joined_arrays
from flawline.inspector.self_test import SelfTest
from flawline.jobs.train.anomaly_settings import AnomalySettings
from flawline.jobs.train.backbone_file import load_backbone
from flawline.jobs.train.calibration import Calibrated, calibrate, check_targets
from flawline.jobs.train.calibration_targets import CalibrationTargets, Scores
from flawline.jobs.train.golden_training import with_golden
from flawline.jobs.train.held_out_scores import fold_states, held_out_scores
from flawline.jobs.train.kept_patches import KeptPatches
from flawline.jobs.train.known_bad import KnownBad, learn_known_bad
from flawline.jobs.train.known_patches import patch_scores
from flawline.jobs.train.selection import Selection, select
from flawline.jobs.train.self_test import tested_recipe
from flawline.jobs.train.setup.chosen_set_up import SetUp
from flawline.jobs.train.setup.set_up import set_up
from flawline.jobs.train.training_job import TrainingJob
from flawline.jobs.train.unusual_pictures import FEWEST, Suspect, find_suspects
from flawline.jobs.train.view import learn_view
from flawline.networks.threads import one_thread
from flawline.recipe import Recipe, recipe_with
from flawline.types import Sample, Track, Unjudged, no_track

if TYPE_CHECKING:
    from flawline.jobs.evaluate.evaluation import Evaluation


@dataclass(frozen=True, slots=True, eq=False)
class AnomalyTraining:
    """A recipe, and how it was trained.

    `good` and `bad` are raw scores of pictures that were not learnt from, by name. `suspects` were found among the good
    pictures and set aside. `test` judges pictures that were held out before, where there are such. `self_test` draws
    defects into good pictures that were not learnt from; None where it was off or there were too few.
    `set_up` tells how the settings were chosen; None where nothing was tried. `known_bad` tells what known bad parts
    taught; None where there were none, or they were only counted.
    """

    recipe: Recipe
    good: Mapping[str, float]
    bad: Mapping[str, float]
    suspects: tuple[Suspect, ...]
    copies: Mapping[str, str]
    unjudged: tuple[Unjudged, ...]
    notes: Mapping[str, tuple[str, ...]]
    messages: tuple[str, ...]
    test: Evaluation | None = None
    self_test: SelfTest | None = None
    set_up: SetUp | None = None
    known_bad: KnownBad | None = None


def train_anomaly(
    source: Source, settings: AnomalySettings | None = None, *, track: Track = no_track
) -> AnomalyTraining:
    """Train a detector on the good pictures of an open source and calibrate it on held-out ones.

    Raises:
        SourceError: there is no good picture.
        UsageError: an argument makes no sense, too few pictures for the guarantee asked for, or
            ("self-test-min-defect") the smallest defect to find is not found.
        ModelError: the backbone cannot be used.
    """
    settings = settings or AnomalySettings()
    backbone = load_backbone(
        settings.backbone, preparation=settings.preparation, weights=settings.weights
    )
    with one_thread():
        chosen = select(
            source,
            share=settings.held_out,
            seed=settings.seed,
            value_range=settings.value_range,
            track=track,
        )
        _check(chosen, settings.thresholds)
        job = _set_up(TrainingJob(source, settings, backbone, chosen, track))
        view = learn_view(job.read, chosen.learn, chosen.sizes, job.settings.view)
        job = replace(job, view=view)
        taught = _taught(job)
        calibrated = _calibrated(job, taught)
        tested = tested_recipe(job, taught.kept, calibrated.recipe, taught.learn)
    said = (*_messages(job, taught), *calibrated.messages, *tested.messages)
    return AnomalyTraining(
        tested.recipe,
        calibrated.good,
        calibrated.bad,
        taught.suspects,
        chosen.copies,
        (*chosen.unjudged, *source.unlisted()),
        chosen.notes,
        said,
        self_test=tested.test,
        set_up=job.set_up,
        known_bad=taught.known,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Taught:
    """A detector, the pictures that it learnt from and their patches, those set aside, and what bad parts taught."""

    state: DetectorState
    learn: tuple[Sample, ...]
    kept: KeptPatches
    suspects: tuple[Suspect, ...]
    known: KnownBad | None


def _taught(job: TrainingJob) -> _Taught:
    """Fit a detector to the good pictures that look good, and teach it the known bad parts."""
    settings, learn = job.settings, job.chosen.learn
    kept = job.keep(learn, title="learning")
    basis = kept.basis(_names(learn), seed=settings.seed)
    state = kept.fit(_averaging(settings.method), _names(learn), basis=basis, seed=settings.seed)
    suspects: tuple[Suspect, ...] = ()
    if settings.set_aside:
        suspects = _suspects(job, kept, state)
        unusual = {suspect.name for suspect in suspects}
        learn = tuple(sample for sample in learn if sample.name not in unusual)
    if suspects or state.method != settings.method:
        state = kept.fit(settings.method, _names(learn), basis=basis, seed=settings.seed)
    known = _known_bad(job, kept, state, learn)
    return _Taught(state if known is None else known.state, learn, kept, suspects, known)


@dataclass(frozen=True, slots=True, eq=False)
class _Judging:
    """A recipe with thresholds, raw scores of held-out good and of bad pictures by name, and messages to a person."""

    recipe: Recipe
    good: Mapping[str, float]
    bad: Mapping[str, float]
    messages: tuple[str, ...]


def _calibrated(job: TrainingJob, taught: _Taught) -> _Judging:
    """Calibrate the thresholds of a detector, and add the golden sample."""
    settings, learn, known = job.settings, taught.learn, taught.known
    recipe = _recipe(job, taught.state, learn, taught.suspects, known)
    scored, good, bad = held_out_scores(job, taught.kept, recipe, learn, known)
    calibrated = calibrate(scored, settings.thresholds)
    recipe = _with_thresholds(recipe, scored, calibrated)
    beside: tuple[str, ...] = ()
    if settings.golden is not None:
        recipe, beside = with_golden(recipe, settings.golden, job, list(good), bad)
    return _Judging(recipe, good, bad, (*calibrated.messages, *beside))


def _messages(job: TrainingJob, taught: _Taught) -> tuple[str, ...]:
    """Say what was chosen, set aside and learnt."""
    assert job.view is not None
    found = job.set_up
    return (
        *job.chosen.messages,
        *([found.sentence] if found is not None and found.trials else []),
        *job.view.messages,
        *_suspect_messages(taught.suspects),
        *(() if taught.known is None else taught.known.messages),
    )


def _set_up(job: TrainingJob) -> TrainingJob:
    """Choose by trials what the settings leave open."""
    if job.settings.search is None:
        return job
    found = set_up(job, job.settings.search)
    return replace(job, settings=found.chosen.applied(job.settings), set_up=found)


def _averaging(method: str) -> str:
    """Name the method that looks for bad pictures: a memory remembers them as well as good ones; averages do not."""
    return method if method_of(method).averages else DEFAULT


def _suspects(job: TrainingJob, kept: KeptPatches, known: DetectorState) -> tuple[Suspect, ...]:
    """Find pictures among the good ones that do not look good."""
    names = _names(job.chosen.learn)
    if len(names) < FEWEST:
        return ()
    scores = job.track(
        kept.scored(known, names), title="looking for bad pictures", total=len(names)
    )
    return find_suspects({name: scored.score for name, scored in scores})


def _known_bad(
    job: TrainingJob, kept: KeptPatches, state: DetectorState, learn: Sequence[Sample]
) -> KnownBad | None:
    """Learn from known bad parts; None where there are none, or only one good part to learn from."""
    if job.settings.ignore_bad or not job.chosen.defective:
        return None
    scores = {
        name: found
        for names, apart in fold_states(job, kept, learn)
        for name, found in patch_scores(kept, apart, names)
    }
    return learn_known_bad(job, kept, state, learn, scores) if scores else None


def _recipe(
    job: TrainingJob,
    state: DetectorState,
    learn: Sequence[Sample],
    suspects: Sequence[Suspect],
    known: KnownBad | None,
) -> Recipe:
    """Build a recipe without thresholds, with what was learnt from known bad parts."""
    if known is None:
        return job.recipe(state, learn, suspects)
    taught = job.chosen.defective if known.learnt else ()
    recipe = job.recipe(state, (*learn, *taught), suspects)
    settings = {**recipe.manifest.settings, "known_bad": known.as_dict()}
    return recipe_with(recipe, manifest=replace(recipe.manifest, settings=settings))


def _names(samples: Sequence[Sample]) -> list[str]:
    return [sample.name for sample in samples]


def _check(chosen: Selection, targets: CalibrationTargets) -> None:
    def count(samples: Sequence[Sample]) -> int:
        return len({chosen.parts[sample.name] for sample in samples})

    apart = chosen.calibrate or chosen.learn
    check_targets(count(apart), count(chosen.defective), targets, cross_fitted=not chosen.calibrate)


def _with_thresholds(recipe: Recipe, scores: Scores, calibrated: Calibrated) -> Recipe:
    arrays = dict(recipe.arrays)
    if len(scores.good):
        own = {"scores": np.sort(scores.good), "peaks": np.sort(scores.peaks)}
        arrays |= joined_arrays(calibration=own)
    return recipe_with(
        recipe,
        settings=replace(recipe.settings, threshold=calibrated.threshold),
        arrays=arrays,
        manifest=replace(recipe.manifest, metrics=calibrated.metrics),
    )


def _suspect_messages(suspects: Sequence[Suspect]) -> list[str]:
    if not suspects:
        return []
    first = max(suspects, key=lambda suspect: suspect.score)
    if len(suspects) == 1:
        return [
            f"1 of the good pictures looks bad and was set aside: {first.name}; look at it, and take it out of the "
            "good pictures or train with `keep_all`"
        ]
    return [
        f"{len(suspects)} of the good pictures look bad and were set aside, {first.name} first: look at them, and take "
        "them out of the good pictures or train with `keep_all`"
    ]
