"""Say in plain words whether a segmenter, an audit of labels or a study of capability rests on enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flawline.core.class_learning import ClassLearning
from flawline.core.metrics import Share
from flawline.core.recipe_verdict import Usable, recipe_verdict
from flawline.core.words import counted

LEARNT = 0.05
"""Below this IoU a class was not learnt."""
FEW_EPOCHS = 3
FEW_MARKED = 10
"""Fewer pictures with a class than this are too few to learn or to judge it."""
FEW_VALUES = 50
"""Fewer measurements than this make an index of capability too vague (AIAG, SPC Reference Manual: 25 subgroups)."""


@dataclass(frozen=True, slots=True)
class BasisVerdict:
    """Whether a result is `usable`, and why, in one sentence."""

    usable: Usable
    text: str


def segmenter_verdict(
    learnt: Mapping[str, float | None],
    marked: Mapping[str, int],
    epochs: int,
    missed: Share | None,
    overkill: Share | None,
    *,
    weak: str = "",
) -> BasisVerdict:
    """Judge a training of a segmenter by the validation parts that it misses and rejects, and by what it learnt.

    Args:
        learnt: IoU of each class of defects on validation, None where no picture there shows or predicts it.
        marked: pictures of the training, validation and test that show each class.
        epochs: how many were trained.
        missed: validation parts with a defect, and those of them without a predicted one; None where there are none.
        overkill: validation parts without a defect, and those of them with a predicted one; None where there are none.
        weak: what the labels were where they were no full masks, and what therefore rests on them; empty where they
            were.
    """
    known = {name: value for name, value in learnt.items() if value is not None}
    nothing = [name for name, value in known.items() if value < LEARNT]
    if not known:
        return BasisVerdict(
            "unknown", "No validation picture shows a defect: what it finds is not known"
        )
    if len(nothing) == len(known):
        return BasisVerdict("no", f"Learnt nothing: not usable{_epochs(epochs)}")
    counts = recipe_verdict(missed, known="validation parts with a defect", overkill=overkill)
    # The counts stand first; what they rest on can only make them worth less.
    head = counts.text.rpartition(": ")[0] if missed is not None else counts.text
    if nothing:
        return BasisVerdict(
            "no", f"{head}; did not learn {', '.join(nothing)}: not usable for it{_epochs(epochs)}"
        )
    if counts.usable == "no":
        return BasisVerdict("no", counts.text)
    reason = _vague(learnt, marked, epochs)
    if not reason and overkill is None and counts.usable == "yes":
        reason = "no validation part is without a defect: not known how many good parts it rejects"
    reason = reason or weak
    if reason:
        return BasisVerdict("not alone", f"{head}; {reason}")
    return BasisVerdict(counts.usable, counts.text)


def _vague(learnt: Mapping[str, float | None], marked: Mapping[str, int], epochs: int) -> str:
    """Say why the counts of a validation rest on too little, empty where they do not."""
    if epochs < FEW_EPOCHS:
        return f"trained for {counted(epochs, 'epoch')} only: train longer"
    unseen = [name for name, value in learnt.items() if value is None]
    if unseen:
        return f"no validation picture shows {', '.join(unseen)}: not known how well that is found"
    few = [f"{count} with {name}" for name, count in marked.items() if count < FEW_MARKED]
    return f"too few pictures ({', '.join(few)}) to rely on it alone" if few else ""


def audit_verdict(
    learning: Mapping[str, ClassLearning | None], epochs: int | None, pictures: int
) -> BasisVerdict:
    """Judge an audit of labels.

    Args:
        learning: what the segmenters learnt of each class of defects, None without a pixel.
        epochs: that each segmenter was asked to train, None where minutes decided.
        pictures: that were audited.
    """
    known = {name: value for name, value in learning.items() if value is not None}
    failed = {name: value for name, value in known.items() if not value.learnt}
    if not known:
        return BasisVerdict("unknown", "No mask shows a defect: there was nothing to learn")
    if failed:
        return BasisVerdict("no", _not_audited(failed, len(known), epochs, pictures))
    if epochs is not None and epochs < FEW_EPOCHS:
        return BasisVerdict(
            "not alone", f"The segmenters trained for {counted(epochs, 'epoch')} only: train longer"
        )
    if pictures < 4 * FEW_MARKED:
        return BasisVerdict(
            "not alone", f"Only {counted(pictures, 'mask')} to learn from: look at every one"
        )
    return BasisVerdict(
        "yes", f"The segmenters learnt every class from {counted(pictures, 'mask')}"
    )


def _not_audited(
    failed: Mapping[str, ClassLearning], classes: int, epochs: int | None, pictures: int
) -> str:
    """Say which masks were not judged, what was reached, and what to do."""
    whole = len(failed) == classes
    head = "Not audited" if whole else f"Masks of {', '.join(failed)} not audited"
    reached = ", ".join(
        f"{name} {one.iou:.2f} (a guess {one.chance:.2f})" for name, one in failed.items()
    )
    what = "nothing" if whole else "nothing of that"
    after = "" if epochs is None else f" and {counted(epochs, 'epoch')}"
    return (
        f"{head}: the segmenters learnt {what}, IoU on masks they did not see: {reached}. "
        f"Train longer, or on more than {counted(pictures, 'mask')}{after}"
    )


def capability_verdict(reasons: tuple[str, ...], count: int, *, fits: bool) -> BasisVerdict:
    """Judge a study of capability: `reasons` why the process is not in control, values, and whether they fit."""
    if reasons:
        return BasisVerdict("no", "The process is not in control: no forecast")
    if not fits:
        return BasisVerdict(
            "not alone", "The values do not fit their distribution: the indices are rough"
        )
    if count < FEW_VALUES:
        return BasisVerdict(
            "not alone",
            f"Only {counted(count, 'measurement')}, {FEW_VALUES} or more are usual: the indices are vague",
        )
    return BasisVerdict("yes", f"In control, by {counted(count, 'measurement')}")


def _epochs(epochs: int) -> str:
    return f" after {counted(epochs, 'epoch')}" if epochs < FEW_EPOCHS else ""
