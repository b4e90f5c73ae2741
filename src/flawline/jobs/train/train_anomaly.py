"""Train a detector on good parts and calibrate its thresholds, as a recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.source import Source
from flawline.data.splits import folds_of
from flawline.data.stream import map_pictures
from flawline.detectors.detector import DetectorState
from flawline.detectors.fitting import fit_detector
from flawline.detectors.registry import DEFAULT, METHODS, method_of
from flawline.errors import SourceError, UsageError
from flawline.inspector import Inspector
from flawline.inspector.parts import joined_arrays
from flawline.inspector.shape import shape_settings
from flawline.jobs.train.backbone_file import BackboneFile, load_backbone
from flawline.jobs.train.calibration import (
    Calibrated,
    CalibrationTargets,
    Scores,
    calibrate,
    check_targets,
)
from flawline.jobs.train.scoring import ScoredPicture, measured, scores_of
from flawline.jobs.train.selection import Selection, select
from flawline.jobs.train.unusual_pictures import FEWEST, Suspect, find_suspects
from flawline.jobs.train.view import LearntView, ViewSettings, learn_view
from flawline.networks.openvino_runtime import PRECISIONS
from flawline.networks.threads import one_thread
from flawline.recipe import (
    AlignmentSettings,
    DetectorSettings,
    LightSettings,
    PictureRecord,
    PictureSettings,
    Recipe,
    RecipeManifest,
    RecipeSettings,
    Role,
    new_recipe,
    recipe_with,
)
from flawline.types import Sample, Track, Unjudged, no_track

if TYPE_CHECKING:
    from flawline.jobs.evaluate.evaluation import Evaluation

FOLDS = 5


@dataclass(frozen=True, slots=True)
class AnomalySettings:
    """Settings of the training of a detector.

    `part` names the part. `method` is a name of `flawline.detectors.registry.METHODS`. `held_out` is the share of good
    pictures held out for calibration, None for 30 % from 40 parts on and cross-fitting below. `set_aside` looks for bad
    pictures among the good ones. `value_range` is for pictures of more than 8 bits.
    """

    part: str = ""
    method: str = DEFAULT
    backbone: str = "flawline-small"
    preparation: str | None = None
    weights: str | None = None
    precision: str = "auto"
    view: ViewSettings = field(default_factory=ViewSettings)
    thresholds: CalibrationTargets = field(default_factory=CalibrationTargets)
    held_out: float | None = None
    set_aside: bool = True
    value_range: tuple[float, float] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse unknown methods and precisions before any picture is read."""
        for what, value, known in (
            ("method", self.method, tuple(METHODS)),
            ("precision", self.precision, PRECISIONS),
        ):
            if value not in known:
                raise UsageError(f"{what} {value!r} is not one of {', '.join(known)}")


