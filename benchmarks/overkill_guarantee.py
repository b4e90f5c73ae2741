"""Whether the overkill that a threshold promises is kept. Prints figures; keeps nothing.

    python benchmarks/overkill_guarantee.py SCORES [--overkill 0.05] [--confidence 0.9 0.95] [--resplits 200]
    python benchmarks/overkill_guarantee.py --simulate [--parts 400] [--pictures 1] [--correlation 0.5]

SCORES holds scores of good pictures that nothing was learnt from: a CSV or NPZ with columns image, group, score; an
empty or missing group makes the picture a part of its own. Again and again the parts are split into two halves, one
to calibrate and one to test, and the share of resplits is printed in which more of the test half than asked lies above
the threshold.

The promise is about all good parts, and a test half is a small sample of them: even a threshold that keeps its promise
flags too many of such a sample now and then. What is to be expected is exact. Above place r of n scores lies a
Beta(n - r + 1, r) share of all parts, so of m more parts a beta-binomial number (E. J. Gumbel and H. von
Schelling, "The distribution of the number of exceedances", Annals of Mathematical Statistics 21, 1950, pp. 247-262).
Resplits of one set follow it whatever the distribution of the scores as long as no two are equal, so in the rows "by
part", one score per part, a departure is a mistake in the code. The rows "by picture" count every picture as
independent, which those of one part are not: the excess there is what that mistake would cost.

With --simulate the scores are normal, new ones in each resplit, pictures of one part correlated, and the true overkill
is known: the share of resplits that break the promise stands beside the share allowed.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, betabinom, norm

from flawline.core.threshold import (
    OverkillGuarantee,
    highest_by_part,
    overkill_share,
    overkill_threshold,
)
from flawline.errors import UsageError

Scores = NDArray[np.float64]
Halves = tuple[list[Scores], list[Scores]]


@dataclass(frozen=True)
class Resplit:
    """One resplit: the threshold, the overkill of the test half, and the chance that it exceeds what was asked."""

    promise: OverkillGuarantee
    tested: int
    overkill: float
    expected: float


def main() -> None:
    options = arguments()
    if options.simulate:
        simulate(options)
        return
    parts = by_part(read(options.scores))
    print(f"{options.scores.name}: {sum(map(len, parts))} good pictures of {len(parts)} parts")
    for confidence in options.confidence:
        for name, scores_of in ways(max(map(len, parts))):
            rng = np.random.default_rng(options.seed)
            halves = (halved(rng, parts) for _ in range(options.resplits))
            show(name, confidence, options.overkill, halves, scores_of)


def simulate(options: argparse.Namespace) -> None:
    """Fresh normal scores in each resplit, of which the true overkill is known."""
    print(
        f"normal scores, {options.parts} parts of {options.pictures} pictures in each half, "
        f"correlation {options.correlation}"
    )
    for confidence in options.confidence:
        for name, scores_of in ways(options.pictures):
            rng = np.random.default_rng(options.seed)
            halves = (
                (drawn_parts(rng, options), drawn_parts(rng, options))
                for _ in range(options.resplits)
            )
            promises = show(name, confidence, options.overkill, halves, scores_of)
            if promises:
                pictures = options.pictures if name == "by part" else 1
                show_truth(promises, pictures, options.correlation)


def show_truth(promises: Sequence[OverkillGuarantee], pictures: int, correlation: float) -> None:
    """How often the true overkill is above what was promised."""
    one = promises[0]
    true = [true_overkill(promise.threshold, pictures, correlation) for promise in promises]
    broken = np.array(true) > one.overkill
    exact = beta.sf(one.overkill, one.n - one.rank + 1, one.rank)
    print(
        f"{'':10}  true overkill above {one.overkill:.1%} in {percent(broken.mean(), error(broken))} of resplits, "
        f"allowed {1 - one.confidence:.1%}, expected {exact:.1%} from place {one.rank} of {one.n}"
    )


def true_overkill(threshold: float, pictures: int, correlation: float) -> float:
    """The chance that the highest of so many equally correlated standard normal scores is above a threshold."""
    shared, weights = np.polynomial.hermite_e.hermegauss(100)
    below = norm.cdf((threshold - np.sqrt(correlation) * shared) / np.sqrt(1 - correlation))
    return float(1 - weights @ below**pictures / weights.sum())


def by_picture(parts: Sequence[Scores]) -> Scores:
    """Every score, as if pictures of one part were independent."""
    return np.concatenate(parts)


def by_highest(parts: Sequence[Scores]) -> Scores:
    """One score per part."""
    names = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return highest_by_part(np.concatenate(parts), names.tolist())


def ways(pictures: int) -> list[tuple[str, Callable[[Sequence[Scores]], Scores]]]:
    """What counts as one score; the same where parts have one picture."""
    return [("by part", by_highest), ("by picture", by_picture)][: 2 if pictures > 1 else 1]


def show(
    name: str,
    confidence: float,
    overkill: float,
    halves: Iterable[Halves],
    scores_of: Callable[[Sequence[Scores]], Scores],
) -> list[OverkillGuarantee]:
    """Print one row: how often the test half exceeds the overkill asked, beside what theory expects.

    Returns the promise of each resplit, none where there are too few scores for one.
    """
    try:
        done = [
            resplit(scores_of(cal), scores_of(test), overkill, confidence) for cal, test in halves
        ]
    except UsageError as refused:
        print(f"{name:10}  {confidence:.0%}  not possible: {refused.message}")
        return []
    exceeded = np.array([one.overkill > overkill for one in done])
    expected = np.array([one.expected for one in done])
    spread = float(np.sqrt((expected * (1 - expected)).sum()) / len(done))
    away = (exceeded.mean() - expected.mean()) / spread if spread else 0.0
    sizes = f"{np.mean([one.promise.n for one in done]):.0f}/{np.mean([one.tested for one in done]):.0f}"
    print(
        f"{name:10}  {confidence:.0%}  n {sizes}  mean overkill {np.mean([one.overkill for one in done]):.2%}  "
        f"above {overkill:.1%} in {percent(exceeded.mean(), error(exceeded))} of {len(done)} resplits, "
        f"expected {percent(expected.mean(), spread)}: {away:+.1f} standard errors"
    )
    return [one.promise for one in done]


def resplit(calibration: Scores, test: Scores, overkill: float, confidence: float) -> Resplit:
    """Calibrate on one half, test on the other."""
    promise = overkill_threshold(calibration, overkill, confidence)
    allowed = np.floor(overkill * len(test) * (1 + 1e-12))
    above = betabinom.sf(allowed, len(test), promise.n - promise.rank + 1, promise.rank)
    seen = overkill_share(test, promise.threshold)
    return Resplit(promise, len(test), seen.value, float(above))


def halved(rng: np.random.Generator, parts: Sequence[Scores]) -> Halves:
    """Parts in two halves, at random."""
    order = rng.permutation(len(parts)).tolist()
    half = len(parts) // 2
    return [parts[k] for k in order[:half]], [parts[k] for k in order[half:]]


def drawn_parts(rng: np.random.Generator, options: argparse.Namespace) -> list[Scores]:
    """Standard normal scores of parts whose pictures share a part of their variance."""
    shared = rng.normal(size=(options.parts, 1)) * np.sqrt(options.correlation)
    own = rng.normal(size=(options.parts, options.pictures)) * np.sqrt(1 - options.correlation)
    return list(shared + own)


def read(path: Path) -> list[tuple[str, str, float]]:
    """Rows of (image, group, score)."""
    if path.suffix.lower() == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            count = len(arrays["score"])
            groups = arrays["group"] if "group" in arrays else [""] * count
            columns = (map(str, arrays["image"]), map(str, groups), map(float, arrays["score"]))
            return list(zip(*columns, strict=True))
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if missing := {"image", "score"} - set(rows.fieldnames or ()):
            sys.exit(f"expected columns image, group, score in {path.name}, missing {missing}")
        return [(row["image"], row.get("group") or "", float(row["score"])) for row in rows]


def by_part(rows: Iterable[tuple[str, str, float]]) -> list[Scores]:
    """Scores of each part, in order of first appearance."""
    parts: dict[tuple[str, str], list[float]] = {}
    for image, group, score in rows:
        parts.setdefault((group, "") if group else ("", image), []).append(score)
    return [np.array(scores) for scores in parts.values()]


def error(outcomes: NDArray[np.bool_]) -> float:
    """Standard error of a share."""
    return float(outcomes.std() / np.sqrt(len(outcomes)))


def percent(share: float, spread: float) -> str:
    return f"{share:.1%} +- {spread:.1%}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scores", nargs="?", type=Path, help="CSV or NPZ: image, group, score")
    parser.add_argument("--simulate", action="store_true", help="normal scores instead of a file")
    parser.add_argument("--overkill", type=float, default=0.05)
    parser.add_argument("--confidence", type=float, nargs="+", default=[0.9, 0.95])
    parser.add_argument("--resplits", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", type=int, default=400, help="simulated parts in each half")
    parser.add_argument("--pictures", type=int, default=1, help="simulated pictures of each part")
    parser.add_argument("--correlation", type=float, default=0.5, help="between them")
    options = parser.parse_args()
    if options.simulate == (options.scores is not None) or not 0 <= options.correlation < 1:
        sys.exit("expected a file of scores or --simulate, and a correlation from 0 to below 1")
    return options


if __name__ == "__main__":
    main()
