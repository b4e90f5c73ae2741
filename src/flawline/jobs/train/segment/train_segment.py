"""Train a segmenter on pictures with masks and choose its thresholds, as a recipe.

Needs the extra [train]; `flawline.jobs.train.segment.extra.require_extra` raises an error where it is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.basis_verdict import BasisVerdict, segmenter_verdict
from flawline.core.class_mask import region_areas
from flawline.core.pixel_threshold import ChosenThreshold, PixelCurves, choose_thresholds
from flawline.core.segmentation_metrics import IGNORE, ConfusionMatrix, Detection, shows_defect
from flawline.core.smallest_area import ChosenAreas, choose_smallest
from flawline.data.csv_file import write_csv_rows
from flawline.data.masks import MaskedSource
from flawline.data.masks.check import MaskProblem, MaskReport, check_masks
from flawline.data.source import Source
from flawline.data.splits import part_of
from flawline.errors import SourceError, UsageError
from flawline.inspector import Inspector
from flawline.inspector.parts import joined_arrays
from flawline.inspector.shape import shape_settings
from flawline.jobs.train.segment.checkpoint import CHECKPOINT
from flawline.jobs.train.segment.chosen_settings import Choice, choose_settings
from flawline.jobs.train.segment.export import export_segmenter
from flawline.jobs.train.segment.fit import train_segmenter
from flawline.jobs.train.segment.progress_record import EpochRecord
from flawline.jobs.train.segment.pseudo_masks import (
    PseudoMasks,
    pseudo_figures,
    pseudo_messages,
)
from flawline.jobs.train.segment.segment_settings import SegmentSettings
from flawline.jobs.train.segment.segment_split import Split, split_samples
from flawline.jobs.train.segment.trained import (
    TrainedSegmenter,
    load_trained,
    training_pseudo,
    training_records,
)
from flawline.jobs.train.segment.unmasked_pictures import UnmaskedPictures, gather_unmasked
from flawline.jobs.train.segment.weak_labels import (
    labels_as_dict,
    stroke_messages,
    weak_labels,
)
from flawline.recipe import (
    BackboneRecord,
    PictureRecord,
    PictureSettings,
    Recipe,
    RecipeManifest,
    RecipeSettings,
    Role,
    SegmenterSettings,
    new_recipe,
    recipe_with,
    segmenter_settings,
)
from flawline.recipe.manifest import file_hash
from flawline.types import Sample, Track, no_track

FINDINGS = "mask-findings.csv"
# These become messages; all others end the training before it starts.
_ONLY_MESSAGES = ("empty-class", "duplicate-masks")
_NAMED = 3
_ROLES: Mapping[str, Role] = {"train": "train", "validation": "calibration", "test": "test"}


@dataclass(frozen=True, slots=True)
class TrainSegmentSettings:
    """Settings of a recipe of a segmenter.

    `part` names the part. `choose` names the settings of `training` that are chosen by the pictures
    (`flawline.jobs.train.segment.chosen_settings`). `shares` are those of training, validation and test where the
    source names no splits.
    Thresholds have the highest Dice on validation, or follow from `target_recall`, or from the costs of a missed and of
    a falsely predicted pixel (`flawline.core.pixel_threshold.choose_thresholds`). Regions of fewer than `smallest`
    pixels are left out; where it is None, it is chosen for each class so that at most the share `overkill` of good
    parts is rejected with `confidence` (`flawline.core.smallest_area`). It, `merge`, `mm_per_px`, `mm_per_px_u`,
    `flips` and `spec` go into the recipe.
    """

    part: str = ""
    training: SegmentSettings = field(default_factory=SegmentSettings)
    choose: tuple[Choice, ...] = ()
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15)
    target_recall: float | None = None
    miss_cost: float | None = None
    false_cost: float | None = None
    smallest: int | None = None
    overkill: float = 0.05
    confidence: float = 0.95
    merge: float | None = None
    flips: bool = False
    mm_per_px: float | None = None
    mm_per_px_u: float | None = None
    spec: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Results on the pictures by which epoch and thresholds were chosen, and which are therefore too good."""

    matrix: ConfusionMatrix
    detection: Detection
    pictures: int
    good_scores: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class TrainedSegmenterRecipe:
    """A recipe, and how it was trained.

    `chosen` are the thresholds, one for each class; `shown` the validation samples with the most wrong pixels, worst
    first.
    """

    recipe: Recipe
    split: Split
    masks: MaskReport
    records: tuple[EpochRecord, ...]
    chosen: tuple[ChosenThreshold, ...]
    validation: Validation
    shown: tuple[Sample, ...]
    messages: tuple[str, ...]

    @property
    def verdict(self) -> BasisVerdict:
        """Say whether the segmenter learnt enough, from enough, to be used."""
        figures = self.validation.matrix.figures()[1:]
        names = [one.name for one in self.chosen]
        learnt = {name: one.iou for name, one in zip(names, figures, strict=True)}
        marked = {one.name: one.pictures for one in self.masks.classes if one.name in learnt}
        detection = self.validation.detection
        return segmenter_verdict(
            learnt,
            marked,
            len(self.records),
            detection.escapes(),
            detection.overkill(),
            weak=weak_labels(self.masks),
        )


