"""Inspect one picture: find, measure, judge."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.threshold import conformal_p_value
from flawline.data.as_picture import PictureLike, as_picture
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.errors import ModelError
from flawline.inspector.again import picture_again, read_again
from flawline.inspector.anomaly_model import AnomalyModel
from flawline.inspector.damage import naming_damage
from flawline.inspector.decision import ReasonedVerdict, decide_by_spec, stricter, unless_lost
from flawline.inspector.inspection import Inspection
from flawline.inspector.measuring import measured_part
from flawline.inspector.model import Found, Model, since
from flawline.inspector.parts import Calibration, calibration_of, scale_of
from flawline.inspector.segment_model import SegmentModel
from flawline.inspector.shape import check_shape
from flawline.recipe import (
    Recipe,
    check_ready,
    read_recipe,
    spec_of,
    stated_thresholds,
)
from flawline.specification.judge import MeasuredPart
from flawline.types import Picture, Region, Sample, Unjudged

_MODELS: Mapping[str, Callable[[Recipe, str | None, int], Model]] = {
    "anomaly": AnomalyModel,
    "segment": SegmentModel,
}
"""What a recipe of each task is made ready by."""


class Inspector:
    """A loaded recipe. Calls are safe from several threads, and no result depends on other pictures."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        precision: str | None = None,
        threads: int = 0,
    ) -> None:
        """Load the network and the arrays of a recipe.

        Args:
            recipe: what to inspect with.
            precision: "auto", "f32" or "bf16" instead of the recipe's.
            threads: CPU threads, 0 for all.

        Raises:
            ModelError: the recipe's model cannot be used.
        """
        self.recipe = recipe
        with naming_damage():
            self.model: Model = _MODELS[recipe.settings.task](recipe, precision, threads)
        self.calibration: Calibration | None = calibration_of(recipe)
        self.spec = spec_of(recipe.settings, recipe.text)
        self._scale = scale_of(recipe)

    @classmethod
    def open(cls, path: str | Path, *, precision: str | None = None, threads: int = 0) -> Inspector:
        """Load a recipe, a folder or a `.flaw` file; errors as for `read_recipe` and `Inspector`."""
        return cls(read_recipe(path), precision=precision, threads=threads)

    def inspect(
        self, image: PictureLike, *, name: str = "", keep_picture: bool = True
    ) -> Inspection:
        """Judge one picture.

        Args:
            image: an array of grey, RGB or RGBA, a picture of Pillow, the path or the content of a picture file, or a
                `Picture`; see `flawline.data.as_picture`. Values of more than 8 bits are read with the recipe's
                `value_range`.
            name: what the inspection calls the picture; the file's name where a path is given.
            keep_picture: let the inspection hold an array, a picture of Pillow or bytes, so that it can draw its
                overlay; turn it off where many inspections are collected. A path is read again, and a `Picture` is
                never held.

        Raises:
            ImageError: the picture cannot be read, or does not suit the recipe.
            ModelError: ("recipe-uncalibrated") the recipe has no thresholds.
        """
        check_ready(self.recipe)
        began = time.perf_counter()
        picture = as_picture(image, self.value_range)
        decoded = {} if isinstance(image, Picture) else {"decode": since(began)}
        name = name or (Path(image).name if isinstance(image, str | os.PathLike) else "")
        inspection = self.judge(picture, self.find(picture), name=name)
        again = picture_again(image, picture, self.value_range, keep=keep_picture)
        return replace(inspection, timings={**decoded, **inspection.timings}, picture=again)

    def judge(self, picture: Picture, found: Found, *, name: str = "") -> Inspection:
        """Measure and judge what was found in a picture.

        Raises:
            ImageError: ("image-view") its shape is another than that of the pictures learnt from; ("image-spec") the
                specification cannot be applied.
            ModelError: ("recipe-uncalibrated") the recipe has no thresholds.
        """
        check_ready(self.recipe)
        size = picture.pixels.shape[0], picture.pixels.shape[1]
        check_shape(self.recipe, size)
        began = time.perf_counter()
        measured = measured_part(found, picture.pixels, self.model, self._scale)
        regions = self.model.with_p_values(measured.regions)
        measuring = since(began)
        began = time.perf_counter()
        p_value = self._p_value(found.score)
        decided = self._decide(found, p_value, regions, partial(measured.as_part, name, p_value))
        return Inspection(
            image=name,
            sha256=picture.sha256,
            size=size,
            score=found.score,
            p_value=p_value,
            verdict=decided.verdict,
            reasons=decided.reasons,
            regions=regions,
            map=found.map,
            class_mask=found.class_mask,
            recipe=self.recipe.sha256,
            timings={**found.timings, "measure": measuring, "judge": since(began)},
            measures=measured.numbers.part,
            spec=self.spec.hash if self.spec else "",
            classes=self.classes,
            columns=measured.numbers.names,
            heat_range=self.heat_range,
        )

    def inspect_many(
        self, source: Source, samples: Iterable[Sample] | None = None, *, ahead: int | None = None
    ) -> Iterator[tuple[Sample, Inspection | Unjudged]]:
        """Judge the pictures of a source on all cores: decoding, model and judging overlap, results keep their order.

        At most `ahead` pictures (four per core by default) are in flight, so memory is bounded whatever the source
        holds. A picture that cannot be judged gives `Unjudged`; the others go on.
        """
        check_ready(self.recipe)
        chosen = source.samples() if samples is None else samples
        for sample, result in map_pictures(
            source, chosen, self.inspect, value_range=self.value_range, ahead=ahead
        ):
            if isinstance(result, Inspection):
                again = partial(read_again, source, sample.name, self.value_range)
                result = replace(result, image=sample.name, picture=again)
            yield sample, result

    def find(self, picture: Picture) -> Found:
        """Find defects in a picture without judging it; works without thresholds.

        Raises:
            ImageError: the picture does not suit the recipe (code "image-view"), or the model overflows on it
                ("image-score").
        """
        with naming_damage():
            return self.model.find(picture)

    def probabilities(self, picture: Picture) -> NDArray[np.float32]:
        """Predict the probabilities of a segmenter, float32 (C, H, W) in the order of `classes`.

        Raises:
            ModelError: ("recipe-task") the recipe holds no segmenter.
            ImageError: the picture does not suit the recipe.
        """
        found = self.find(picture).probabilities
        if found is None:
            raise ModelError(
                "the recipe holds a detector, which knows no classes",
                hint="use a recipe that `flawline train segment` made",
                code="recipe-task",
            )
        return found

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of all classes, background first; their index is the value in class masks."""
        return self.model.classes

    @property
    def precision(self) -> str:
        """The arithmetic of the model: "f32" or "bf16"."""
        return self.model.precision

    @property
    def heat_range(self) -> tuple[float, float] | None:
        """Map scores at the ends of the overlay's colour scale, the same for every picture of the recipe.

        None where overlays show the class mask instead.
        """
        return self.model.heat_range

    @property
    def value_range(self) -> tuple[float, float] | None:
        """Values that become black and white in pictures of more than 8 bits, as in training."""
        return self.recipe.manifest.value_range

    def described(self) -> dict[str, Any]:
        """Describe the recipe and its network, for reports and JSON."""
        settings = self.recipe.settings
        return {
            "part": settings.part,
            "recipe": self.recipe.sha256,
            "task": settings.task,
            "detector": settings.detector and settings.detector.method,
            "segmenter": settings.segmenter and settings.segmenter.network,
            "spec": self.spec and {"name": self.spec.name, "hash": self.spec.hash},
            "backbone": self.recipe.manifest.backbone.name,
            "precision": self.precision,
            "thresholds": stated_thresholds(self.recipe),
        }

    def _decide(
        self,
        found: Found,
        p_value: float | None,
        regions: tuple[Region, ...],
        part: Callable[[], MeasuredPart],
    ) -> ReasonedVerdict:
        """Decide by the specification where there is one, and by the model unless the specification replaces it."""
        decisions = []
        if self.spec is None or not self.model.spec_decides:
            decisions.append(self.model.decide(found.score, p_value, regions))
            decisions += found.more
        if self.spec is not None:
            decided = () if self.model.spec_decides else self.classes
            decisions.append(decide_by_spec(self.spec, part(), decided))
        return unless_lost(reduce(stricter, decisions), found.lost)

    def _p_value(self, score: float) -> float | None:
        if self.calibration is None:
            return None
        return float(conformal_p_value(self.calibration.scores, score))
