"""Learn recipes: good parts, classes of defects, further good pictures; and find masks that look wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from flawline.api.masks import mask_settings, masks_of
from flawline.api.recipes import RecipeLike, recipe_of
from flawline.api.settings import (
    ClassNames,
    Ignore,
    Palette,
    ValueRange,
    Window,
    path_text,
    window_of,
)
from flawline.core.golden.differences import GoldenSettings
from flawline.data.as_picture import PictureLike, as_picture
from flawline.data.masks import MaskedSource
from flawline.data.part_files import scratch_folder
from flawline.data.source import Source, SourceLike, opened
from flawline.detectors.registry import DEFAULT
from flawline.errors import UsageError
from flawline.jobs.golden.golden_samples import GoldenMaking, golden_of_source
from flawline.jobs.train.anomaly_settings import AnomalySettings
from flawline.jobs.train.calibration_targets import CalibrationTargets
from flawline.jobs.train.golden_training import GivenGolden
from flawline.jobs.train.setup.effort import FREE, Search
from flawline.jobs.train.train_anomaly import AnomalyTraining
from flawline.jobs.train.update_recipe import Updated, update_anomaly
from flawline.jobs.train.view import MASK, ViewSettings
from flawline.jobs.trial.train_and_test import train_and_test
from flawline.recipe import RegionSettings
from flawline.types import Track, no_track

if TYPE_CHECKING:
    from flawline.jobs.train.audit.label_audit import LabelAudit
    from flawline.jobs.train.segment.progress_record import EpochRecord
    from flawline.jobs.train.segment.segment_settings import Augmentation
    from flawline.jobs.train.segment.segment_split import Split
    from flawline.jobs.train.segment.train_segment import TrainedSegmenterRecipe

Polygon = Sequence[tuple[float, float]]


def train_anomaly(
    source: SourceLike,
    *,
    part: str = "",
    effort: str = "normal",
    method: str | None = None,
    backbone: str = "flawline-small",
    weights: str | os.PathLike[str] | None = None,
    preparation: str | None = None,
    precision: str = "auto",
    window: Window | None = None,
    min_defect: str | None = None,
    mm_per_px: float | None = None,
    light: str | None = None,
    align: str | None = None,
    roi: Sequence[Polygon] | None = None,
    roi_mask: PictureLike | None = None,
    foreground: bool | None = None,
    held_out: float | None = None,
    test: float | None = None,
    overkill: float | None = None,
    review: float | None = None,
    confidence: float = 0.95,
    cost_escape: float | None = None,
    cost_overkill: float | None = None,
    prevalence: float | None = None,
    escape: float | None = None,
    golden: SourceLike | NDArray[np.uint8] | None = None,
    keep_all: bool = False,
    self_test: str = "check",
    ignore_bad: bool = False,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: ValueRange = None,
    track: Track = no_track,
) -> AnomalyTraining:
    """Learn from pictures of good parts, and set thresholds on held-out ones.

    Args:
        source: anything that `open_source` takes, or an open source; pictures without a label are good ones.
        part: name of the part; that of the source if not given.
        effort: how much may be tried to choose the settings that are not given (`method`, `window`, `light`, `align`,
            `foreground`), by known bad parts and drawn defects on good parts held out from the trials: "none", "quick",
            "normal" or "thorough". With fewer than 20 good pictures or 6 good parts to learn from nothing is tried.
        method: "patch-gaussian", "patch-memory", "patch-both" or "fast" (for slow processors); "patch-gaussian" where
            none is tried.
        backbone, weights, preparation, precision: the network, as for `rank`.
        window: what the detector sees at once, px: 256 (where none is tried), "HEIGHTxWIDTH" or (height, width).
        min_defect: smallest defect that must stay visible: "3 px" or "0.3 mm" (with `mm_per_px`). The resolution
            follows from it.
        mm_per_px: scale of the pictures.
        light: even out light: "none" (where none is tried), "level", "flat" or "gradient".
        align: bring parts into one place: "none" (where none is tried), "shift", "rigid" or "polar".
        roi: where to look: polygons of (x, y) in px.
        roi_mask: where to look: a picture that is white there.
        foreground: look only at the part, learnt from the pictures; not tried where `roi` or `roi_mask` is given.
        held_out: share of good pictures to calibrate with and not to learn from, for an exact guarantee; else all teach
            and all calibrate, in folds.
        test: share of good and bad pictures held out before anything is learnt, and judged after training; the test
            split that the source states, where there is one, if not given.
        overkill: share of good parts rejected at most; 0.05 where pictures suffice.
        review: share of good parts not accepted at most; 0.1 where pictures suffice.
        confidence: of both shares.
        cost_escape, cost_overkill, prevalence: the thresholds of least cost instead; all three together.
        escape: share accepted at most of bad parts such as are known, instead of `review`; 0.02 takes 149 of them.
        golden: a picture of a good part, or a source of some: what is missing or extra beside it rejects a part too. It
            is aligned and its light evened as `align` and `light` say, where they say "none" by "shift" and "level".
        keep_all: learn from pictures that look bad among the good, too.
        self_test: draw defects into held-out good pictures: "check" refuses a recipe that does not find `min_defect`,
            "report" goes on, "off" draws none.
        ignore_bad: do not learn from known bad parts, and only count how many are missed.
        seed: of every draw.
        good, bad, value_range, track: as for `rank`.

    Returns:
        The training: its `recipe`, the evaluation of its `test` (None without one), and what a person should know of
        how it came about.

    Raises:
        SourceError: the source cannot be opened, or there is no good picture.
        UsageError: an argument makes no sense, `test` is given and the source states splits, there are too few
            pictures for the guarantee asked for, or ("self-test-min-defect") `min_defect` would not be found.
        ModelError: the backbone cannot be used.
        ImageError: the mask or the golden sample cannot be read.
    """
    named = {
        "method": method,
        "window": window if min_defect is None else min_defect,
        "light": light,
        "alignment": align,
        "foreground": foreground if not roi and roi_mask is None else bool(foreground),
    }
    view = ViewSettings(
        window=window_of(256 if window is None else window),
        mm_per_px=mm_per_px,
        min_defect=min_defect,
        light=cast(Any, light or "none"),
        alignment=cast(Any, align or "none"),
        region=RegionSettings(
            polygons=tuple(tuple((float(x), float(y)) for x, y in one) for one in roi or ()),
            mask=None if roi_mask is None else MASK,
            foreground=bool(foreground),
        ),
        mask=None if roi_mask is None else _mask_file(roi_mask),
    )
    settings = AnomalySettings(
        part=part,
        method=method or DEFAULT,
        backbone=os.fspath(backbone),
        preparation=preparation,
        weights=path_text(weights),
        precision=precision,
        view=view,
        thresholds=CalibrationTargets(
            overkill, review, confidence, cost_escape, cost_overkill, prevalence, escape
        ),
        held_out=held_out,
        set_aside=not keep_all,
        self_test=self_test,
        ignore_bad=ignore_bad,
        value_range=value_range,
        golden=None
        if golden is None
        else _given_golden(golden, align or "none", light or "none", value_range),
        seed=seed,
        search=Search(effort, tuple(name for name in FREE if named[name] is None)),
    )
    with opened(source, good, bad) as open_:
        settings = replace(settings, part=part_name(part, open_))
        return train_and_test(open_, settings, test, track=track)


def _given_golden(
    golden: SourceLike | NDArray[np.uint8], align: str, light: str, value_range: ValueRange
) -> GivenGolden:
    making = GoldenMaking(
        cast(Any, "shift" if align == "none" else align),
        cast(Any, "level" if light == "none" else light),
        value_range=value_range,
    )
    with opened([golden] if isinstance(golden, np.ndarray) else golden) as source:
        return GivenGolden(*golden_of_source(source, making), GoldenSettings())


def train_segment(
    source: SourceLike | MaskedSource,
    *,
    part: str = "",
    annotations: str | os.PathLike[str] | None = None,
    classes: ClassNames = None,
    palette: Palette = None,
    ignore: Ignore = None,
    unlabelled: str = "leave-out",
    threshold: float | None = None,
    boxes: str = "refuse",
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15),
    network: str = "light",
    encoder: str | None = None,
    weights: str | os.PathLike[str] | None = None,
    preparation: str | None = None,
    loss: str | None = None,
    patch: Window | None = None,
    resolution: str = "full",
    around_defects: float = 0.7,
    augment: bool = True,
    rotation: float | None = None,
    epochs: int | None = None,
    minutes: float | None = None,
    patience: int | None = None,
    batch: int = 8,
    accumulate: int = 1,
    rate: float = 1e-3,
    decision: str = "mean-iou",
    precision: str = "auto",
    device: str = "auto",
    recall: float | None = None,
    cost_missed: float | None = None,
    cost_false: float | None = None,
    smallest: int | None = None,
    overkill: float = 0.05,
    confidence: float = 0.95,
    merge: float | None = None,
    flips: bool = False,
    mm_per_px: float | None = None,
    mm_per_px_u: float | None = None,
    spec: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    unmasked: SourceLike | None = None,
    folder: str | os.PathLike[str] | None = None,
    resume: bool = False,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: ValueRange = None,
    each: Callable[[EpochRecord, Split], None] | None = None,
    track: Track = no_track,
) -> TrainedSegmenterRecipe:
    """Learn classes of defects from pictures with masks, and choose thresholds; needs the extra [train].

    Args:
        source: anything that `open_source` takes, an open source, or one whose masks are open (`open_masks`).
        part: name of the part; that of the source if not given.
        annotations: masks that the source does not name: a folder, or the file of an annotation tool.
        classes: names of the masks' classes, in their order or by grey level: {1: "scratch", 255: "stain"}.
        palette: colours that are classes: {"scratch": (0, 0, 255)}.
        ignore: what marks unknown pixels: a grey level or the name of a class.
        unlabelled: pictures without annotation: "leave-out", or "empty" (they have no defects).
        threshold: grey level that cuts masks of one class with smoothed edges.
        boxes: boxes without an outline: "refuse" their pictures, "fill" (all of a box is the defect), or "grabcut"
            (estimate the outline, and ignore what is uncertain).
        shares: of training, validation and test, where the source names no splits.
        network: "light", "unet-original", or an architecture such as "unet".
        encoder: of the architecture: "resnet18", "timm:NAME".
        weights: of the encoder: a .safetensors file, or a name.
        preparation: as for `rank`.
        loss: sum of losses, such as "focal+0.5*lovasz"; chosen by how rare the rarest class is if not given.
        patch: what the network sees at once, px, as `window` of `train_anomaly`; chosen by the sizes of pictures and
            defects if not given.
        resolution: "full": patches as they are; "fit": whole pictures in one patch.
        around_defects: share of patches placed around a defect.
        augment: vary patches: flips, turns, light, noise, pasted defects.
        rotation: largest turn of a patch, degrees; 180 where lines run another way on each picture, else 10, if not
            given.
        epochs: how often the pictures are learnt from; without it and `minutes`, 40 epochs of 750 patches or more.
        minutes: time that training may take.
        patience: stop after so many epochs without a gain on validation.
        batch, accumulate: patches of a step, and parts that it is computed in.
        rate: highest learning rate.
        decision: what the best epoch is chosen by: "mean-iou" or "mean-dice".
        precision: arithmetic of training: "auto", "f32" or "bf16".
        device: "auto", "cpu" or "cuda".
        recall: choose pixel thresholds for this recall; for the highest Dice if not given.
        cost_missed, cost_false: choose them by the costs of a pixel missed and of one marked wrongly.
        smallest: marked places of fewer pixels are left out; chosen for each class by `overkill` if not given.
        overkill: share of good parts rejected at most, as far as this loses no more than a twentieth of the defects.
        confidence: of this promise.
        merge: join pieces of a class with a gap of at most this, px.
        flips: inspect every window mirrored too: four times the work.
        mm_per_px, mm_per_px_u: scale of the pictures and its standard uncertainty, for the recipe.
        spec: a specification for the recipe: its table, or the path of a TOML file.
        unmasked: pictures without masks to learn from as well: anything that `open_source` takes. Those that are in the
            source too are left out.
        folder: where checkpoints go, so that `resume` can go on; a folder that is removed if not given.
        resume: go on with a training that was stopped.
        seed: of every draw.
        good, bad, value_range, track: as for `rank`.
        each: called with the record of every epoch and the split.

    Returns:
        The training: its `recipe`, and what a person should know of how it came about.

    Raises:
        DependencyError: the extra [train] is not installed.
        SourceError: no picture with a mask, unreadable ones, or nothing to learn from.
        UsageError: an argument makes no sense, or `folder` holds a training that is not to be resumed.
        SpecError: the specification cannot be read.
        ModelError: the network cannot be built or exported.
    """
    from flawline.jobs.train.segment.chosen_settings import EPOCHS, Choice
    from flawline.jobs.train.segment.extra import require_extra
    from flawline.jobs.train.segment.segment_settings import NetworkSettings, SegmentSettings

    usual = SegmentSettings()
    training = SegmentSettings(
        network=NetworkSettings(network, encoder, path_text(weights), preparation),
        loss=usual.loss if loss is None else loss,
        patch=usual.patch if patch is None else window_of(patch, "patch"),
        resolution=cast(Any, resolution),
        around_defects=around_defects,
        augmentation=_augmentation(augment, rotation),
        batch=batch,
        accumulate=accumulate,
        epochs=EPOCHS if epochs is None and minutes is None else epochs,
        minutes=minutes,
        patience=patience,
        rate=rate,
        decision=decision,
        precision=precision,
        device=device,
        seed=seed,
    )
    require_extra()
    from flawline.jobs.train.segment import train_segment as segment

    chosen: dict[Choice, bool] = {
        "patch": patch is None,
        "rotation": augment and rotation is None,
        "loss": loss is None,
        "length": epochs is None and minutes is None,
    }
    settings = segment.TrainSegmentSettings(
        part=part,
        training=training,
        choose=tuple(choice for choice, wanted in chosen.items() if wanted),
        shares=shares,
        target_recall=recall,
        miss_cost=cost_missed,
        false_cost=cost_false,
        smallest=smallest,
        overkill=overkill,
        confidence=confidence,
        merge=merge,
        flips=flips,
        mm_per_px=mm_per_px,
        mm_per_px_u=mm_per_px_u,
        spec=spec_table(spec),
    )
    given = source if isinstance(source, MaskedSource) else None
    masks = mask_settings(annotations, classes, palette, ignore, unlabelled, threshold, boxes)
    with (
        nullcontext(given.source)
        if given
        else opened(cast(SourceLike, source), good, bad) as open_,
        masks_of(given or open_, masks, value_range) as masked,
        nullcontext() if unmasked is None else opened(unmasked, (), ()) as more,
        scratch_folder() if folder is None else nullcontext(folder) as place,
    ):
        return segment.train_segment(
            masked,
            replace(settings, part=part_name(part, open_)),
            folder=Path(place),
            unmasked=more,
            resume=resume,
            each=each,
            track=track,
        )


def update(
    recipe: RecipeLike,
    source: SourceLike,
    *,
    calibration: SourceLike | None = None,
    anyway: bool = False,
    keep_thresholds: bool = False,
    good: Sequence[str] = (),
    track: Track = no_track,
) -> Updated:
    """Teach a detector further good pictures; a false alarm is a good picture.

    Args:
        recipe: a recipe of a detector, or its path; it stays as it is.
        source: the further pictures: anything that `open_source` takes, or an open source.
        calibration: held-out good pictures to set the thresholds anew on, alone. Without, they are set anew on the new
            parts and those that calibrated them before, where that is possible.
        anyway: learn pictures that look like another part too.
        keep_thresholds: leave the thresholds as they are.
        good: labels that mean good, where the words alone do not say so.
        track: shows progress.

    Returns:
        The new `recipe`, and what changed.

    Raises:
        SourceError: there is no new good picture, or most of them show another part ("update-part").
        UsageError: the recipe is of another kind, a calibration picture was learnt from, or too few of them.
        ModelError: the recipe cannot be read.
    """
    old = recipe_of(recipe)
    held = nullcontext() if calibration is None else opened(calibration, good)
    with opened(source, good) as open_, held as apart:
        return update_anomaly(
            old,
            open_,
            calibration=apart,
            anyway=anyway,
            keep_thresholds=keep_thresholds,
            track=track,
        )


def audit_labels(
    source: SourceLike | MaskedSource,
    *,
    annotations: str | os.PathLike[str] | None = None,
    classes: ClassNames = None,
    palette: Palette = None,
    ignore: Ignore = None,
    unlabelled: str = "leave-out",
    threshold: float | None = None,
    boxes: str = "refuse",
    folds: int = 4,
    epochs: int | None = None,
    minutes: float | None = None,
    network: str = "light",
    encoder: str | None = None,
    weights: str | os.PathLike[str] | None = None,
    patch: Window = 256,
    device: str = "auto",
    smallest: int = 20,
    border: int = 8,
    quality: float = 0.02,
    folder: str | os.PathLike[str] | None = None,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: ValueRange = None,
    track: Track = no_track,
) -> LabelAudit:
    """Rank masks that look wrong to segmenters that did not learn from them; needs the extra [train].

    Args:
        source: as for `train_segment`.
        annotations, classes, palette, ignore, unlabelled, threshold, boxes: as for `train_segment`.
        folds: segmenters to train; each looks at its share of the pictures.
        epochs: times that each sees its pictures; 20 where no minutes are given.
        minutes: time for all trainings together.
        network, encoder, weights, patch, device: as for `train_segment`.
        smallest: leave out suspicious regions of fewer pixels.
        border: within so many px of the same class it is an error of the border.
        quality: suspicious below this quality, 0 to 0.5; higher finds and errs more.
        folder: where work is kept, so that an audit that was stopped goes on; removed at the end if not given.
        seed: of folds and trainings.
        good, bad, value_range, track: as for `rank`.

    Returns:
        The pictures by how wrong their masks look, with the regions that do.

    Raises:
        DependencyError: the extra [train] is not installed.
        SourceError: no picture with a masked defect can be read.
        UsageError: an argument makes no sense, or `folder` holds another audit.
    """
    from flawline.jobs.train.audit import audit_labels as audit
    from flawline.jobs.train.audit.audit_settings import TRAINING, AuditSettings, RegionLimits
    from flawline.jobs.train.segment.segment_settings import NetworkSettings

    settings = AuditSettings(
        folds=folds,
        training=replace(
            TRAINING,
            network=NetworkSettings(network, encoder, path_text(weights)),
            patch=window_of(patch, "patch"),
            epochs=20 if epochs is None and minutes is None else epochs,
            minutes=minutes,
            device=device,
            seed=seed,
        ),
        limits=RegionLimits(smallest, border, quality),
    )
    given = source if isinstance(source, MaskedSource) else None
    masks = mask_settings(annotations, classes, palette, ignore, unlabelled, threshold, boxes)
    with (
        nullcontext(given.source)
        if given
        else opened(cast(SourceLike, source), good, bad) as open_,
        masks_of(given or open_, masks, value_range) as masked,
        scratch_folder() if folder is None else nullcontext(folder) as place,
    ):
        found = audit.audit_labels(masked, Path(place), settings, name=open_.location, track=track)
        return replace(found, unjudged=(*found.unjudged, *open_.unlisted()))


def part_name(part: str, source: Source) -> str:
    """Name a part by its source where it has no name."""
    return part or Path(source.name).stem


def spec_table(spec: Mapping[str, Any] | str | os.PathLike[str] | None) -> dict[str, Any] | None:
    """Give the table of a specification, read and checked where it is a path; None without one.

    Raises:
        SpecError: it cannot be read or contradicts itself.
    """
    from flawline.data.toml_file import read_toml
    from flawline.jobs.judge.judge_table import read_spec

    if spec is None:
        return None
    if isinstance(spec, Mapping):
        return dict(spec)
    path = Path(spec)
    read_spec(path, None, None)
    content = read_toml(path.read_text(encoding="utf-8"))
    return dict(content.get("spec", content))


def _augmentation(augment: bool, rotation: float | None) -> Augmentation:
    from flawline.jobs.train.segment.segment_settings import NO_AUGMENTATION, Augmentation

    if augment:
        return Augmentation() if rotation is None else Augmentation(rotation=rotation)
    if rotation is not None:
        raise UsageError(
            "`rotation` turns patches, and `augment` is off", hint="leave one of them out"
        )
    return NO_AUGMENTATION


def _mask_file(mask: PictureLike) -> bytes:
    """The picture file of a mask, as a recipe keeps it."""
    import cv2

    if isinstance(mask, bytes):
        return mask
    if isinstance(mask, str | os.PathLike):
        return Path(mask).read_bytes()
    return bytes(cv2.imencode(".png", as_picture(mask).pixels[..., 0])[1].tobytes())
