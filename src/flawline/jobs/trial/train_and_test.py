"""Train a detector on a part of the pictures and judge it by the rest, which it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flawline.data.source import Source
from flawline.errors import FlawlineError, UsageError
from flawline.inspector import Inspector
from flawline.jobs.evaluate.choice import TEST
from flawline.jobs.evaluate.evaluate import evaluate
from flawline.jobs.split.split import SplitSettings, split
from flawline.jobs.train.anomaly_settings import AnomalySettings
from flawline.jobs.train.selection import TRAINING
from flawline.jobs.train.train_anomaly import AnomalyTraining, train_anomaly
from flawline.types import Sample, Track, Unjudged, no_track


def train_and_test(
    source: Source, settings: AnomalySettings, test: float | None, *, track: Track = no_track
) -> AnomalyTraining:
    """Train as `train_anomaly` does; then judge the test pictures by the recipe's thresholds.

    Args:
        source: an open source.
        settings: of the training; its seed draws the held-out part too.
        test: share of good and bad pictures to hold out; None takes the test split that the source states, if any.
        track: shows progress.

    Returns:
        The training, with its `test`. Where the test pictures cannot be judged, the recipe is there nevertheless and
        the reason in `unjudged`.

    Raises:
        UsageError: `test` makes no sense, or the source states splits already; and what training and splitting raise.
    """
    tested, messages = _with_test(source, settings, test, track)
    trained = train_anomaly(source if tested is None else tested, settings, track=track)
    if tested is None:
        return trained
    trained = replace(trained, messages=(*messages, *trained.messages))
    try:
        found = evaluate(
            tested, Inspector(trained.recipe), drop_known=True, seed=settings.seed, track=track
        )
    except FlawlineError as error:
        lost = Unjudged("(test)", error.code, f"the test could not be judged: {error.message}")
        return replace(trained, unjudged=(*trained.unjudged, lost))
    unjudged = dict.fromkeys((*trained.unjudged, *found.unjudged))
    return replace(trained, test=found, unjudged=tuple(unjudged))


def _with_test(
    source: Source, settings: AnomalySettings, test: float | None, track: Track
) -> tuple[Source | None, Sequence[str]]:
    """Return the source with a test split, None where there is none."""
    samples = list(source.samples())
    stated = {(sample.split or "").casefold() for sample in samples} - {""}
    if test is None:
        known = any(_split(s) in TEST and (s.defective is not None or s.mask) for s in samples)
        return source if known and not stated.isdisjoint(TRAINING) else None, ()
    if not stated <= set(TRAINING):
        raise UsageError(
            f"`test` holds out a share of the pictures, and the source states splits: {', '.join(sorted(stated))}",
            hint="leave it out: a stated test split is judged after training. Or split anew with `flawline split`",
        )
    found = split(
        source,
        SplitSettings(test=test, seed=settings.seed, value_range=settings.value_range),
        track=track,
    )
    dealt = {sample.name: sample for sample in found.samples}
    all_good = all(sample.defective is None and sample.mask is None for sample in samples)

    def held(sample: Sample) -> Sample:
        # Training takes pictures without any label as good, and so does their test.
        return replace(dealt[sample.name], defective=False) if all_good else dealt[sample.name]

    return source.changed(held), (found.sentence, *found.notes)


def _split(sample: Sample) -> str:
    return (sample.split or "").casefold()
