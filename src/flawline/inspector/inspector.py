"""One picture in, one inspection out: prepare, detect, measure, judge."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.anomaly_score import image_score
from flawline.core.regions import ANOMALY, regions_of_map, scores_at
from flawline.core.threshold import conformal_p_value
from flawline.data.as_picture import PictureLike, as_picture
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.errors import ImageError, ModelError
from flawline.inspector.again import picture_again, read_again
from flawline.inspector.decision import (
    ReasonedVerdict,
    decide_by_marks,
    decide_by_score,
    decide_by_spec,
    stricter,
    unless_lost,
)
from flawline.inspector.inspection import Inspection
from flawline.inspector.measuring import MeasuredPicture, measured_part
from flawline.inspector.parts import (
    Calibration,
    calibration_of,
    detector_of,
    network_of,
    scale_of,
    view_of,
)
from flawline.inspector.segmenting import Segmenting
from flawline.inspector.shape import check_shape
from flawline.inspector.view import PreparedPicture
from flawline.networks.compiling import Compiling
from flawline.networks.network import Preparation
from flawline.recipe import (
    Recipe,
    RecipeManifest,
    RecipeSettings,
    check_ready,
    read_recipe,
    spec_of,
    stated_thresholds,
)
from flawline.specification.judge import MeasuredPart
from flawline.types import Picture, Region, Sample, Unjudged

BACKGROUND = "background"
UNSEEN = 0.25
"""Share of the places to look at that may lie outside the picture; turned squares lose their corners."""


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """What the detector says of a picture before anything is decided.

    `score` is that of the whole picture, `peak` the highest of `map`, float32 (h, w), which covers the picture; all
    are raw. `lost` says why the part was not found in its place, empty where it was. `timings` are milliseconds by
    stage. `shares` are the probabilities of a segmenter, float32 (C, H, W), None of a detector.
    """

    score: float
    peak: float
    map: NDArray[np.float32]
    lost: str
    timings: Mapping[str, float]
    shares: NDArray[np.float32] | None = None


class Inspector:
    """A recipe made ready; its calls are safe from several threads, and no result depends on other pictures."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        precision: str | None = None,
        threads: int = 0,
        network: Compiling | None = None,
    ) -> None:
        """Make a recipe ready.

        Args:
            recipe: what to inspect with.
            precision: "auto", "f32" or "bf16" instead of the recipe's.
            threads: CPU threads, 0 for all.
            network: what `flawline.inspector.parts.network_of` gave for this recipe, where it was begun before.

        Raises:
            ModelError: the recipe's model cannot be used.
        """
        network = network or network_of(
            recipe.settings, recipe.manifest, recipe.model, precision, threads
        )
        self.recipe = recipe
        self.view = view_of(recipe)
        self.calibration: Calibration | None = calibration_of(recipe)
        self.spec = spec_of(recipe.settings, recipe.text)
        settings = recipe.settings.segmenter
        self.classes = (BACKGROUND, *(settings.classes if settings else (ANOMALY,)))
        self._segmenting = Segmenting(recipe, network, self.view.region) if settings else None
        if self._segmenting is not None:
            self.precision = self._segmenting.precision
        else:
            self._detector = detector_of(recipe, network, threads)
            self.precision = self._detector.precision

    @classmethod
    def open(cls, path: str | Path, *, precision: str | None = None, threads: int = 0) -> Inspector:
        """Load a recipe, a folder or a `.flaw` file; errors as for `read_recipe` and `Inspector`."""
        networks: list[Compiling] = []

        def begin(
            settings: RecipeSettings, manifest: RecipeManifest, model: Callable[[], bytes]
        ) -> None:
            networks.append(network_of(settings, manifest, model, precision, threads))

        recipe = read_recipe(Path(path), begin)
        return cls(recipe, precision=precision, threads=threads, network=networks[0])

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
        decoded = {} if isinstance(image, Picture) else {"decode": _since(began)}
        name = name or (Path(image).name if isinstance(image, str | os.PathLike) else "")
        found = self.judge(picture, self.measure(picture), name=name)
        again = picture_again(image, picture, self.value_range, keep=keep_picture)
        return replace(found, timings={**decoded, **found.timings}, picture=again)

    def judge(self, picture: Picture, raw: Raw, *, name: str = "") -> Inspection:
        """Judge a picture by what was measured of it.

        Raises:
            ImageError: ("image-view") its shape is another than that of the pictures learnt from; ("image-spec") the
                specification cannot be applied.
            ModelError: ("recipe-uncalibrated") the recipe has no thresholds.
        """
        check_ready(self.recipe)
        check_shape(self.recipe, (picture.pixels.shape[0], picture.pixels.shape[1]))
        began = time.perf_counter()
        marked, regions, measured = self._found(raw, picture)
        measuring = _since(began)
        began = time.perf_counter()
        p_value = self._p_value(raw.score)
        part = None if measured is None else measured.as_part(name, p_value)
        decided = self._decide(raw, p_value, regions, part)
        return Inspection(
            image=name,
            sha256=picture.sha256,
            size=(picture.pixels.shape[0], picture.pixels.shape[1]),
            score=raw.score,
            p_value=p_value,
            verdict=decided.verdict,
            reasons=decided.reasons,
            regions=regions,
            map=raw.map,
            recipe=self.recipe.sha256,
            timings={**raw.timings, "measure": measuring, "judge": _since(began)},
            marked=marked,
            measures=measured.part if measured else {},
            spec=self.spec.hash if self.spec else "",
            classes=self.classes,
            columns=tuple(measured.columns) if measured else (),
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

    def measure(self, picture: Picture) -> Raw:
        """Score a picture without judging it; works without thresholds.

        Raises:
            ImageError: the picture does not suit the recipe (code "image-view"), or the model overflows on it
                ("image-score").
        """
        if self._segmenting is not None:
            return self._segmented(picture)
        began = time.perf_counter()
        look = self.view.look(picture)
        if look.inside is not None and not look.inside.any():
            raise ImageError(
                "no place of the picture lies inside the region of interest",
                hint="check that the picture shows the part, and the recipe's region_of_interest and alignment",
                code="image-view",
            )
        prepared, maps, model = _since(began), {}, 0.0
        for place, window in enumerate(look.windows()):
            start = time.perf_counter()
            maps[place] = self._detector(window.pixels)
            model += _since(start)
        joined = look.join(maps)
        counting = joined if look.inside is None else joined[look.inside]
        if not np.isfinite(counting).all():
            raise ImageError(
                "its score is not a finite number",
                hint="look at this part by hand; the model overflows on its picture",
                code="image-score",
            )
        score = image_score(joined, look.inside)
        shown = look.in_picture(joined)
        after = _since(began) - prepared - model
        return Raw(
            score,
            float(counting.max()),
            shown,
            _lost(look),
            {"prepare": prepared, "model": model, "map": after},
        )

    def probabilities(self, picture: Picture) -> NDArray[np.float32]:
        """Probabilities of a segmenter, float32 (C, H, W) in the order of `classes`.

        Raises:
            ModelError: ("recipe-task") the recipe holds no segmenter.
            ImageError: the picture does not suit the recipe.
        """
        if self._segmenting is None:
            raise ModelError(
                "the recipe holds a detector, which knows no classes",
                hint="use a recipe that `flawline train segment` made",
                code="recipe-task",
            )
        return self._segmenting.probabilities(picture)

    @property
    def preparation(self) -> Preparation:
        """What a segmenter's network expects of pixels."""
        assert self._segmenting is not None
        return self._segmenting.preparation

    def marked(self, raw: Raw) -> NDArray[np.uint8]:
        """The class that a segmenter marks at each pixel of what it measured, uint8 (H, W)."""
        assert self._segmenting is not None
        assert raw.shares is not None
        return self._segmenting.marked(raw.shares)

    @property
    def value_range(self) -> tuple[float, float] | None:
        """Values that become black and white in pictures of more than 8 bits, as in training."""
        kept = self.recipe.manifest.settings.get("value_range")
        return (float(kept[0]), float(kept[1])) if kept else None

    @property
    def heat_range(self) -> tuple[float, float] | None:
        """Map scores at which an overlay begins and ends to glow, the same for every picture of the recipe.

        It begins where the peak of a usual good part lies and is full at twice the distance to the region threshold.
        None for a segmenter, whose overlays show the classes that it marked.
        """
        threshold = self.recipe.settings.threshold
        if self._segmenting is not None:
            return None
        if self.calibration is None or threshold is None:
            return 0.0, 1.0
        usual = float(np.median(self.calibration.peaks))
        return usual, max(threshold.region + (threshold.region - usual), usual + 1e-6)

    def described(self) -> dict[str, Any]:
        """What inspects, for reports and JSON."""
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

    def _segmented(self, picture: Picture) -> Raw:
        assert self._segmenting is not None
        began = time.perf_counter()
        shares = self._segmenting.probabilities(picture)
        model = _since(began)
        shown = self._segmenting.map(shares)
        score = float(shown.max())
        timings = {"model": model, "map": _since(began) - model}
        return Raw(score, score, shown, "", timings, shares)

    def _found(
        self, raw: Raw, picture: Picture
    ) -> tuple[NDArray[np.uint8] | None, tuple[Region, ...], MeasuredPicture | None]:
        """What is marked, its regions, and their measures where there is a class or a specification to measure for."""
        settings = self.recipe.settings
        size = picture.pixels.shape[0], picture.pixels.shape[1]
        if self._segmenting is not None and raw.shares is not None:
            marked = self._segmenting.marked(raw.shares)
            assert settings.segmenter is not None
            measured = measured_part(
                marked,
                picture.pixels,
                self.classes,
                probabilities=raw.shares,
                merge=settings.segmenter.merge,
                scale=scale_of(self.recipe),
            )
            return marked, measured.regions, measured
        assert settings.threshold is not None
        limit = settings.threshold.region
        if self.spec is None:
            return None, self._with_p_values(regions_of_map(raw.map, limit, size)), None
        scores = scores_at(raw.map, limit, size)
        marked = (scores > limit).view(np.uint8)
        measured = measured_part(
            marked, picture.pixels, self.classes, scores=scores, scale=scale_of(self.recipe)
        )
        return marked, self._with_p_values(measured.regions), measured

    def _decide(
        self,
        raw: Raw,
        p_value: float | None,
        regions: tuple[Region, ...],
        part: MeasuredPart | None,
    ) -> ReasonedVerdict:
        """By the specification where there is one, with a detector's thresholds; a segmenter's marks alone else."""
        threshold = self.recipe.settings.threshold
        decisions = []
        if threshold is not None:
            held_out = 0 if self.calibration is None else len(self.calibration.scores)
            decisions.append(decide_by_score(raw.score, threshold, p_value, regions, held_out))
        if self.spec is not None and part is not None:
            decisions.append(decide_by_spec(self.spec, part))
        if not decisions:
            decisions.append(decide_by_marks(raw.score, regions))
        return unless_lost(reduce(stricter, decisions), raw.lost)

    def _with_p_values(self, found: tuple[Region, ...]) -> tuple[Region, ...]:
        if self.calibration is None or not found:
            return found
        values = conformal_p_value(self.calibration.peaks, [region.peak for region in found])
        return tuple(
            replace(region, p_value=float(value))
            for region, value in zip(found, values, strict=True)
        )

    def _p_value(self, score: float) -> float | None:
        if self.calibration is None:
            return None
        return float(conformal_p_value(self.calibration.scores, score))


def _lost(look: PreparedPicture) -> str:
    """Why a part cannot be accepted whatever its score, empty where it can."""
    if look.pose is not None and not look.pose.found:
        return look.pose.reason
    if look.unseen > UNSEEN:
        return f"{100 * look.unseen:.0f} % of the places to look at lie outside the picture"
    return ""


def _since(began: float) -> float:
    return 1000 * (time.perf_counter() - began)
