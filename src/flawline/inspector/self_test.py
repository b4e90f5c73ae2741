"""Test a recipe by itself: draw defects of known size and contrast into good pictures and inspect them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.blind_zones import BlindMap, find_blind_zones
from flawline.core.drawing import thumbnail
from flawline.core.self_test import (
    DetectionLimit,
    DrawnTrial,
    detection_limits,
    expected_rates,
    stratum,
)
from flawline.core.self_test_words import self_test_sentence
from flawline.core.view.foreground import Foreground, fit_foreground
from flawline.core.view.framing import map_size
from flawline.inspector.drawn_trials import inspect_drawn
from flawline.inspector.inspector import Inspector
from flawline.inspector.parts import view_of
from flawline.inspector.self_test_plan import DrawnDefect, SelfTestPlan, dealt
from flawline.inspector.view import View
from flawline.synthetic.drawn_defects import is_grey
from flawline.types import Picture, Sample

Read = Callable[[Sequence[Sample], Callable[[Picture], Any], str], Iterable[tuple[Sample, Any]]]
"""Applies a function to the pictures of samples, in their order; the text names the step."""

MEAN_SIDE = 320
"""Longer side of the mean picture, px."""


@dataclass(frozen=True, slots=True, eq=False)
class SelfTest:
    """What a recipe finds of drawn defects, and where it is blind.

    `pictures` are the good ones that it accepted and defects were drawn into, `refused` those that it did not accept
    before anything was drawn. `left_out` counts defects that no place had room for. `mean` is the mean of the pictures
    in the frame of the part, uint8 (h, w, 3), and `part` where the part lies in it; `sentence` says it all.
    """

    trials: tuple[DrawnTrial, ...]
    limits: tuple[DetectionLimit, ...]
    blind: BlindMap
    mean: NDArray[np.uint8]
    pictures: tuple[str, ...]
    refused: tuple[str, ...]
    left_out: int
    part: Foreground
    sentence: str


@dataclass(frozen=True, slots=True, eq=False)
class _First:
    """A good picture as it is: whether it is accepted, its small aligned copy, and what a plan needs to know."""

    accepted: bool
    sha256: str
    small: NDArray[np.uint8]
    size: tuple[int, int]
    cell: float
    grey: bool


def self_test(
    read: Read,
    samples: Sequence[Sample],
    inspector: Inspector,
    plan: SelfTestPlan,
    *,
    seed: int = 0,
    fewest: int = 1,
) -> SelfTest | None:
    """Draw the defects of a plan into those good pictures that a recipe accepts, and inspect each.

    They are drawn on the part, where it stands clear of its ground in good pictures, and where the recipe looks. A
    defect is found where the picture is then not accepted and a marked place lies on the defect. Good pictures that are
    not accepted as they are would hide what the defect does, so none is drawn into them.

    Args:
        read: applies a function to pictures.
        samples: good pictures that the recipe did not learn from.
        inspector: the recipe, with thresholds.
        plan: the defects.
        seed: of their places and shapes.
        fewest: accepted pictures needed.

    Returns:
        The test; None where fewer pictures than that are accepted, or no defect could be drawn.
    """
    view = view_of(inspector.recipe) if inspector.recipe.settings.detector else None
    looked = list(read(samples, lambda picture: _first(picture, inspector, view), "good pictures"))
    accepted = {first.sha256: sample for sample, first in looked if first.accepted}
    if len(accepted) < fewest:
        return None
    firsts = [first for _, first in looked if first.accepted]
    usual = firsts[0]
    grey = all(first.grey for first in firsts)
    kinds = tuple(kind for kind in plan.kinds if not (grey and kind == "colour"))
    drawn = replace(plan, kinds=kinds).drawn(usual.cell, usual.size) if kinds else ()
    hands = dealt(drawn, list(accepted))
    part = fit_foreground(first.small for first in firsts)
    trials, left_out = _inspected(read, accepted, hands, inspector, view, part, seed)
    if not trials:
        return None
    mean = _mean([first.small for first in firsts])
    limits = detection_limits(trials)
    blind = _blind(trials, mean, seed)
    return SelfTest(
        trials,
        limits,
        blind,
        mean,
        tuple(sample.name for sample in accepted.values()),
        tuple(sample.name for sample, first in looked if not first.accepted),
        left_out,
        part,
        self_test_sentence(limits, blind.zones),
    )


def _first(picture: Picture, inspector: Inspector, view: View | None) -> _First:
    accepted = inspector.inspect(picture).verdict == "accept"
    size = picture.pixels.shape[0], picture.pixels.shape[1]
    grey = is_grey(picture.pixels)
    if view is None:
        return _First(
            accepted, picture.sha256, thumbnail(picture.pixels, MEAN_SIDE), size, 8.0, grey
        )
    look = view.look(picture)
    rows, columns = map_size(look.aligned, view.framing)
    cell = float(np.sqrt(size[0] * size[1] / (rows * columns)))
    return _First(accepted, picture.sha256, thumbnail(look.pixels, MEAN_SIDE), size, cell, grey)


def _inspected(
    read: Read,
    accepted: Mapping[str, Sample],
    hands: Mapping[str, tuple[DrawnDefect, ...]],
    inspector: Inspector,
    view: View | None,
    part: Foreground,
    seed: int,
) -> tuple[tuple[DrawnTrial, ...], int]:
    """Draw and inspect; the trials in the order of the plan, and how many defects had no room.

    `accepted` are the samples and `hands` their defects, by the hash of the picture.
    """

    def each(picture: Picture) -> list[DrawnTrial | None]:
        name = accepted[picture.sha256].name
        hand = hands[picture.sha256]
        return inspect_drawn(picture, hand, inspector, view, part, name=name, seed=seed)

    found: list[tuple[int, DrawnTrial]] = []
    left_out = 0
    results = read(list(accepted.values()), each, "inspecting drawn defects")
    for hand, (_, trials) in zip(hands.values(), results, strict=True):
        left_out += trials.count(None)
        pairs = zip(hand, trials, strict=True)
        found += [(defect.number, trial) for defect, trial in pairs if trial is not None]
    return tuple(trial for _, trial in sorted(found, key=lambda pair: pair[0])), left_out


def _mean(small: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Compute the mean of small pictures at the size of the first."""
    height, width = small[0].shape[:2]
    resized = [cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in small]
    return np.asarray(np.rint(np.mean(resized, axis=0, dtype=np.float64)), np.uint8)


def _blind(trials: Sequence[DrawnTrial], mean: NDArray[np.uint8], seed: int) -> BlindMap:
    return find_blind_zones(
        np.array([(trial.row, trial.column) for trial in trials], np.float64),
        np.array([trial.found for trial in trials], bool),
        expected_rates(trials),
        [stratum(trial) for trial in trials],
        mean.shape[0] / mean.shape[1],
        np.random.default_rng(seed),
        mean,
    )
