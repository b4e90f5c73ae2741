"""The trials of a search: each candidate is tried once, within the bounds of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flawline.core.candidate_choice import choose_candidate
from flawline.core.view.framing import choose_framing
from flawline.detectors.registry import method_of
from flawline.errors import ImageError, UsageError
from flawline.jobs.train.kept_patches import KeptPatches
from flawline.jobs.train.setup.candidate import Candidate
from flawline.jobs.train.setup.effort import Search
from flawline.jobs.train.setup.judged_pictures import JudgedPictures
from flawline.jobs.train.setup.trial import Trial, score_in_folds, see
from flawline.jobs.train.setup.work import fitting_work, seeing_work
from flawline.jobs.train.training_job import TrainingJob
from flawline.jobs.train.view import smallest_px


@dataclass(eq=False)
class Trials:
    """A search under way: trials by candidate, the patches of views that may be needed again, and the work so far."""

    job: TrainingJob
    pictures: JudgedPictures
    search: Search
    overkill: float
    trials: dict[Candidate, Trial] = field(default_factory=dict)
    kept: dict[tuple[Any, ...], KeptPatches] = field(default_factory=dict)
    work: float = 0.0

    def choose(self, stage: str, candidates: Sequence[Candidate]) -> Candidate:
        """Try candidates and choose among those that could be tried; the first where none could."""
        for candidate in candidates:
            if candidate not in self.trials:
                self.trials[candidate] = self._tried(stage, candidate)
        done = [self.trials[one] for one in candidates if self.trials[one].scores is not None]
        if not done:
            return candidates[0]
        losses = [one.scores.losses(self.overkill) for one in done if one.scores is not None]
        best = choose_candidate(losses, [one.candidate.complexity for one in done])
        return done[best].candidate

    def leading(self, best: Candidate) -> list[Candidate]:
        """List the best candidate so far and the one with the least loss among the others."""
        others = [
            (float(trial.scores.losses(self.overkill).mean()), place, trial.candidate)
            for place, trial in enumerate(self.trials.values())
            if trial.scores is not None and trial.candidate != best
        ]
        return [best, *([min(others)[2]] if others else [])]

    def forget(self, *views: Candidate) -> None:
        """Let go of the patches of all views but these."""
        wanted = {_seen(view) for view in views}
        self.kept = {seen: kept for seen, kept in self.kept.items() if seen in wanted}

    def _tried(self, stage: str, candidate: Candidate) -> Trial:
        sizes = self.job.chosen.sizes
        good = [sizes[sample.name] for sample in self.pictures.good]
        all_sizes = [
            sizes[self.pictures.originals.get(sample.name, sample).name]
            for sample in (*self.pictures.good, *self.pictures.bad)
        ]
        settings = candidate.applied(self.job.settings)
        try:
            framing = choose_framing(good, settings.view.window, smallest_px(settings.view))
            work = fitting_work(method_of(candidate.method).averages, framing, good)
            if _seen(candidate) not in self.kept:
                work += seeing_work(candidate, framing, all_sizes)
            if self.work + work > self.search.bounds.work:
                return Trial(candidate, stage, None, f"beyond effort {self.search.effort}")
            self.work += work
            kept = self.kept.get(_seen(candidate)) or see(self.job, self.pictures, candidate)
            self.kept[_seen(candidate)] = kept
            seed = self.job.settings.seed
            return Trial(
                candidate, stage, score_in_folds(kept, self.pictures, candidate.method, seed=seed)
            )
        except (UsageError, ImageError) as error:
            return Trial(candidate, stage, None, error.message)


def _seen(candidate: Candidate) -> tuple[Any, ...]:
    """What decides how pictures are seen."""
    shrink = method_of(candidate.method).shrink
    return candidate.alignment, candidate.light, candidate.foreground, candidate.window, shrink