def train_segment(
    source: MaskedSource,
    settings: TrainSegmentSettings | None = None,
    *,
    folder: Path,
    unmasked: Source | None = None,
    resume: bool = False,
    each: Callable[[EpochRecord, Split], None] | None = None,
    track: Track = no_track,
) -> TrainedSegmenterRecipe:
    """Train a segmenter on an open source of pictures with masks.

    Args:
        source: pictures and masks.
        settings: of training, thresholds and recipe.
        folder: where checkpoints go.
        unmasked: pictures without masks to learn from as well.
        resume: whether an interrupted training continues from `folder`.
        each: called with the record of every epoch and the split.
        track: shows progress of everything else.

    Raises:
        SourceError: no picture with a mask, unreadable ones, pictures of one part in several splits, or nothing to
            learn from.
        UsageError: a setting is wrong, or `folder` holds an earlier training that shall not be resumed.
        ModelError: the network cannot be built or exported.
    """
    settings = settings or TrainSegmentSettings()
    # Nothing is counted yet: a wrong setting raises its error here and not after the training.
    _chosen(PixelCurves(source.classes), settings)
    choose_smallest({}, {}, 0, overkill=settings.overkill, confidence=settings.confidence)
    if not resume and (folder / CHECKPOINT).exists():
        raise UsageError(
            f"{folder} holds an earlier training",
            hint="`resume` goes on with it; delete the folder to train anew",
        )
    report = check_masks(source, track=track)
    _write_findings(report, folder)
    _refuse(report, folder)
    hashes = _hashes(source, track)
    split = split_samples(
        source.samples(), report.counts, hashes, settings.shares, settings.training.seed
    )
    _check_spec(settings, source.classes)
    more = (
        None
        if unmasked is None
        else gather_unmasked(unmasked, split, hashes, value_range=source.value_range, track=track)
    )
    chosen_settings = choose_settings(
        settings.training, settings.choose, source, split.train, report, track=track
    )
    for record in train_segmenter(
        source,
        split.train,
        split.validation,
        folder,
        chosen_settings.training,
        unmasked=more,
        resume=resume,
        track=track,
    ):
        if each is not None:
            each(record, split)
    trained = load_trained(folder)
    recipe = _recipe(report, trained, split, hashes, settings, folder, source.value_range)
    curves = _curves(Inspector(recipe), source, split.validation, track)
    chosen = _chosen(curves, settings)
    recipe = _with_thresholds(recipe, chosen)
    areas = None
    if settings.smallest is None:
        areas = _chosen_areas(Inspector(recipe), source, split.validation, settings, track)
        recipe = _with_smallest(recipe, areas)
    found, wrong = _validate(Inspector(recipe), source, split.validation, track)
    recipe = _finished(recipe, found, chosen)
    pseudo = training_pseudo(folder)
    if more is not None:
        recipe = _with_unmasked(recipe, more, pseudo, training_records(folder))
    worst = sorted(wrong, key=lambda name: (-wrong[name], name))
    by_name = {sample.name: sample for sample in split.validation}
    return TrainedSegmenterRecipe(
        recipe,
        split,
        report,
        training_records(folder),
        chosen,
        found,
        tuple(by_name[name] for name in worst),
        (
            *split.messages,
            *chosen_settings.messages,
            *_finding_messages(report),
            *report.notes,
            *stroke_messages(report),
            *(() if more is None else more.messages),
            *(() if more is None else pseudo_messages(pseudo, training_records(folder))),
            *(one.message for one in chosen),
            *(() if areas is None else (areas.message,)),
            *_validation_messages(found),
        ),
    )


