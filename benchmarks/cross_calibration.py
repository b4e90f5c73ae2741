"""Whether thresholds from folds keep what they promise, beside thresholds from parts held out. Prints figures.

    python benchmarks/cross_calibration.py SOURCE [--parts 20 40 100] [--resplits 200] [--method gaussian|memory]

SOURCE has pictures of good parts, and of bad ones for the share that is missed; with --splits only those of the splits
named. Again and again so many good parts are drawn, and the rest are new parts on which thresholds are tried:

- folds: the detector learns from all drawn parts; each part is scored by a detector that learnt from the other folds;
- held out: it learns from 70 % of them, and the other 30 % are scored by it;
- folds, same promise: as folds, with the threshold of the share that those held out can promise;
- set aside, ignored or scored: as folds, where the search for bad pictures among the good sets pictures aside: parts
  with such pictures left out of calibration, or scored by the final detector as `train anomaly` does.

The threshold is the usual one of 5 % with 95 % confidence, or the tightest that so few parts can promise. What is to be
expected of an exact guarantee is known (see `overkill_guarantee.py`): the mean overkill, and the share of resplits in
which so few new parts exceed what was promised. To be quick, detectors see every --step'th cell of the patches of
`flawline-small` at 256 px, the Gaussian of each place in its first 32 directions, the memory with 600 patches.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import betabinom

from flawline.core.anomaly_score import EARLIER_CELLS, image_score
from flawline.core.metrics import Share
from flawline.core.threshold import (
    OverkillGuarantee,
    highest_by_part,
    overkill_threshold,
    pictures_needed,
    tightest_threshold,
)
from flawline.data.image import read_image
from flawline.data.source import open_source
from flawline.detectors.fitting import PatchNetwork
from flawline.detectors.gaussians import no_moments, place_gaussians, place_moments
from flawline.detectors.memory import distances, scale_of, thinned, usual_distances
from flawline.detectors.patch_features import fit_basis
from flawline.jobs.train.anomaly_settings import AnomalySettings
from flawline.jobs.train.backbone_file import load_backbone
from flawline.jobs.train.training_job import TrainingJob
from flawline.jobs.train.unusual_pictures import find_suspects
from flawline.jobs.train.view import ViewSettings, learn_view
from flawline.networks.threads import one_thread
from flawline.types import no_track

OVERKILL, CONFIDENCE, SIDE = 0.05, 0.95, 256
DIRECTIONS, MEMORY, HELD_OUT = 32, 600, 0.3

Floats = NDArray[np.float64]
Scorer = Callable[[Sequence[int]], Floats]


@dataclass(frozen=True)
class Pictures:
    """Patches (N, cells, C) of pictures on a grid, the part of each, and whether it is bad."""

    patches: NDArray[np.float32]
    grid: tuple[int, int]
    parts: NDArray[np.str_]
    bad: NDArray[np.bool_]

    def by_part(self, scores: Floats, places: Sequence[int]) -> Floats:
        """One score for each part of the pictures at these places."""
        return highest_by_part(scores, self.parts[list(places)].tolist())


@dataclass(frozen=True)
class Trial:
    """One resplit of one scheme: the promise, the overkill of new parts, what is missed, and p-values up to 5 %."""

    promise: OverkillGuarantee
    tested: int
    overkill: float
    missed: float
    small_p: float


def main() -> None:
    options = arguments()
    pictures = read(options)
    good = np.flatnonzero(~pictures.bad)
    names = np.unique(pictures.parts[good])
    print(
        f"{len(good)} good pictures of {len(names)} parts, {int(pictures.bad.sum())} bad pictures"
    )
    for count in options.parts:
        if count > 0.8 * len(names):
            continue
        trials: dict[str, list[Trial]] = defaultdict(list)
        for draw in range(options.resplits):
            rng = np.random.default_rng((options.seed, draw, count))
            for scheme, trial in resplit(pictures, rng, count, options).items():
                trials[scheme].append(trial)
        print(f"{count} parts:")
        for scheme, each in trials.items():
            show(scheme, each)


def show(scheme: str, trials: Sequence[Trial]) -> None:
    """Print one row."""
    broken = [t.overkill > t.promise.overkill + 1e-9 for t in trials]
    allowed = [np.floor(t.promise.overkill * t.tested * (1 + 1e-12)) for t in trials]
    above = [t.promise.n - t.promise.rank + 1 for t in trials]
    chance = [
        betabinom.sf(most, t.tested, a, t.promise.rank)
        for most, a, t in zip(allowed, above, trials, strict=True)
    ]
    exact = [a / (t.promise.n + 1) for a, t in zip(above, trials, strict=True)]
    low, high = Share(sum(broken), len(broken)).interval
    print(
        f"  {scheme:22} {len(trials):4} resplits  promised {np.mean([t.promise.overkill for t in trials]):6.1%}  "
        f"overkill {np.mean([t.overkill for t in trials]):6.2%} (exact {np.mean(exact):6.2%})  "
        f"broken {np.mean(broken):5.1%} ({low:.1%} to {high:.1%}; exact {np.mean(chance):.1%})  "
        f"p <= 0.05 {np.mean([t.small_p for t in trials]):.1%}  missed {np.mean([t.missed for t in trials]):.1%}",
        flush=True,
    )


def resplit(
    pictures: Pictures, rng: np.random.Generator, count: int, options: argparse.Namespace
) -> dict[str, Trial]:
    """Draw parts, learn and calibrate by each scheme, and try the thresholds on the others."""
    good, bad = np.flatnonzero(~pictures.bad), np.flatnonzero(pictures.bad)[:: options.every_bad]
    order = rng.permutation(np.unique(pictures.parts[good]))
    learn = [i for i in good if pictures.parts[i] in set(order[:count])]
    new = [i for i in good if pictures.parts[i] not in set(order[:count])]

    def tried(score: Scorer, held: Floats, aside: int = 0, share: float = OVERKILL) -> Trial:
        return trial(pictures, score, np.sort(held), aside, share, new, bad)

    fit = fitter(pictures, learn, options.method)
    final, held = fit(learn), folds(pictures, rng, learn, fit, options.folds)
    apart = set(order[: max(1, round(HELD_OUT * count))])
    rest = [i for i in learn if pictures.parts[i] not in apart]
    kept = [i for i in learn if pictures.parts[i] in apart]
    split = fit(rest)
    found = {
        "folds": tried(final, pictures.by_part(held, learn)),
        "held out": tried(split, pictures.by_part(split(kept), kept)),
    }
    same = found["held out"].promise.overkill
    found["folds, same promise"] = tried(final, pictures.by_part(held, learn), share=same)
    suspects = find_suspects({str(i): float(s) for i, s in zip(learn, final(learn), strict=True)})
    if options.method == "gaussian" and suspects:
        aside = [int(suspect.name) for suspect in suspects]
        left = [i for i in learn if i not in set(aside)]
        clean, crossed = fit(left), folds(pictures, rng, left, fit, options.folds)
        found["set aside, ignored"] = tried(clean, pictures.by_part(crossed, left))
        whole = pictures.by_part(np.concatenate([crossed, clean(aside)]), [*left, *aside])
        usual = [k for k, i in enumerate(left) if pictures.parts[i] not in pictures.parts[aside]]
        top = int((whole > crossed[usual].max()).sum())
        found["set aside, scored"] = tried(clean, whole, top)
    return found


def trial(
    pictures: Pictures,
    score: Scorer,
    held: Floats,
    aside: int,
    share: float,
    new: Sequence[int],
    bad: Sequence[int],
) -> Trial:
    """Set the threshold on rising scores, of which the `aside` highest count as rejected, and try it."""
    enough = len(held) >= pictures_needed(share, CONFIDENCE, above=aside)
    lower = held[: len(held) - aside]
    promise = (
        overkill_threshold(lower, share, CONFIDENCE, above=aside)
        if enough
        else tightest_threshold(lower, CONFIDENCE, above=aside)
    )
    tested = pictures.by_part(score(new), new)
    missed = pictures.by_part(score(bad), bad) <= promise.threshold if len(bad) else np.zeros(0)
    p_values = (1 + len(held) - np.searchsorted(held, tested, side="left")) / (len(held) + 1)
    return Trial(
        promise,
        len(tested),
        float((tested > promise.threshold).mean()),
        float(missed.mean()) if len(missed) else np.nan,
        float((p_values <= 0.05 + 1e-9).mean()),
    )


def folds(
    pictures: Pictures,
    rng: np.random.Generator,
    learn: Sequence[int],
    fit: Callable[[Sequence[int]], Scorer],
    count: int,
) -> Floats:
    """Score each picture by a detector that learnt from the other folds of parts."""
    own = pictures.parts[list(learn)]
    fold = {part: place % count for place, part in enumerate(rng.permutation(np.unique(own)))}
    number = np.array([fold[part] for part in own])
    scores = np.zeros(len(learn))
    for k in np.unique(number):
        others = [i for i, n in zip(learn, number, strict=True) if n != k]
        scores[number == k] = fit(others)([i for i, n in zip(learn, number, strict=True) if n == k])
    return scores


def fitter(
    pictures: Pictures, learn: Sequence[int], method: str
) -> Callable[[Sequence[int]], Scorer]:
    """Return a function that fits a detector to pictures, in the basis of those that may be learnt from."""
    basis, _ = fit_basis((pictures.patches[i] for i in learn), 0)
    rows: dict[int, NDArray[np.float32]] = {}

    def projected(place: int) -> NDArray[np.float32]:
        if place not in rows:
            found = basis.project(pictures.patches[place])
            rows[place] = (
                found[:, :DIRECTIONS] if method == "gaussian" else found * scale_of(basis.variances)
            )
        return rows[place]

    def scorer(cells: Callable[[NDArray[np.float32]], Floats]) -> Scorer:
        known: dict[int, float] = {}

        def score(places: Sequence[int]) -> Floats:
            for place in places:
                if place not in known:
                    values = np.asarray(cells(projected(place)), np.float32)
                    known[place] = image_score(values[None], None, EARLIER_CELLS)
            return np.array([known[place] for place in places])

        return score

    def gaussian(places: Sequence[int]) -> Scorer:
        nothing = no_moments(pictures.patches.shape[1], DIRECTIONS)
        found = place_gaussians(place_moments((projected(i)[:, None] for i in places), nothing))

        def energies(patches: NDArray[np.float32]) -> Floats:
            away = (found.factors @ (patches - found.means)[:, :, None])[:, :, 0]
            return np.asarray((away**2).sum(axis=1) + found.constants, np.float64)

        return scorer(energies)

    def memory(places: Sequence[int]) -> Scorer:
        kept = thinned(np.concatenate([projected(i) for i in places]), MEMORY)
        own = np.stack([distances(projected(i), kept) for i in places])
        moments = np.stack([own.mean(axis=0), (own**2).mean(axis=0)])
        mean, deviation = usual_distances(moments, len(places), pictures.grid)
        return scorer(lambda patches: (distances(patches, kept) - mean) / deviation)

    return gaussian if method == "gaussian" else memory


def read(options: argparse.Namespace) -> Pictures:
    """Read the patches of all pictures, thinned to every so many cells."""
    with open_source(options.source) as source, one_thread():
        samples = sorted(source.samples(), key=lambda sample: sample.name)
        if options.splits:
            samples = [sample for sample in samples if sample.split in options.splits]
        backbone = load_backbone("flawline-small", preparation=None, weights=None)
        view = ViewSettings(window=(SIDE, SIDE), alignment=options.align)
        settings = AnomalySettings(view=view)
        job = TrainingJob(source, settings, backbone, None, no_track)  # type: ignore[arg-type]
        good = [sample for sample in samples if not sample.defective]
        sizes = {
            sample.name: read_image(source.read(sample.name)).pixels.shape[:2] for sample in samples
        }
        job = replace(job, view=learn_view(job.read, good, sizes, view))
        assert job.view is not None
        network = PatchNetwork("patch-gaussian", backbone.model, window=(SIDE, SIDE))
        step, found = options.step, []
        for _, look in job.read(samples, job.view.view.look):
            (window,) = look.windows()
            cells = network(window.pixels).reshape(*network.grid, -1)[::step, ::step]
            found.append(cells.reshape(-1, cells.shape[-1]))
    grid = (-(-network.grid[0] // step), -(-network.grid[1] // step))
    parts = np.array([sample.group or sample.name for sample in samples])
    bad = np.array([bool(sample.defective) for sample in samples])
    return Pictures(np.stack(found), grid, parts, bad)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", help="pictures of good and bad parts")
    parser.add_argument("--splits", nargs="*", default=[], help="use only these")
    parser.add_argument("--parts", type=int, nargs="+", default=[20, 40, 100])
    parser.add_argument("--resplits", type=int, default=200)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--method", choices=("gaussian", "memory"), default="gaussian")
    parser.add_argument("--align", default="none")
    parser.add_argument("--step", type=int, default=2, help="see every so many cells")
    parser.add_argument("--every-bad", type=int, default=1, help="try every so many bad pictures")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
