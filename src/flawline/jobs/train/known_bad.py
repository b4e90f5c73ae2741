"""Learn from known bad parts, where that finds more of those that were not learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.known_defects import Evidence, choose_weight
from flawline.core.words import counted
from flawline.detectors.detector import DetectorState
from flawline.detectors.known import known_arrays
from flawline.jobs.train.calibration_targets import OVERKILL
from flawline.jobs.train.kept_patches import KeptPatches
from flawline.jobs.train.known_examples import examples
from flawline.jobs.train.known_trials import WEIGHTS, ByWeight, Trials, names_of
from flawline.jobs.train.scoring import ScoredPicture
from flawline.jobs.train.training_job import TrainingJob
from flawline.types import Sample

ONE_PART = 1
"""Place among the weights of what was learnt from a single part: nothing is left to choose it by."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownBad:
    """What a detector learnt from known bad parts.

    `state` is the detector with it, or as it was where it does not help. `good` and `bad` are pictures scored by
    detectors that did not learn from their parts; `bad` is empty where nothing was learnt. `missed` counts, of the
    `parts`, those below the threshold of `overkill` in folds, and `before` those without what was learnt; None where
    there is one part, and none left to test with.
    """

    state: DetectorState
    good: Mapping[str, ScoredPicture]
    bad: Mapping[str, ScoredPicture]
    learnt: bool
    parts: int
    overkill: float
    missed: int | None = None
    before: int | None = None
    unread: tuple[str, ...] = ()

    @property
    def messages(self) -> tuple[str, ...]:
        """Say what came of it."""
        found = [self._message()]
        if self.unread:
            masks = counted(len(self.unread), "mask")
            found.append(f"{masks} of bad pictures cannot be read, {self.unread[0]} first")
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Convert to a document."""
        return {
            "parts": self.parts,
            "learnt": self.learnt,
            "overkill": self.overkill,
            "missed": self.missed,
            "missed_without": self.before,
        }

    def _message(self) -> str:
        parts = counted(self.parts, "known bad part")
        if self.missed is None:
            return f"learnt from {parts}; whether that helps takes two or more to test"
        share = f"at a limit that rejects {100 * self.overkill:g} % of the good parts"
        if self.learnt:
            return (
                f"learnt from {parts}, each judged without itself: {share}, {self.missed} are missed instead of "
                f"{self.before}"
            )
        if not self.before:
            return f"did not learn from the {parts}: {share}, all are found without that"
        return f"did not learn from the {parts}: {share}, no more would be found ({self.before} missed)"


def learn_known_bad(
    job: TrainingJob,
    kept: KeptPatches,
    state: DetectorState,
    learn: Sequence[Sample],
    scores: Mapping[str, NDArray[np.float32]],
) -> KnownBad:
    """Learn from the known bad parts of a training, of which there is at least one.

    The weight of what is learnt is the one with which fewest bad parts are missed in folds by part; none may miss more
    of the kinds of defects that were left out, where labels name kinds. So the count of those missed is that of the
    best of a few weights.

    Args:
        job: the training.
        kept: patches of good pictures.
        state: the detector that learnt from all good pictures.
        learn: good pictures, of at least two parts.
        scores: of their patches (W, h, w), by detectors that did not learn from them.
    """
    bad, parts = job.chosen.defective, job.chosen.parts
    bad_kept = job.keep(bad, title="learning from known bad pictures")
    found = examples(job, kept, bad_kept, state, learn, scores)
    tried = Trials(learn, bad, parts, (kept, bad_kept), state, found)
    overkill = job.settings.thresholds.overkill or OVERKILL
    count = len({parts[sample.name] for sample in bad})
    plain = tried.plain(learn)
    before = int(tried.trial(plain, tried.plain(bad)).missed(overkill)[0])
    unlearnt = KnownBad(state, _at(plain, 0), {}, False, count, overkill, before, before)
    if not before:
        return unlearnt
    if count == 1:
        return _of_one_part(tried, state, overkill)
    good_by, bad_by = tried.in_folds(job.settings.seed)
    known = tried.trial(good_by, bad_by)
    place = choose_weight(known, list(tried.left_out_kinds()), overkill)
    if not place:
        return unlearnt
    return KnownBad(
        _with(state, tried.head(found.scores.keys()), WEIGHTS[place]),
        _at(good_by, place),
        _at(bad_by, place),
        True,
        count,
        overkill,
        int(known.missed(overkill)[place]),
        before,
        found.unread,
    )


def _of_one_part(tried: Trials, state: DetectorState, overkill: float) -> KnownBad:
    """Learn from one bad part; it is scored without what was learnt from it."""
    head = tried.head(tried.found.scores.keys())
    good, bad = (
        tried.scores(samples, dict.fromkeys(names_of(samples), head))
        for samples in (tried.good, tried.bad)
    )
    return KnownBad(
        _with(state, head, WEIGHTS[ONE_PART]),
        _at(good, ONE_PART),
        _at(bad, 0),
        True,
        1,
        overkill,
        unread=tried.found.unread,
    )


def _with(state: DetectorState, head: Evidence, weight: float) -> DetectorState:
    return replace(state, arrays={**state.arrays, **known_arrays(head.scaled(0.0, weight))})


def _at(found: ByWeight, place: int) -> dict[str, ScoredPicture]:
    return {
        name: ScoredPicture(float(rows[place, 0]), float(rows[place, 1]))
        for name, rows in found.items()
    }