def _refuse(report: MaskReport, folder: Path) -> None:
    """Refuse findings that prevent a training: unreadable pairs, and pictures of one part in several splits."""
    findings = [finding for finding in report.findings if finding.code not in _ONLY_MESSAGES]
    if findings:
        more = f"; findings in all: {len(findings)}" if len(findings) > 1 else ""
        raise SourceError(
            f"{_in_words(findings[0])}{_first_reason(findings[0])}{more}",
            hint=f"{folder / FINDINGS} lists every file; repair or remove them, and keep the pictures of a part in "
            "one split",
            code=findings[0].code,
        )


def _first_reason(finding: MaskProblem) -> str:
    """Say why the first of the pictures cannot be read, empty for a finding of another kind."""
    unreadable = finding.code.startswith("image") and finding.details
    return f" (the first: {finding.details[0]})" if unreadable else ""


def _finding_messages(report: MaskReport) -> list[str]:
    """List the messages of findings that do not end a training."""
    return [_in_words(finding) for finding in report.findings if finding.code in _ONLY_MESSAGES]


def _in_words(finding: MaskProblem) -> str:
    if finding.code == "empty-class":
        return finding.message
    named, left = ", ".join(finding.files[:_NAMED]), len(finding.files) - _NAMED
    return f"{finding.message}: {named}{f' and {left} more' if left > 0 else ''}"


def _write_findings(report: MaskReport, folder: Path) -> None:
    """Write all files of all findings: a message has no room for them."""
    (folder / FINDINGS).unlink(missing_ok=True)
    if not report.findings:
        return
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        (finding.code, finding.message, file, detail)
        for finding in report.findings
        for file, detail in zip_longest(finding.files or ("",), finding.details, fillvalue="")
    ]
    write_csv_rows(folder / FINDINGS, ("code", "finding", "file", "detail"), rows)


def _check_spec(asked: TrainSegmentSettings, classes: Sequence[str]) -> None:
    """Check before the training that the specification and the scale can be used."""
    settings = _settings(asked, classes, "any", (256, 256), 1.0, 0)
    new_recipe(settings, b"", {}, RecipeManifest(BackboneRecord("any", "0" * 64, "any", {})))


def _settings(
    asked: TrainSegmentSettings,
    classes: Sequence[str],
    network: str,
    window: tuple[int, int],
    scale: Any,
    overlap: int,
) -> RecipeSettings:
    return RecipeSettings(
        part=asked.part,
        task="segment",
        picture=PictureSettings(
            window=window,
            resolution=scale,
            overlap=overlap,
            mm_per_px=asked.mm_per_px,
            mm_per_px_u=asked.mm_per_px_u,
        ),
        detector=None,
        segmenter=SegmenterSettings(
            network=network,
            classes=tuple(classes[1:]),
            thresholds=(0.5,) * (len(classes) - 1),
            smallest=asked.smallest or 1,
            merge=asked.merge,
            flips=asked.flips,
        ),
        spec=asked.spec,
    )