@dataclass(frozen=True, slots=True, eq=False)
class AnomalyTraining:
    """A recipe, and how it was trained.

    `good` and `bad` are raw scores of pictures that were not learnt from, by name. `suspects` were found among the good
    pictures and set aside. `test` judges pictures that were held out before, where there are such.
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


def train_anomaly(
    source: Source, settings: AnomalySettings | None = None, *, track: Track = no_track
) -> AnomalyTraining:
    """Train a detector on the good pictures of an open source and calibrate it on held-out ones.

    Raises:
        SourceError: there is no good picture.
        UsageError: an argument makes no sense, or too few pictures for the guarantee asked for.
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
        job = _Job(source, settings, backbone, chosen, track)
        view = learn_view(job.read, chosen.learn, chosen.sizes, settings.view)
        job = replace(job, view=view)
        learn = chosen.learn
        suspects: tuple[Suspect, ...] = ()
        state = job.fit(learn, title="learning")
        if settings.set_aside:
            suspects = job.suspects(state)
            unusual = {suspect.name for suspect in suspects}
            learn = tuple(sample for sample in learn if sample.name not in unusual)
        if suspects:
            state = job.fit(learn, like=state, title="learning without those set aside")
        recipe = job.recipe(state, learn, suspects)
        scored, good, bad = job.held_out_scores(recipe, learn)
        calibrated = calibrate(scored, settings.thresholds)
        recipe = _calibrated(recipe, scored, calibrated)
    return AnomalyTraining(
        recipe,
        good,
        bad,
        suspects,
        chosen.copies,
        (*chosen.unjudged, *source.unlisted()),
        chosen.notes,
        (*chosen.messages, *view.messages, *_suspect_messages(suspects), *calibrated.messages),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """The state that the steps of a training share."""

    source: Source
    settings: AnomalySettings
    backbone: BackboneFile
    chosen: Selection
    track: Track
    view: LearntView | None = None

    def read(
        self, samples: Sequence[Sample], function: Callable[[Any], Any], *, title: str = ""
    ) -> Iterator[tuple[Sample, Any]]:
        """Apply `function` to the pictures of samples; one that can no longer be read ends the training."""
        results = map_pictures(
            self.source, samples, function, value_range=self.settings.value_range
        )
        if title:
            results = iter(self.track(results, title=title, total=len(samples)))
        for sample, result in results:
            if isinstance(result, Unjudged):
                raise SourceError(
                    f"{sample.name} can no longer be used: {result.reason}",
                    hint="leave the source alone while training runs, and train again",
                )
            yield sample, result

    def windows(
        self, samples: Sequence[Sample], title: str = ""
    ) -> Callable[[], Iterator[NDArray[np.uint8]]]:
        """Return a function that iterates over the windows of all pictures from the start."""
        assert self.view is not None
        look = self.view.view.look

        def each() -> Iterator[NDArray[np.uint8]]:
            for _, prepared in self.read(samples, look, title=title):
                for window in prepared.windows():
                    yield window.pixels

        return each

    def suspects(self, state: DetectorState) -> tuple[Suspect, ...]:
        """Find pictures among the good ones that do not look good."""
        if len(self.chosen.learn) < FEWEST:
            return ()
        # A memory remembers a bad picture as well as a good one; averages do not.
        averaging = (
            state
            if method_of(state.method).averages
            else self.fit(
                self.chosen.learn,
                method=DEFAULT,
                like=state,
                title="looking for bad pictures",
            )
        )
        inspector = Inspector(self.recipe(averaging, self.chosen.learn, ()))
        scores = self._measured(inspector, self.chosen.learn, "looking for bad pictures")
        return find_suspects({name: scored.score for name, scored in scores.items()})

    def fit(
        self,
        samples: Sequence[Sample],
        *,
        method: str | None = None,
        like: DetectorState | None = None,
        title: str = "",
    ) -> DetectorState:
        """Fit a detector to these good pictures; it takes the basis of its features from `like`."""
        assert self.view is not None
        framing = self.view.view.framing
        return fit_detector(
            method or self.settings.method,
            self.backbone.model,
            self.windows(samples, title),
            window=framing.window,
            one_window=framing.scale == "fit",
            like=like,
            seed=self.settings.seed,
            precision=self.settings.precision,
        )

    def recipe(
        self, state: DetectorState, learn: Sequence[Sample], suspects: Sequence[Suspect]
    ) -> Recipe:
        """Build a recipe without thresholds."""
        assert self.view is not None
        settings, view, chosen = self.settings, self.view, self.chosen
        asked = settings.view
        used = (*learn, *chosen.calibrate, *chosen.defective)
        return new_recipe(
            RecipeSettings(
                part=settings.part,
                picture=PictureSettings(
                    window=view.view.framing.window,
                    resolution=view.view.framing.scale,
                    overlap=view.view.framing.overlap,
                    mm_per_px=asked.mm_per_px,
                    min_defect=asked.min_defect,
                ),
                region_of_interest=view.region,
                alignment=AlignmentSettings(method=asked.alignment),
                light=LightSettings(method=asked.light),
                detector=DetectorSettings(method=state.method, precision=settings.precision),
            ),
            self.backbone.model,
            joined_arrays(detector=state.arrays, **view.arrays),
            RecipeManifest(
                backbone=self.backbone.record,
                pictures=self._records(learn, suspects),
                seeds={"training": settings.seed},
                settings={
                    "detector": dict(state.settings),
                    "picture_size": list(view.size),
                    **shape_settings(
                        view.view.framing.scale, (chosen.sizes[sample.name] for sample in used)
                    ),
                    "value_range": settings.value_range and list(settings.value_range),
                    "thresholds": asdict(settings.thresholds),
                    **view.settings,
                },
            ),
            view.files,
        )

    def held_out_scores(
        self, recipe: Recipe, learn: Sequence[Sample]
    ) -> tuple[Scores, dict[str, float], dict[str, float]]:
        """Score good parts that were not learnt from, and known bad ones; by part, then by picture."""
        final = Inspector(recipe)
        chosen, parts = self.chosen, self.chosen.parts
        if chosen.calibrate:
            good = self._measured(final, chosen.calibrate, "calibrating")
        else:
            good = self._cross_fitted(recipe, learn)
        bad = self._measured(final, chosen.defective, "scoring known bad pictures")
        return (
            scores_of(good, bad, parts, cross_fitted=not chosen.calibrate),
            {name: scored.score for name, scored in good.items()},
            {name: scored.score for name, scored in bad.items()},
        )

    def _measured(
        self, inspector: Inspector, samples: Sequence[Sample], title: str
    ) -> dict[str, ScoredPicture]:
        results = self.read(samples, measured(inspector), title=title)
        return {sample.name: scored for sample, scored in results}

    def _cross_fitted(self, recipe: Recipe, learn: Sequence[Sample]) -> dict[str, ScoredPicture]:
        """Score each picture by a detector that learnt from the other folds; nothing where there is one part."""
        scores: dict[str, ScoredPicture] = {}
        folds = folds_of(learn, self.chosen.parts, FOLDS, seed=self.settings.seed)
        if len(folds) < 2:
            return scores
        for fold in folds:
            held = {sample.name for sample in fold}
            state = self.fit([sample for sample in learn if sample.name not in held])
            others = {n: a for n, a in recipe.arrays.items() if not n.startswith("detector_")}
            manifest = replace(
                recipe.manifest,
                settings={**recipe.manifest.settings, "detector": dict(state.settings)},
            )
            arrays = {**others, **joined_arrays(detector=state.arrays)}
            apart = Inspector(recipe_with(recipe, arrays=arrays, manifest=manifest))
            scores.update(self._measured(apart, fold, "cross-fitting"))
        return dict(sorted(scores.items()))

    def _records(
        self, learn: Sequence[Sample], suspects: Sequence[Suspect]
    ) -> tuple[PictureRecord, ...]:
        chosen = self.chosen
        roles: dict[str, Role] = dict.fromkeys(chosen.copies, "duplicate")
        roles.update({sample.name: "calibration" for sample in chosen.calibrate})
        # Thresholds rest on these, by cross-fitting and escapes, so an evaluation must not use them again.
        roles.update({sample.name: "calibration" for sample in chosen.defective})
        roles.update({sample.name: "train" for sample in learn})
        roles.update({suspect.name: "set-aside" for suspect in suspects})
        return tuple(
            PictureRecord(chosen.hashes[name], name, role) for name, role in sorted(roles.items())
        )


def _check(chosen: Selection, targets: CalibrationTargets) -> None:
    def count(samples: Sequence[Sample]) -> int:
        return len({chosen.parts[sample.name] for sample in samples})

    apart = chosen.calibrate or chosen.learn
    check_targets(count(apart), count(chosen.defective), targets, cross_fitted=not chosen.calibrate)


def _calibrated(recipe: Recipe, scores: Scores, calibrated: Calibrated) -> Recipe:
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
    return [
        f"{len(suspects)} of the good pictures look bad and were set aside, {first.name} first: look at them, and take "
        "them out of the good pictures or train with `keep_all`"
    ]
