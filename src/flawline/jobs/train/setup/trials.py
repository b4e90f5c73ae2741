"""The trials of a search: each candidate is tried once, within the bounds of work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.candidate_choice import choose_candidate
from flawline.core.view.framing import choose_framing
from flawline.detectors.registry import method_of
from flawline.errors import ImageError, UsageError
from flawline.jobs.train.setup.candidate import Candidate
from flawline.jobs.train.setup.effort import Search
from flawline.jobs.train.setup.judged_pictures import JudgedPictures
from flawline.jobs.train.setup.trial import Seen, Trial, score_in_folds, see
from flawline.jobs.train.setup.trial_views import TrialViews
from flawline.jobs.train.setup.work import fitting_work, seeing_work
from flawline.jobs.train.view import smallest_px


@dataclass(eq=False)
class Trials:
    """A search under way: trials by candidate, the patches of views that may be needed again, and the work so far."""

    views: TrialViews
    pictures: JudgedPictures
    search: Search
    overkill: float
    trials: dict[Candidate, Trial] = field(default_factory=dict)
    kept: dict[tuple[Any, ...], Seen] = field(default_factory=dict)
    work: float = 0.0

    def choose(self, stage: str, candidates: Sequence[Candidate]) -> Candidate:
        """Try candidates and choose among those that could be tried; the first where none could."""
        for candidate in candidates:
            if candidate not in self.trials:
                self.trials[candidate] = self._tried(stage, candidate)
        return self._chosen(candidates)

    def contenders(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """List the one that would be chosen and the one that lost least; all where none was tried."""
        means = [(self.least([one]), one.complexity, place) for place, one in enumerate(candidates)]
        best = min(means)
        if math.isinf(best[0]):
            return list(candidates)
        return list(dict.fromkeys((self._chosen(candidates), candidates[best[2]])))

    def least(self, candidates: Sequence[Candidate]) -> float:
        """Give the least mean loss of candidates; infinite where none could be tried."""
        found = [self._losses(one) for one in candidates]
        return min((float(own.mean()) for own in found if own is not None), default=math.inf)

    def _chosen(self, candidates: Sequence[Candidate]) -> Candidate:
        found = [(one, self._losses(one)) for one in candidates]
        done = [(one, losses) for one, losses in found if losses is not None]
        if not done:
            return candidates[0]
        best = choose_candidate([own for _, own in done], [one.complexity for one, _ in done])
        return done[best][0]

    def _losses(self, candidate: Candidate) -> NDArray[np.float64] | None:
        """Give the losses of a candidate; None where it was not tried or could not be."""
        trial = self.trials.get(candidate)
        return None if trial is None or trial.scores is None else trial.scores.losses(self.overkill)

    def forget(self, *views: Candidate) -> None:
        """Let go of the patches of all views but these."""
        wanted = {_seen(view) for view in views}
        self.kept = {seen: kept for seen, kept in self.kept.items() if seen in wanted}

    def _tried(self, stage: str, candidate: Candidate) -> Trial:
        job = self.views.job
        sizes = job.chosen.sizes
        good = [sizes[sample.name] for sample in self.pictures.good]
        all_sizes = [
            sizes[self.pictures.originals.get(sample.name, sample).name]
            for sample in (*self.pictures.good, *self.pictures.bad)
        ]
        settings = candidate.applied(job.settings)
        try:
            framing = choose_framing(good, settings.view.window, smallest_px(settings.view))
            work = fitting_work(method_of(candidate.method).averages, framing, good)
            if _seen(candidate) not in self.kept:
                aligned = self.views.aligned_before(candidate)
                work += seeing_work(candidate, framing, all_sizes, aligned=aligned)
            if self.work + work > self.search.bounds.work:
                return Trial(candidate, stage, None, f"beyond effort {self.search.effort}")
            self.work += work
            seen = self.kept.get(_seen(candidate)) or see(self.views, self.pictures, candidate)
            self.kept[_seen(candidate)] = seen
            seed = job.settings.seed
            scores = score_in_folds(seen, self.pictures, candidate.method, seed=seed)
            return Trial(candidate, stage, scores)
        except (UsageError, ImageError) as error:
            return Trial(candidate, stage, None, error.message)


def _seen(candidate: Candidate) -> tuple[Any, ...]:
    """What decides how pictures are seen."""
    shrink = method_of(candidate.method).shrink
    return candidate.alignment, candidate.light, candidate.foreground, candidate.window, shrink
