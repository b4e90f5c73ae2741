"""Measure the time that a recipe takes for a picture."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flawline.data.image import read_image
from flawline.data.source import Source
from flawline.data.splits import part_of
from flawline.data.stream import map_pictures
from flawline.errors import FlawlineError, SourceError
from flawline.jobs.evaluate.evaluation import JudgedPicture
from flawline.types import Sample

if TYPE_CHECKING:
    from flawline.inspector import Inspector

TIMED = 4.0
"""Seconds of the measurement of a rate."""


def streamed_rate(source: Source, samples: Sequence[Sample], inspector: Inspector) -> float:
    """Measure how many pictures are decoded and inspected in a second on all cores while nothing else runs.

    Uses as many of `samples` as some seconds suffice for, and one at least.
    """
    began = time.perf_counter()
    results = map_pictures(source, samples, inspector.inspect, value_range=inspector.value_range)
    done = 0
    for _ in results:
        done += 1
        if time.perf_counter() - began > TIMED:
            break
    return done / (time.perf_counter() - began)


@dataclass(frozen=True, slots=True)
class Timed:
    """Times of a picture of a part with each of several recipes, milliseconds without decoding."""

    part: str
    milliseconds: tuple[float, ...]


def timed_in_turn(
    source: Source, samples: Sequence[Sample], inspectors: Sequence[Inspector], *, seed: int = 0
) -> list[Timed]:
    """Time several recipes on the same pictures, in turn on each picture.

    A machine that becomes busy or hot meanwhile does so for all. Pictures are drawn in an order by `seed`, as many as
    some seconds for each recipe suffice for and one at least; those that a recipe cannot judge are left out.

    Raises:
        SourceError: none of the pictures can be judged any more.
    """
    timed: list[Timed] = []
    began = time.perf_counter()
    for turn, place in enumerate(np.random.default_rng(seed).permutation(len(samples)).tolist()):
        sample, times = samples[place], [0.0] * len(inspectors)
        try:
            # The first one may meet cold caches.
            for k in np.roll(np.arange(len(inspectors)), turn).tolist():
                times[k] = _milliseconds(source, sample, inspectors[k])
        except FlawlineError:
            continue
        timed.append(Timed(part_of(sample), tuple(times)))
        if time.perf_counter() - began > TIMED * len(inspectors):
            break
    if not timed:
        raise SourceError(
            "none of the pictures that were judged could be read again",
            hint="do not change the source meanwhile",
        )
    return timed


def _milliseconds(source: Source, sample: Sample, inspector: Inspector) -> float:
    data = source.read(sample.name)
    picture = read_image(data, value_range=inspector.value_range, limits=source.image_limits)
    began = time.perf_counter()
    inspector.inspect(picture)
    return 1000 * (time.perf_counter() - began)


def median_milliseconds(pictures: Sequence[JudgedPicture]) -> dict[str, float]:
    """Compute the median time of each stage, and of all stages together as "total"."""
    stages = list(dict.fromkeys(stage for picture in pictures for stage in picture.timings))
    times = {
        stage: float(np.median([p.timings[stage] for p in pictures if stage in p.timings]))
        for stage in stages
    }
    if not times:
        return {}
    total = float(np.median([sum(p.timings.values()) for p in pictures if p.timings]))
    return {**times, "total": total}