def _recipe(
    masks: MaskReport,
    trained: TrainedSegmenter,
    split: Split,
    hashes: Mapping[str, str],
    asked: TrainSegmentSettings,
    folder: Path,
    value_range: tuple[float, float] | None,
) -> Recipe:
    """Build a recipe with thresholds of one half."""
    exported = folder / "network.onnx"
    difference = export_segmenter(trained, exported)
    model = exported.read_bytes()
    built, framing = trained.built.record, trained.settings.framing
    encoder = built["encoder"]
    name = f"{built['network']} on {encoder}" if encoder else str(built["network"])
    used = [masks.sizes[sample.name] for sample in (*split.train, *split.validation)]
    return new_recipe(
        _settings(asked, trained.classes, name, framing.window, framing.scale, framing.overlap),
        model,
        {},
        RecipeManifest(
            BackboneRecord(
                name,
                built["encoder_weights"].get("sha256") or file_hash(model),
                "Apache-2.0"
                if built["encoder_weights"]["from"] == "embedded"
                else "as its weights",
                trained.built.preparation.as_dict(),
            ),
            pictures=_records(split, hashes),
            seeds={"training": trained.settings.seed},
            settings={
                "training": trained.settings.as_dict(),
                "network": dict(built),
                "picture_size": list(used[0]),
                **shape_settings(framing.scale, used),
                "value_range": value_range and list(value_range),
                "split": split.origin,
            },
            metrics={"export_difference": difference, "labels": labels_as_dict(masks)},
        ),
    )


def _hashes(source: MaskedSource, track: Track) -> dict[str, str]:
    samples = source.samples()
    return {
        sample.name: file_hash(source.source.read(sample.name))
        for sample in track(samples, title="hashing pictures", total=len(samples))
    }


def _records(split: Split, hashes: Mapping[str, str]) -> tuple[PictureRecord, ...]:
    parts = (("train", split.train), ("validation", split.validation), ("test", split.test))
    return tuple(
        PictureRecord(hashes[sample.name], sample.name, _ROLES[name])
        for name, part in parts
        for sample in part
    )


def _curves(
    inspector: Inspector, source: MaskedSource, samples: Sequence[Sample], track: Track
) -> PixelCurves:
    curves = PixelCurves(inspector.classes)
    for sample in track(samples, title="choosing thresholds", total=len(samples)):
        picture, mask = source.pair(sample)
        curves.add(mask, inspector.probabilities(picture))
    return curves


def _chosen(curves: PixelCurves, asked: TrainSegmentSettings) -> tuple[ChosenThreshold, ...]:
    return choose_thresholds(
        curves,
        target_recall=asked.target_recall,
        miss_cost=asked.miss_cost,
        false_cost=asked.false_cost,
    )


def _with_thresholds(recipe: Recipe, chosen: Sequence[ChosenThreshold]) -> Recipe:
    segmenter = replace(
        segmenter_settings(recipe), thresholds=tuple(one.threshold for one in chosen)
    )
    return recipe_with(recipe, settings=replace(recipe.settings, segmenter=segmenter))


def _chosen_areas(
    inspector: Inspector,
    source: MaskedSource,
    samples: Sequence[Sample],
    asked: TrainSegmentSettings,
    track: Track,
) -> ChosenAreas:
    """Choose the smallest areas by what is marked on validation parts without a defect and found on the others."""
    marked: dict[str, dict[int, int]] = {}
    found: dict[str, dict[int, int]] = {}
    shows: dict[str, list[bool | None]] = {}
    for sample in track(samples, title="choosing the smallest areas", total=len(samples)):
        picture, mask = source.pair(sample)
        part = part_of(sample)
        own = inspector.find(picture).class_mask
        for number in np.unique(own[own > 0]).tolist():
            # Whole regions, as they are measured later: what is labelled of them may be a stroke.
            areas, right = region_areas(own, number, mask == number)
            _, known = region_areas(own, number, mask != IGNORE)
            _keep_largest(marked.setdefault(part, {}), number, areas[known])
            _keep_largest(found.setdefault(part, {}), number, areas[right])
        shows.setdefault(part, []).append(shows_defect(mask))
    defective = {part for part, of in shows.items() if True in of}
    good = {part for part, of in shows.items() if all(one is False for one in of)}
    return choose_smallest(
        {part: marked.get(part, {}) for part in sorted(good)},
        {part: found.get(part, {}) for part in sorted(defective)},
        len(inspector.classes) - 1,
        overkill=asked.overkill,
        confidence=asked.confidence,
    )


def _keep_largest(areas: dict[int, int], number: int, more: NDArray[np.int64]) -> None:
    if len(more):
        areas[number] = max(areas.get(number, 0), int(more.max()))


