"""Evaluate one recipe on pictures that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flawline.core.metrics import auroc, average_precision
from flawline.core.pod import FEWEST
from flawline.core.words import counted
from flawline.data.masks import MaskedSource, MaskSettings
from flawline.data.source import Source
from flawline.jobs.evaluate import figures
from flawline.jobs.evaluate.choice import ChosenSamples, choose
from flawline.jobs.evaluate.class_masks import (
    SOURCE_MASKS,
    class_masks_for,
    open_class_masks,
)
from flawline.jobs.evaluate.evaluation import Evaluation, JudgedPicture, PixelFigures
from flawline.jobs.evaluate.judging import Judging, Look, judge
from flawline.jobs.evaluate.masks import GRID
from flawline.jobs.evaluate.segmentation import Segmentation
from flawline.jobs.evaluate.timing import median_milliseconds, streamed_rate
from flawline.recipe import check_ready, thresholds_of
from flawline.types import Track, no_track
from flawline.version import __version__

if TYPE_CHECKING:
    from flawline.inspector import Inspector

_NO_GOOD = "no part has good pictures only"
_NO_CLASSES = "no picture has a class mask that can be used"
_NOT_CALIBRATED = "the recipe holds no scores of held-out good parts"


def evaluate(
    source: Source,
    inspector: Inspector,
    *,
    split: str | None = None,
    drop_known: bool = False,
    masks: MaskSettings = SOURCE_MASKS,
    seed: int = 0,
    track: Track = no_track,
    look: Look | None = None,
) -> Evaluation:
    """Measure how well a recipe tells good parts from bad ones.

    Args:
        source: an open source with labels or masks that tell good from bad.
        inspector: the recipe to evaluate, with thresholds; a segmenter is compared with class masks too.
        split: the split to take, "all" for every picture; by default the test split where there is one, else all.
        drop_known: leave out pictures that the recipe knows, instead of refusing.
        masks: where class masks are; by default those that the source names itself.
        seed: of the draws behind intervals.
        track: shows progress.
        look: inspects elsewhere than in this process.

    Raises:
        UsageError: no such split; ("evaluation-leak") the recipe knows a picture; ("evaluation-unlabelled") no
            picture is known to be good or bad; ("evaluation-classes") the masks hold a class that the recipe does not
            know.
        ModelError: ("recipe-uncalibrated") the recipe has no thresholds.
        SourceError: none of the pictures could be judged.
    """
    check_ready(inspector.recipe)
    masked = open_class_masks(source, [inspector], masks)
    choice = choose(
        source,
        {"the recipe": inspector.recipe},
        split=split,
        drop_known=drop_known,
        masked=masked_names(masked),
        track=track,
    )
    return evaluate_choice(source, choice, inspector, masked, seed=seed, track=track, look=look)


def masked_names(masked: MaskedSource | None) -> frozenset[str]:
    """Name the pictures with a class mask."""
    return frozenset() if masked is None else frozenset(s.name for s in masked.samples())


def evaluate_choice(
    source: Source,
    choice: ChosenSamples,
    inspector: Inspector,
    masked: MaskedSource | None = None,
    *,
    seed: int,
    track: Track,
    look: Look | None = None,
) -> Evaluation:
    """Evaluate on samples that were chosen before; arguments and errors as for `evaluate`."""
    masks = None if masked is None else class_masks_for(masked, inspector)
    judged = judge(source, choice.samples, inspector, masks, track=track, look=look)
    pictures = judged.pictures
    segmentation = judged.segmenting.done(pictures, seed=seed) if judged.segmenting else None
    pixels, without_pixels = _pixels(judged)
    whole = figures.estimated(auroc, pictures, seed=seed)
    calibrated = inspector.calibration is not None
    promises = figures.promises(pictures) if calibrated else ()
    recall = figures.recall_all(pictures)
    rates = figures.rates(pictures)
    missing = {
        **({} if whole else dict.fromkeys(("auroc", "average_precision"), _one_kind(pictures))),
        **({} if pixels else {"pixels": without_pixels}),
        **({} if recall else {"recall": "no bad picture has a mask that can be used"}),
        **({} if rates.escape else {"escape": "no picture is bad"}),
        **({} if rates.overkill else {"overkill": _NO_GOOD}),
        **({} if promises else {"p_values": _without_p_values(inspector)}),
        **(
            {}
            if segmentation or not inspector.model.tells_classes
            else {"segmentation": _NO_CLASSES}
        ),
    }
    return Evaluation(
        source=source.name,
        recipe=inspector.recipe.sha256,
        part=inspector.recipe.settings.part,
        settings={
            **inspector.described(),
            "seed": seed,
            "draws": figures.draws_for(len(pictures)),
            "flawline": __version__,
        },
        thresholds=None if inspector.model.tells_classes else thresholds_of(inspector.recipe),
        split=choice.split,
        grouped=choice.grouped,
        pictures=pictures,
        unjudged=(*judged.unjudged, *source.unlisted()),
        dropped=choice.dropped,
        messages=(
            *choice.messages,
            *(masks.messages if masks else ()),
            *_messages(choice, judged, segmentation),
        ),
        auroc=whole,
        average_precision=figures.estimated(average_precision, pictures, seed=seed),
        labels=figures.label_figures(pictures, seed=seed),
        pixels=pixels,
        recall=recall,
        recall_by_size=figures.recalls_by_size(pictures),
        recall_by_label=figures.recalls_by_label(pictures),
        rates=rates,
        promises=promises,
        notes=judged.notes,
        missing=missing,
        milliseconds=median_milliseconds(pictures),
        pictures_per_second=streamed_rate(
            source, [picture.sample for picture in pictures], inspector
        ),
        segmentation=segmentation,
    )


def _without_p_values(inspector: Inspector) -> str:
    return _NO_GOOD if inspector.calibration is not None else _NOT_CALIBRATED


def _pixels(judged: Judging) -> tuple[PixelFigures | None, str]:
    if not judged.curve.regions:
        return None, "no bad picture has a mask that can be used"
    try:
        area = judged.curve.auroc()
    except ValueError:
        return None, "the masks leave no good pixel"
    return (
        PixelFigures(
            area,
            judged.curve.aupro(0.3),
            judged.curve.aupro(0.05),
            judged.counted,
            judged.curve.regions,
            GRID,
        ),
        "",
    )


def _one_kind(pictures: Sequence[JudgedPicture]) -> str:
    kind = "bad" if pictures[0].defective else "good"
    return f"every picture is {kind}: there is nothing to tell apart"


def _messages(
    choice: ChosenSamples, judged: Judging, segmentation: Segmentation | None
) -> list[str]:
    messages = []
    if not choice.grouped:
        messages.append("the source has no group column: every picture counts as a part of its own")
    if judged.conflicts:
        messages.append(
            f"warning: the mask contradicts the label of {counted(len(judged.conflicts), 'picture')}, "
            f"{judged.conflicts[0]} among them; their masks are not used"
        )
    unmasked = sum(p.defective and p.defects is None for p in judged.pictures)
    if unmasked and judged.curve.regions:
        bad = sum(p.defective for p in judged.pictures)
        messages.append(
            f"{unmasked} of {bad} bad pictures have no usable mask and count in no pixel figure"
        )
    for one in segmentation.defects if segmentation else ():
        if one.pod is not None and one.pod.defects < FEWEST:
            messages.append(
                f"{one.name}: {one.pod.defects} defects; MIL-HDBK-1823A asks for {FEWEST} at least"
            )
    return messages
