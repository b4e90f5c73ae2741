"""Castings without labels: how many of 6 bad ones among 112 lie within the top 7.

One draw takes 106 good and 6 bad pictures with `numpy.random.default_rng(seed)` from the sorted names. The public set
holds rotated copies of the same parts, so all figures, ours and others', are flattering; the order between them is what
counts.
"""

from __future__ import annotations

import numpy as np

from draws import BAD, GOOD, Draw
from flawline.data.source import open_source
from ranking_methods import arguments, report


def main() -> None:
    options = arguments(__doc__)
    with open_source(options.data) as source:
        samples = sorted(source.samples(), key=lambda sample: sample.name)
        good = [i for i, sample in enumerate(samples) if not sample.defective]
        bad = [i for i, sample in enumerate(samples) if sample.defective]
        draws = [draw(good, bad, seed) for seed in options.seeds]
        report(source, samples, draws, options)


def draw(good: list[int], bad: list[int], seed: int) -> Draw:
    """106 good, then 6 bad."""
    rng = np.random.default_rng(seed)
    chosen = [*rng.choice(good, GOOD, replace=False), *rng.choice(bad, BAD, replace=False)]
    return Draw(seed, np.array(chosen))


if __name__ == "__main__":
    main()
