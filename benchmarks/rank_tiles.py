"""Magnetic tiles without labels: how many of 6 with a defect among 112 lie within the top 7.

One draw takes, with `numpy.random.default_rng(seed)`, 6 groups that hold a defect and one such picture of each, then
106 of the other groups that hold a free tile and one free picture of each: at most one picture per group, any defect.
"""

from __future__ import annotations

import numpy as np

from draws import BAD, GOOD, Draw
from flawline.data.source import open_source
from flawline.types import Sample
from ranking_methods import arguments, report


def main() -> None:
    options = arguments(__doc__)
    with open_source(options.data, good=["free"]) as source:
        samples = sorted(source.samples(), key=lambda sample: sample.name)
        free, defective = by_group(samples, bad=False), by_group(samples, bad=True)
        draws = [draw(free, defective, seed) for seed in options.seeds]
        report(source, samples, draws, options)


def by_group(samples: list[Sample], *, bad: bool) -> dict[str, list[int]]:
    """Pictures by group, good or bad ones only."""
    groups: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        if sample.defective is bad:
            groups.setdefault(str(sample.group), []).append(index)
    return dict(sorted(groups.items()))


def draw(free: dict[str, list[int]], defective: dict[str, list[int]], seed: int) -> Draw:
    """106 free tiles, then 6 with a defect, no two of one group."""
    rng = np.random.default_rng(seed)
    bad = list(rng.choice(list(defective), BAD, replace=False))
    good = list(rng.choice([group for group in free if group not in bad], GOOD, replace=False))
    rows = [rng.choice(free[group]) for group in good] + [
        rng.choice(defective[group]) for group in bad
    ]
    return Draw(seed, np.array(rows))


if __name__ == "__main__":
    main()