def _with_smallest(recipe: Recipe, chosen: ChosenAreas) -> Recipe:
    """Put the smallest areas into the settings, and what they rest on into the manifest."""
    segmenter = replace(segmenter_settings(recipe), smallest=chosen.smallest)
    metrics = {**recipe.manifest.metrics, "smallest": asdict(chosen)}
    return recipe_with(
        recipe,
        settings=replace(recipe.settings, segmenter=segmenter),
        manifest=replace(recipe.manifest, metrics=metrics),
    )


def _validate(
    inspector: Inspector, source: MaskedSource, samples: Sequence[Sample], track: Track
) -> tuple[Validation, dict[str, int]]:
    """Measure figures over validation pictures, and the number of wrong pixels of each."""
    matrix, detection = ConfusionMatrix(len(inspector.classes)), Detection(inspector.classes)
    wrong: dict[str, int] = {}
    scores: dict[str, dict[str, float]] = {}
    for sample in track(samples, title="validating", total=len(samples)):
        picture, mask = source.pair(sample)
        found = inspector.find(picture)
        matrix.add(mask, found.class_mask)
        detection.add(mask, found.class_mask, part_of(sample))
        known = mask != IGNORE
        wrong[sample.name] = int((known & (mask != found.class_mask)).sum())
        scores.setdefault(part_of(sample), {})[sample.name] = found.score
        if shows_defect(mask) is not False:
            scores[part_of(sample)][""] = np.inf
    good = {part: max(own.values()) for part, own in scores.items() if "" not in own}
    return Validation(matrix, detection, len(samples), good), wrong


def _finished(recipe: Recipe, found: Validation, chosen: Sequence[ChosenThreshold]) -> Recipe:
    """Add the scores of good parts, and the figures in the manifest."""
    arrays = dict(recipe.arrays)
    if found.good_scores:
        scores = np.sort(np.array(list(found.good_scores.values()), np.float64))
        arrays |= joined_arrays(calibration={"scores": scores, "peaks": scores})
    escapes, overkill = found.detection.escapes(), found.detection.overkill()
    classes = ("background", *(one.name for one in chosen))
    figures = dict(zip(classes, found.matrix.figures(), strict=True))
    metrics = {
        **recipe.manifest.metrics,
        "validation": {
            "pictures": found.pictures,
            "mean_iou": found.matrix.mean("iou"),
            "accuracy": found.matrix.accuracy(),
            "classes": {name: asdict(one) for name, one in figures.items()},
            "escapes": escapes and [escapes.hits, escapes.of],
            "overkill": overkill and [overkill.hits, overkill.of],
        },
        "thresholds": [asdict(one) for one in chosen],
    }
    return recipe_with(recipe, arrays=arrays, manifest=replace(recipe.manifest, metrics=metrics))


def _with_unmasked(
    recipe: Recipe,
    unmasked: UnmaskedPictures,
    pseudo: PseudoMasks | None,
    records: Sequence[EpochRecord],
) -> Recipe:
    """Name the pictures without masks that were learnt from, and put into the manifest what came of them."""
    used = () if pseudo is None else pseudo.pictures
    known = tuple(PictureRecord(one, unmasked.samples[one].name, "train") for one in used)
    metrics = {
        **recipe.manifest.metrics,
        "unmasked": {
            "pictures": len(unmasked.samples),
            "left_out": dict(unmasked.left_out),
            "learnt_from": len(used),
            **({} if pseudo is None else pseudo_figures(pseudo, records)),
        },
    }
    manifest = recipe.manifest
    pictures = (*manifest.pictures, *known)
    return recipe_with(recipe, manifest=replace(manifest, pictures=pictures, metrics=metrics))


def _validation_messages(found: Validation) -> list[str]:
    """Format the figures of the validation as messages."""
    mean = found.matrix.mean("iou")
    lines = []
    if mean is not None:
        lines.append(
            f"validation, on which epoch and thresholds were chosen: mean IoU {100 * mean:.1f} % "
            f"of {found.pictures} pictures"
        )
    for name, share in (
        ("defective parts without a predicted defect (escapes)", found.detection.escapes()),
        ("good parts with a predicted defect (overkill)", found.detection.overkill()),
    ):
        if share is not None:
            lines.append(f"validation: {share.hits} of {share.of} {name}")
    return lines
