"""Try a candidate: learn its view, keep patches, and score parts in folds that were not learnt from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from flawline.core.candidate_choice import CandidateScores
from flawline.core.metrics import Share
from flawline.data.cores import cpu_count
from flawline.data.stream import in_order
from flawline.detectors.detector import DetectorState
from flawline.detectors.fitting import PatchNetwork
from flawline.errors import UsageError
from flawline.inspector.map_score import lost_reason
from flawline.jobs.train.kept_patches import KeptPatches, keep_patches
from flawline.jobs.train.setup.candidate import Candidate
from flawline.jobs.train.setup.judged_pictures import JudgedPictures
from flawline.jobs.train.training_job import TrainingJob
from flawline.jobs.train.view import learn_view
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


def see(job: TrainingJob, pictures: JudgedPictures, candidate: Candidate) -> KeptPatches:
    """Learn the view of a candidate and keep the patches of all pictures.

    Raises:
        UsageError: the view cannot be learnt from these pictures.
    """
    settings = candidate.applied(job.settings)
    view = learn_view(job.read, pictures.good, job.chosen.sizes, settings.view).view
    network = PatchNetwork(
        candidate.method,
        job.backbone.model,
        window=view.framing.window,
        precision=settings.precision,
    )
    read = partial(pictures.read, job)
    samples = (*pictures.good, *pictures.bad)
    return keep_patches(
        partial(read, title=f"trying {candidate.text}"), samples, view, network, again=read
    )


def score_in_folds(
    kept: KeptPatches, pictures: JudgedPictures, method: str, *, seed: int
) -> CandidateScores:
    """Score each part by a detector that learnt from the good parts of the other folds.

    Raises:
        UsageError: there is no bad part.
        ImageError: a picture has no score.
    """
    found: dict[str, float] = {}
    bad = pictures.judged_bad
    if not bad:
        raise UsageError("there is no bad part to judge by: no defect has room on these parts")
    folds = sorted({pictures.folds[sample.name] for sample in pictures.good})

    def fitted(fold: int) -> DetectorState:
        learn = [s.name for s in pictures.good if pictures.folds[s.name] != fold]
        return kept.fit(method, learn, seed=seed)

    for fold, state in in_order(folds, fitted, workers=cpu_count(), ahead=cpu_count()):
        held = [s.name for s in (*pictures.good, *bad) if pictures.folds[s.name] == fold]
        for name, scored in kept.scored(state, held):
            found[name] = math.inf if lost_reason(kept.looks[name]) else scored.score
    return CandidateScores(
        _by_part(pictures.good, found, pictures.parts), _by_part(bad, found, pictures.parts)
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
