"""Choose the pictures that a detector of good parts learns from, is calibrated with, or must not use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flawline.core.words import counted
from flawline.data.source import Source
from flawline.data.splits import hold_out
from flawline.errors import SourceError
from flawline.jobs.train.survey import Survey, survey
from flawline.types import Sample, Track, Unjudged

TRAINING = ("train", "training")
CALIBRATION = ("val", "valid", "validation", "calibration", "calib")


@dataclass(frozen=True, slots=True)
class Selection:
    """Good pictures to `learn` from and to `calibrate` with, and known `defective` ones to estimate the escape.

    `calibrate` is empty where all good parts teach and calibrate, in folds. `parts` and `hashes` are those of the
    survey; `copies` names the original of each copy. `messages` explain the choice to a person.
    """

    learn: tuple[Sample, ...]
    calibrate: tuple[Sample, ...]
    defective: tuple[Sample, ...]
    parts: Mapping[str, str]
    hashes: Mapping[str, str]
    sizes: Mapping[str, tuple[int, int]]
    copies: Mapping[str, str]
    unjudged: tuple[Unjudged, ...]
    notes: Mapping[str, tuple[str, ...]]
    messages: tuple[str, ...]


def select(
    source: Source,
    *,
    share: float | None,
    seed: int,
    value_range: tuple[float, float] | None,
    track: Track,
) -> Selection:
    """Choose the pictures of a source to learn from and to calibrate with.

    Pictures with a label that means good are learnt from; without such labels every picture is taken as good, and a
    message tells so. Where the source states splits, only those for training and validation are used. Copies are set
    aside.

    Args:
        source: an open source.
        share: part of the good pictures to hold out for calibration; None holds out none but those that the source
            states.
        seed: of the draw.
        value_range: values that become black and white in pictures of more than 8 bits.
        track: shows progress.

    Raises:
        SourceError: no picture to learn from.
    """
    good, defective, messages = offered(source, (*TRAINING, *CALIBRATION), where=TRAINING)
    found = survey(source, [*good, *defective], value_range=value_range, track=track)
    bad = {sample.name for sample in defective}
    fine = [sample for sample in found.samples if sample.name not in bad]
    if not fine:
        raise nothing_good(source, good, found.unjudged)
    learn, calibrate = _divide(fine, found, share, seed)
    messages += _learning_messages(found, learn, calibrate)
    return Selection(
        tuple(learn),
        tuple(calibrate),
        tuple(sample for sample in found.samples if sample.name in bad),
        found.parts,
        found.hashes,
        found.sizes,
        found.copies,
        found.unjudged,
        found.notes,
        tuple(messages),
    )


def offered(
    source: Source, splits: Sequence[str], *, where: Sequence[str]
) -> tuple[list[Sample], list[Sample], list[str]]:
    """List the good and defective pictures that may be used, and messages on the choice.

    All may be used where no picture states a split of `where`, else those of `splits`.
    """
    samples, messages = list(source.samples()), []
    if any(_split(sample) in where for sample in samples):
        usable = [sample for sample in samples if _split(sample) in splits]
        if len(usable) < len(samples):
            others = len(samples) - len(usable)
            what = counted(others, "picture of another split is", "pictures of other splits are")
            messages = [f"{what} not touched"]
        samples = usable
    good, defective, more = _by_label(samples)
    return good, defective, [*messages, *more]


def _split(sample: Sample) -> str:
    return (sample.split or "").casefold()


def _by_label(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample], list[str]]:
    if all(sample.defective is None for sample in samples):
        taken = counted(len(samples), "picture is", "pictures are")
        whole = "the" if len(samples) == 1 else "all"
        text = f"no label says good or bad: {whole} {taken} taken as good"
        return list(samples), [], [text]
    good = [sample for sample in samples if sample.defective is False]
    bad = [sample for sample in samples if sample.defective]
    unknown = len(samples) - len(good) - len(bad)
    label = "whose label says neither good nor bad"
    messages = [f"{counted(unknown, f'picture {label} is', f'pictures {label} are')} left out"]
    return good, bad, messages if unknown else []


def _divide(
    good: Sequence[Sample], found: Survey, share: float | None, seed: int
) -> tuple[list[Sample], list[Sample]]:
    calibrate = [sample for sample in good if _split(sample) in CALIBRATION]
    if calibrate:
        apart = {found.parts[sample.name] for sample in calibrate}
        learn = [
            s for s in good if _split(s) not in CALIBRATION and found.parts[s.name] not in apart
        ]
        if learn:
            return learn, calibrate
    return (list(good), []) if share is None else hold_out(good, found.parts, share, seed=seed)


def _learning_messages(
    found: Survey, learn: Sequence[Sample], calibrate: Sequence[Sample]
) -> list[str]:
    messages = []
    if found.copies:
        first = sorted(found.copies.items())[0]
        messages.append(
            f"{counted(len(found.copies), 'copy counts', 'copies count')} once, set aside, {first[0]} of {first[1]} "
            "among them"
        )
    for use, samples in (("to learn from", learn), ("held out for calibration", calibrate)):
        parts = len({found.parts[sample.name] for sample in samples})
        if parts:
            folds = " and to calibrate with, in folds" if not calibrate and parts > 1 else ""
            pictures = counted(len(samples), "good picture")
            messages.append(f"{pictures} of {counted(parts, 'part')} {use}{folds}")
    return messages


def nothing_good(
    source: Source, good: Sequence[Sample], unjudged: Sequence[Unjudged]
) -> SourceError:
    """Build the error of a source without a picture to learn from."""
    if good:
        return SourceError(
            f"none of the {len(good)} good pictures can be read"
            if len(good) > 1
            else "the only good picture cannot be read",
            hint=f"the first: {unjudged[0].image}: {unjudged[0].reason}" if unjudged else "",
        )
    labels = ", ".join(source.summary().labels) or "none"
    return SourceError(
        f"learning what is good needs pictures of good parts, and there are none (labels: {labels})",
        hint="name the label that means good with `good`, or give a folder of good pictures only",
    )
