"""Try a candidate: learn its view, keep patches, and score parts in folds that were not learnt from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from flawline.core.candidate_choice import CandidateScores
from flawline.core.metrics import Share
from flawline.data.cores import cpu_count
from flawline.data.stream import in_order
from flawline.detectors.detector import DetectorState
from flawline.detectors.fitting import PatchNetwork
from flawline.detectors.method import Learning
from flawline.errors import UsageError
from flawline.inspector.map_score import lost_reason
from flawline.jobs.train.kept_patches import KeptPatches, keep_patches
from flawline.jobs.train.setup.candidate import Candidate
from flawline.jobs.train.setup.judged_pictures import JudgedPictures
from flawline.jobs.train.setup.trial_views import TrialViews
from flawline.types import Sample


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A candidate and how it did; `scores` are of parts, or None with the `problem` that kept it from being tried.

    `stage` names the setting that was being chosen.
    """

    candidate: Candidate
    stage: str
    scores: CandidateScores | None
    problem: str = ""

    def escapes(self, overkill: float) -> Share:
        """Count the bad parts that are let through at an overkill."""
        assert self.scores is not None
        found = self.scores.escapes(overkill)
        return Share(int(found.sum()), len(found))

    def as_dict(self, overkill: float) -> dict[str, Any]:
        """Convert to plain values for JSON."""
        row: dict[str, Any] = {"stage": self.stage, **self.candidate.as_dict()}
        if self.scores is None:
            return {**row, "problem": self.problem}
        missed = self.escapes(overkill)
        return {**row, "escapes": missed.hits, "bad": missed.of, "auroc": self.scores.auroc}


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Patches of all pictures in one view, and what methods learn from by the fold that is left out."""

    kept: KeptPatches
    learning: dict[int, Learning] = field(default_factory=dict)


def see(views: TrialViews, pictures: JudgedPictures, candidate: Candidate) -> Seen:
    """Learn the view of a candidate and keep the patches of all pictures.

    Raises:
        UsageError: the view cannot be learnt from these pictures.
    """
    job, view = views.job, views.view(candidate)
    network = PatchNetwork(
        candidate.method,
        job.backbone.model,
        window=view.framing.window,
        precision=job.settings.precision,
    )
    read = partial(pictures.read, job)
    return Seen(
        keep_patches(
            partial(read, title=f"trying {candidate.text}"),
            (*pictures.good, *pictures.bad),
            view,
            network,
            again=read,
            look=views.look(candidate, view),
        )
    )


def score_in_folds(
    seen: Seen, pictures: JudgedPictures, method: str, *, seed: int
) -> CandidateScores:
    """Score each part by a detector that learnt from the good parts of the other folds.

    Raises:
        UsageError: there is no bad part.
        ImageError: a picture has no score.
    """
    found: dict[str, float] = {}
    kept = seen.kept
    bad = pictures.judged_bad
    if not bad:
        raise UsageError("there is no bad part to judge by: no defect has room on these parts")
    folds = sorted({pictures.folds[sample.name] for sample in pictures.good})

    def fitted(fold: int) -> DetectorState:
        learn = [s.name for s in pictures.good if pictures.folds[s.name] != fold]
        if fold not in seen.learning:
            seen.learning[fold] = kept.learning(learn, seed=seed)
        return kept.fit_learning(method, learn, seen.learning[fold], seed=seed)

    for fold, state in in_order(folds, fitted, workers=cpu_count(), ahead=cpu_count()):
        held = [s.name for s in (*pictures.good, *bad) if pictures.folds[s.name] == fold]
        for name, scored in kept.scored(state, held):
            found[name] = math.inf if lost_reason(kept.looks[name]) else scored.score
    return CandidateScores(
        _by_part(pictures.good, found, pictures.good_units),
        _by_part(bad, found, pictures.parts),
    )


def _by_part(
    samples: Sequence[Sample], scores: Mapping[str, float], parts: Mapping[str, str]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Take the highest score of the pictures of each part."""
    highest: dict[str, float] = {}
    for sample in samples:
        part = parts[sample.name]
        highest[part] = max(scores[sample.name], highest.get(part, -math.inf))
    return np.array(list(highest.values()), np.float64)
