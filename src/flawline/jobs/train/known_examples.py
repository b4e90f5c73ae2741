"""Patches of good and bad pictures that known defects are learnt from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.known_defects import Evidence, bad_candidates, fit_evidence, good_candidates
from flawline.data.masks.marked import read_marked
from flawline.detectors.detector import DetectorState
from flawline.errors import ImageError
from flawline.jobs.train.kept_patches import KeptPatches
from flawline.jobs.train.known_patches import ScoredPatches, patch_scores, scored_patches
from flawline.jobs.train.training_job import TrainingJob
from flawline.types import Sample

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Patches to learn from by picture, with their score as the last number.

    `scores` (W, h, w) are those of the patches of all pictures. `unread` names masks that cannot be read: where the
    defects of their pictures are is then guessed.
    """

    good_rows: Mapping[str, Floats]
    bad_rows: Mapping[str, Floats]
    scores: Mapping[str, Floats]
    unread: tuple[str, ...] = ()

    def evidence(self, names: Collection[str]) -> Evidence:
        """Learn from the pictures of these names, at least one of them bad."""
        good = [rows for name, rows in self.good_rows.items() if name in names]
        bad = [rows for name, rows in self.bad_rows.items() if name in names]
        pictures = np.repeat(np.arange(len(bad)), [len(rows) for rows in bad])
        return fit_evidence(np.concatenate(good), np.concatenate(bad), pictures)


def examples(
    job: TrainingJob,
    kept: KeptPatches,
    bad_kept: KeptPatches,
    state: DetectorState,
    learn: Sequence[Sample],
    scores: Mapping[str, Floats],
) -> Examples:
    """Choose the patches to learn from.

    Args:
        job: the training.
        kept: patches of good pictures.
        bad_kept: those of known bad ones.
        state: the detector that scores the bad ones.
        learn: good pictures.
        scores: of their patches.
    """
    names = [sample.name for sample in learn]
    good_rows, bad_rows, unread = {}, {}, []
    given = scored_patches(kept, state, names, (scores[name] for name in names))
    for number, (name, one) in enumerate(given):
        seed = (job.settings.seed, number, 4)
        good_rows[name] = one.rows[good_candidates(one.scores.ravel(), one.inside(), seed)]
    samples = {sample.name: sample for sample in job.chosen.defective}
    bad_scores = dict(patch_scores(bad_kept, state, list(samples)))
    for name, one in scored_patches(bad_kept, state, list(samples), bad_scores.values()):
        covered = None
        try:
            covered = _covered(job, samples[name], one)
        except ImageError:
            unread.append(str(samples[name].mask))
        bad_rows[name] = one.rows[bad_candidates(one.scores.ravel(), one.inside(), covered)]
    return Examples(good_rows, bad_rows, {**scores, **bad_scores}, tuple(unread))


def _covered(job: TrainingJob, sample: Sample, one: ScoredPatches) -> Floats | None:
    """Compute what share of each patch the mask covers; None where there is no mask."""
    if sample.mask is None:
        return None
    return one.covered(read_marked(job.source.read_mask(sample.mask), job.source.image_limits))
