"""What the steps of a training share: pictures, view and backbone, and how a detector and a recipe come of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.detectors.detector import DetectorState
from flawline.detectors.fitting import PatchNetwork
from flawline.errors import SourceError
from flawline.inspector import Inspector
from flawline.inspector.parts import joined_arrays
from flawline.inspector.shape import shape_settings
from flawline.jobs.train.anomaly_settings import AnomalySettings
from flawline.jobs.train.backbone_file import BackboneFile
from flawline.jobs.train.kept_patches import KeptPatches, keep_patches
from flawline.jobs.train.scoring import ScoredPicture, measured
from flawline.jobs.train.selection import Selection
from flawline.jobs.train.unusual_pictures import Suspect
from flawline.jobs.train.view import LearntView
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
)
from flawline.types import Sample, Track, Unjudged

if TYPE_CHECKING:
    from flawline.jobs.train.setup.chosen_set_up import SetUp


@dataclass(frozen=True, slots=True, eq=False)
class TrainingJob:
    """The state that the steps of a training share."""

    source: Source
    settings: AnomalySettings
    backbone: BackboneFile
    chosen: Selection
    track: Track
    view: LearntView | None = None
    set_up: SetUp | None = None

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

    def keep(self, samples: Sequence[Sample], *, title: str = "") -> KeptPatches:
        """Keep the patches of pictures as the method sees them."""
        assert self.view is not None
        view, settings = self.view.view, self.settings
        network = PatchNetwork(
            settings.method,
            self.backbone.model,
            window=view.framing.window,
            precision=settings.precision,
        )
        return keep_patches(
            partial(self.read, title=title), samples, view, network, again=self.read
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
                    **({"setup": self.set_up.as_dict()} if self.set_up is not None else {}),
                    **view.settings,
                },
            ),
            view.files,
        )

    def measured(
        self, inspector: Inspector, samples: Sequence[Sample], title: str
    ) -> dict[str, ScoredPicture]:
        """Score pictures by name."""
        results = self.read(samples, measured(inspector), title=title)
        return {sample.name: scored for sample, scored in results}

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
