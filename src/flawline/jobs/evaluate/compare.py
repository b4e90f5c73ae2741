"""Compare recipes on the same pictures: the differences to the first one, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flawline.data.masks import MaskSettings
from flawline.data.source import Source
from flawline.errors import UsageError
from flawline.jobs.evaluate.choice import choose
from flawline.jobs.evaluate.class_masks import SOURCE_MASKS, open_class_masks
from flawline.jobs.evaluate.differences import Costs, Row, metric_rows
from flawline.jobs.evaluate.evaluate import evaluate_choice, masked_names
from flawline.jobs.evaluate.evaluation import Evaluation, JudgedPicture
from flawline.jobs.evaluate.ranking import Ranked, ranked
from flawline.jobs.evaluate.timing import timed_in_turn
from flawline.recipe import check_ready
from flawline.types import Sample, Track, Unjudged, Verdict, no_track

if TYPE_CHECKING:
    from flawline.inspector import Inspector

_ORDER: dict[Verdict, int] = {"accept": 0, "review": 1, "reject": 2}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Recipes by name, the first one the reference.

    `evaluations` are those of the recipes, each on all `samples`, which every recipe could judge; `unjudged` are left
    out of all. `disagreements` name the pictures whose verdicts differ, the widest apart first; `found_apart` those
    with equal verdicts but different regions of the mask found. `ranking` is empty without costs.
    """

    source: str
    names: tuple[str, ...]
    evaluations: tuple[Evaluation, ...]
    samples: tuple[Sample, ...]
    unjudged: tuple[Unjudged, ...]
    rows: tuple[Row, ...]
    disagreements: tuple[str, ...]
    found_apart: tuple[str, ...]
    ranking: tuple[Ranked, ...]
    costs: Costs | None
    seed: int

    @property
    def exit_code(self) -> int:
        """0 done, 2 a picture or mask could not be judged."""
        return 2 if self.unjudged else 0


def compare(
    source: Source,
    inspectors: Mapping[str, Inspector],
    *,
    split: str | None = None,
    drop_known: bool = False,
    masks: MaskSettings = SOURCE_MASKS,
    costs: Costs | None = None,
    seed: int = 0,
    track: Track = no_track,
) -> Comparison:
    """Evaluate several recipes on the same pictures, one after the other.

    Args:
        source: an open source with labels or masks that tell good from bad.
        inspectors: two or more recipes by name, detectors with thresholds; differences are those to the first.
        split: as for `evaluate`.
        drop_known: leave out pictures that any of the recipes knows, instead of refusing.
        masks: where class masks are; by default those that the source names itself.
        costs: of decisions, for the cost per part and the ranking.
        seed: of the draws behind intervals.
        track: shows progress.

    Raises:
        UsageError: fewer than two recipes; and the errors of `evaluate`.
    """
    if len(inspectors) < 2:
        raise UsageError(
            f"expected two recipes or more to compare, got {len(inspectors)}",
            hint="use `flawline evaluate` for one",
        )
    recipes = {name: inspector.recipe for name, inspector in inspectors.items()}
    for recipe in recipes.values():
        check_ready(recipe)
    masked = open_class_masks(source, inspectors.values(), masks)
    choice = choose(
        source,
        recipes,
        split=split,
        drop_known=drop_known,
        masked=masked_names(masked),
        track=track,
    )
    found = [
        evaluate_choice(source, choice, one, masked, seed=seed, track=track)
        for one in inspectors.values()
    ]
    common, same = _common(found)
    if not common[0]:
        raise UsageError(
            "no picture could be judged by every recipe, so there is nothing to compare",
            hint="evaluate each recipe alone to see why",
        )
    samples = tuple(picture.sample for picture in common[0])
    timed = timed_in_turn(source, samples, list(inspectors.values()), seed=seed)
    return Comparison(
        found[0].source,
        tuple(inspectors),
        tuple(found),
        samples,
        tuple(dict.fromkeys(item for one in found for item in one.unjudged)),
        tuple(metric_rows(found, common, same, costs, timed, seed)),
        tuple(disagreements(common)),
        tuple(found_apart(common)),
        () if costs is None else ranked(tuple(inspectors), found, common, costs, timed, seed),
        costs,
        seed,
    )


def disagreements(judged: Sequence[Sequence[JudgedPicture]]) -> list[str]:
    """Name the pictures whose verdicts differ, the widest apart first, then by the distance of p-values."""
    apart = []
    for pictures in zip(*judged, strict=True):
        places = [_ORDER[picture.verdict] for picture in pictures]
        if len(set(places)) > 1:
            width = min(places) - max(places)
            apart.append((width, -_p_values_apart(pictures), pictures[0].sample.name))
    return [name for _, _, name in sorted(apart)]


def _p_values_apart(pictures: Sequence[JudgedPicture]) -> float:
    """Measure how far p-values are apart, as raw scores of two recipes have no common unit; 0 where one has none."""
    values = [math.log(max(p.p_value, 1e-12)) for p in pictures if p.p_value is not None]
    return max(values) - min(values) if len(values) == len(pictures) else 0.0


def found_apart(judged: Sequence[Sequence[JudgedPicture]]) -> list[str]:
    """Name the pictures with equal verdicts and regions that only some recipes find, most such regions first."""
    apart = []
    for pictures in zip(*judged, strict=True):
        found = [[defect.found for defect in picture.defects or ()] for picture in pictures]
        missed = sum(len(set(same)) > 1 for same in zip(*found, strict=True))
        if missed and len({picture.verdict for picture in pictures}) == 1:
            apart.append((-missed, pictures[0].sample.name))
    return [name for _, name in sorted(apart)]


def _common(found: Sequence[Evaluation]) -> tuple[list[tuple[JudgedPicture, ...]], bool]:
    """Select the pictures that every recipe judged, by recipe, in one order; and tell whether these are all of each."""
    names = [{picture.sample.name for picture in one.pictures} for one in found]
    shared = set.intersection(*names)
    judged = [tuple(p for p in one.pictures if p.sample.name in shared) for one in found]
    return judged, all(own == shared for own in names)
