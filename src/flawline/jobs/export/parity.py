"""Compare an exported model with the inspector of the recipe, picture by picture."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from flawline.core.anomaly_score import image_score
from flawline.core.threshold import verdict
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.detectors.detector import score_cells
from flawline.errors import FlawlineError, SourceError
from flawline.inspector import Inspector
from flawline.inspector.parts import view_of
from flawline.jobs.export.exported import Checked, Parity, Tolerance
from flawline.jobs.export.pictures import COUNT, drawn_pictures
from flawline.recipe import Recipe, thresholds_of
from flawline.types import Picture, Sample, Track, Unjudged, no_track

SHARE = 1e-3
MOST = 64
T = TypeVar("T")

Scored = tuple[float, NDArray[np.float32]]
Scorer = Callable[[Picture], Scored]
"""A picture to its raw score and its map, float32 (h, w), of the whole picture."""


def scorer_of(
    recipe: Recipe, detector: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
) -> Scorer:
    """Return a scorer like the inspector with another detector: windows uint8 to raw scores of their cells."""

    view, cells = view_of(recipe), score_cells(recipe.manifest.detector)

    def scored(picture: Picture) -> Scored:
        look = view.look(picture)
        maps = {place: detector(window.pixels) for place, window in enumerate(look.windows())}
        whole = look.join(maps)
        return image_score(whole, look.inside, cells), look.in_picture(whole)

    return scored


def inspector_scorer(inspector: Inspector) -> Scorer:
    """Return a scorer of the score and the map of an inspector."""

    def scored(picture: Picture) -> Scored:
        found = inspector.find(picture)
        return found.score, found.map

    return scored


def check(
    inspector: Inspector,
    exported: Scorer,
    coarser: Mapping[str, Scorer],
    source: Source | None = None,
    *,
    track: Track = no_track,
) -> Checked:
    """Compare scorers on up to `MOST` pictures of a source, evenly spread over it, or on drawn pictures.

    Args:
        inspector: in float32, of a recipe with thresholds.
        exported: the scorer to compare with it.
        coarser: by name, further scorers to compare, for information.
        source: an open source of pictures; drawn ones are taken without it.
        track: shows the progress.

    Raises:
        SourceError: no picture could be compared.
        ModelError: ("recipe-uncalibrated") the recipe has no thresholds.
    """
    thresholds_of(inspector.recipe)
    scorers = {"": exported, **coarser}

    def compare(picture: Picture) -> dict[str, _Pair]:
        own = inspector_scorer(inspector)(picture)
        return {name: _pair(own, scorer(picture)) for name, scorer in scorers.items()}

    pictures, total = compared(inspector, compare, source)
    results, unjudged = separated(track(pictures, title="comparing", total=total))
    check_any(results, unjudged, total)
    tolerance = _tolerance(inspector, [pairs[""] for pairs in results.values()])
    review, reject = thresholds_of(inspector.recipe)
    parities = {
        name: _parity({p: pairs[name] for p, pairs in results.items()}, tolerance, review, reject)
        for name in scorers
    }
    verdicts = Counter(verdict(pairs[""].own, review, reject) for pairs in results.values())
    return Checked(
        tolerance,
        parities.pop(""),
        parities,
        f"{len(results)} {'drawn pictures' if source is None else 'pictures of the source given'}",
        {name: verdicts[name] for name in ("accept", "review", "reject")},
        () if source is None else (*unjudged, *source.unlisted()),
    )


def compared(
    inspector: Inspector, compare: Callable[[Picture], T], source: Source | None
) -> tuple[Iterator[tuple[str, T | Unjudged]], int]:
    """Apply `compare` to up to `MOST` pictures of a source, else to drawn ones; returns results and their number."""
    if source is None:
        return _drawn(inspector, compare), COUNT
    samples = _spread(list(source.samples()))
    results = map_pictures(source, samples, compare, value_range=inspector.value_range)
    return ((sample.name, result) for sample, result in results), len(samples)


def check_any(results: Mapping[str, object], unjudged: Sequence[Unjudged], total: int) -> None:
    """Raise SourceError where no picture could be compared."""
    if not results:
        why = f", the first because {unjudged[0].reason}" if unjudged else ""
        raise SourceError(
            f"none of {total} pictures could be compared{why}",
            hint="give pictures of the part with `check=SOURCE`",
        )


@dataclass(frozen=True, slots=True)
class _Pair:
    """Scores of one picture, the differences of its maps, and the deviation of the map of the inspector."""

    own: float
    other: float
    largest: float
    mean: float
    deviation: float


def _pair(own: Scored, other: Scored) -> _Pair:
    difference = np.abs(own[1].astype(np.float64) - other[1])
    # A value that is not finite counts as an infinite difference, never as none.
    finite = bool(np.isfinite(difference).all()) and math.isfinite(other[0])
    return _Pair(
        own[0],
        other[0],
        float(difference.max()) if finite else math.inf,
        float(difference.mean()) if finite else math.inf,
        float(own[1].std(dtype=np.float64)),
    )


def _spread(samples: Sequence[Sample]) -> list[Sample]:
    count = min(MOST, len(samples))
    return [samples[place * len(samples) // count] for place in range(count)]


def _drawn(
    inspector: Inspector, compare: Callable[[Picture], T]
) -> Iterator[tuple[str, T | Unjudged]]:
    for name, picture in drawn_pictures(inspector.recipe.manifest.picture_size):
        try:
            yield name, compare(picture)
        except FlawlineError as error:
            yield name, Unjudged(name, error.code, error.message)


def separated(pictures: Iterable[tuple[str, T | Unjudged]]) -> tuple[dict[str, T], list[Unjudged]]:
    """Separate results by name from pictures that could not be judged."""
    results: dict[str, T] = {}
    unjudged: list[Unjudged] = []
    for name, result in pictures:
        if isinstance(result, Unjudged):
            unjudged.append(result)
        else:
            results[name] = result
    return results, unjudged


def _tolerance(inspector: Inspector, pairs: Sequence[_Pair]) -> Tolerance:
    """Derive the tolerance from the calibration scores, so that a threshold raised by hand does not widen it."""
    calibration = inspector.calibration
    if calibration is not None and len(calibration.scores):
        _, reject = thresholds_of(inspector.recipe)
        usual = float(np.median(calibration.scores))
        spread = min(reject, float(calibration.scores.max())) - usual
        if spread > 0:
            return Tolerance(
                SHARE,
                spread,
                "from the median score of held-out good parts to the reject threshold, or to the highest of these "
                "scores where that is lower",
            )
    deviation = float(np.median([pair.deviation for pair in pairs]))
    return Tolerance(SHARE, deviation, "the usual standard deviation of a compared picture's map")


def _parity(
    pairs: Mapping[str, _Pair], tolerance: Tolerance, review: float, reject: float
) -> Parity:
    near, different = 0, []
    for name, pair in pairs.items():
        if math.isfinite(pair.other) and (
            verdict(pair.own, review, reject) == verdict(pair.other, review, reject)
        ):
            continue
        if min(abs(pair.own - limit) for limit in (review, reject)) <= tolerance.value:
            near += 1
        else:
            different.append(name)
    return Parity(
        len(pairs),
        max(pair.largest for pair in pairs.values()),
        float(np.mean([pair.mean for pair in pairs.values()])),
        max(_score_difference(pair) for pair in pairs.values()),
        near,
        tuple(different),
    )


def _score_difference(pair: _Pair) -> float:
    return abs(pair.own - pair.other) if math.isfinite(pair.other) else math.inf
