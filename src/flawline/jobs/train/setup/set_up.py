"""Choose the set-up of a detector, stage by stage: the view, then the method, then the resolution."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.thinning import thinned
from flawline.core.view.alignment import METHODS as ALIGNMENTS
from flawline.core.view.foreground import fit_foreground
from flawline.core.view.framing import STEP
from flawline.core.view.illumination import METHODS as LIGHTS
from flawline.core.view.region_of_interest import pixels_inside
from flawline.core.words import counted
from flawline.detectors.registry import METHODS, method_of
from flawline.jobs.train.calibration_targets import OVERKILL
from flawline.jobs.train.setup.candidate import Candidate
from flawline.jobs.train.setup.chosen_set_up import SetUp
from flawline.jobs.train.setup.drawn_bad import DefectDrawing
from flawline.jobs.train.setup.effort import Search
from flawline.jobs.train.setup.judged_pictures import choose_judged
from flawline.jobs.train.setup.trial_views import TrialViews
from flawline.jobs.train.setup.trials import Trials
from flawline.jobs.train.training_job import TrainingJob
from flawline.jobs.train.view import region_of, smallest_px

FEWEST, FEWEST_PARTS = 20, 6
"""With fewer good pictures or parts to learn from, trials tell nothing, and the usual set-up stays."""
_LOOKED = 60
_LARGER = 1.1
"""A window this many times as long along a side is another resolution."""


def set_up(job: TrainingJob, search: Search) -> SetUp:
    """Choose the settings that are free by trials on the good pictures to learn from; the others stay as they are.

    Pictures held out for calibration take no part. The same pictures, settings and seed give the same choice on every
    machine: the search is bounded by work that is counted, not by time.

    Raises:
        SourceError: a picture can no longer be read.
    """
    start = Candidate.of(job.settings)
    parts = len({job.chosen.parts[sample.name] for sample in job.chosen.learn})
    stages = [stage for stage in search.bounds.stages if stage in search.free]
    if not stages:
        return SetUp(search, start)
    if len(job.chosen.learn) < FEWEST or parts < FEWEST_PARTS:
        reason = (
            f"with {counted(len(job.chosen.learn), 'good picture')} of {counted(parts, 'part')} trials tell nothing: "
            f"that takes {FEWEST} of {FEWEST_PARTS}"
        )
        return SetUp(search, start, reason=reason)
    overkill = job.settings.thresholds.overkill or OVERKILL
    bounds = search.bounds
    pictures = choose_judged(job, _drawing(job), most_good=bounds.good, most_bad=bounds.bad)
    state = Trials(TrialViews(job, pictures.good), pictures, search, overkill)
    best = start
    for stage in stages:
        best = _STAGES[stage](state, best, start)
    done = state.trials.get(best)
    if done is None or done.scores is None:
        problem = next(iter(state.trials.values())).problem
        return SetUp(search, start, reason=f"no candidate could be tried: {problem}")
    good = len(set(pictures.good_units.values()))
    parts = len({pictures.parts[sample.name] for sample in pictures.good})
    drawn = sum(sample.name in pictures.originals for sample in pictures.judged_bad)
    return SetUp(
        search,
        best,
        tuple(state.trials.values()),
        pictures.known,
        drawn,
        good,
        overkill,
        by_picture=good > parts,
    )


def _alignment(state: Trials, best: Candidate, start: Candidate) -> Candidate:
    found = state.choose(
        "alignment", [replace(best, alignment=one) for one in ("none", *ALIGNMENTS)]
    )
    state.forget(found, start)
    return found


def _light(state: Trials, best: Candidate, start: Candidate) -> Candidate:
    found = state.choose("light", [replace(best, light=one) for one in LIGHTS])
    state.forget(found, start)
    return found


def _foreground(state: Trials, best: Candidate, start: Candidate) -> Candidate:
    found = state.choose("foreground", [replace(best, foreground=one) for one in (False, True)])
    state.forget(found, start)
    return found


def _method(state: Trials, best: Candidate, start: Candidate) -> Candidate:
    """Try all methods on the best view, and a memory on the plain one too: it may need no alignment."""
    tried = [replace(best, method=one) for one in _methods(best)]
    return state.choose("method", [*tried, replace(start, method="patch-memory")])


def _window(state: Trials, best: Candidate, start: Candidate) -> Candidate:
    """Try larger windows, up to the pictures' own size, while that gains.

    Of the methods two at most go on to the next window: the one that would be chosen, and the one that lost least.
    """
    methods = _methods(best) if "method" in state.search.free else [best.method]
    candidates, row = [best], [replace(best, method=method) for method in methods]
    least = state.least([best])
    for window in _windows(state.views.job, state.search, best):
        state.forget()
        row = [replace(one, window=window) for one in state.contenders(row)]
        candidates += row
        state.choose("window", candidates)
        before, least = least, state.least(row)
        if least >= before:
            break
    return state.choose("window", candidates)


_STAGES = {
    "alignment": _alignment,
    "light": _light,
    "foreground": _foreground,
    "method": _method,
    "window": _window,
}


def _methods(candidate: Candidate) -> list[str]:
    """List the methods that see windows as the candidate's does."""
    shrink = method_of(candidate.method).shrink
    return [name for name in METHODS if method_of(name).shrink == shrink]


def _windows(job: TrainingJob, search: Search, best: Candidate) -> Iterator[tuple[int, int]]:
    """Sides of windows above the candidate's, up to the largest picture's own resolution."""
    sizes = job.chosen.sizes
    own = math.sqrt(max(sizes[s.name][0] * sizes[s.name][1] for s in job.chosen.learn))
    side = math.sqrt(best.window[0] * best.window[1])
    largest = STEP * round(min(own, max(search.bounds.windows)) / STEP)
    for length in sorted({*(s for s in search.bounds.windows if s * _LARGER < largest), largest}):
        if length > side * _LARGER:
            yield length, length


def _drawing(job: TrainingJob) -> DefectDrawing:
    """Draw defects where to look, on the part where it stands clear of the ground."""
    some, settings = thinned(job.chosen.learn, _LOOKED), job.settings.view
    size = Counter(job.chosen.sizes[sample.name] for sample in some).most_common(1)[0][0]
    region = region_of(settings, size)
    foreground = fit_foreground(
        pixels for _, pixels in job.read(some, lambda picture: picture.pixels)
    )

    def inside(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        part = foreground.inside(pixels)
        if region is None:
            return part
        return np.asarray(part & pixels_inside(region, (pixels.shape[0], pixels.shape[1])))

    return DefectDrawing(inside, smallest_px(settings), job.settings.seed)
