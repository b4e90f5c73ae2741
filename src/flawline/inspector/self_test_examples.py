"""Show examples of drawn defects that a recipe found and missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.self_test import DrawnTrial
from flawline.core.self_test_words import NAMES, usual_contrast
from flawline.core.view.foreground import Foreground
from flawline.inspector.drawn_trials import drawn_into, part_pixels
from flawline.inspector.inspector import Inspector
from flawline.inspector.parts import view_of
from flawline.inspector.self_test import Read, SelfTest
from flawline.inspector.self_test_plan import DrawnDefect
from flawline.types import Picture, Sample

SHOWN = 2
"""Examples of each kind and outcome."""
_SIDE = 160
_LEAST = 48


@dataclass(frozen=True, slots=True, eq=False)
class DrawnExample:
    """A drawn defect: the place in the picture, and the same with what the recipe marked, uint8 (160, 160, 3)."""

    trial: DrawnTrial
    pixels: NDArray[np.uint8]
    marked: NDArray[np.uint8]


def drawn_examples(
    read: Read, samples: Sequence[Sample], test: SelfTest, inspector: Inspector, *, seed: int
) -> tuple[DrawnExample, ...]:
    """Draw examples of a self-test again: of each kind the smallest found and the largest missed ones.

    Args:
        read: applies a function to pictures.
        samples: those of the test.
        test: what to show.
        inspector: the recipe.
        seed: of the test.
    """
    chosen = _chosen(test)
    by_name: dict[str, list[DrawnTrial]] = {}
    for trial in chosen:
        by_name.setdefault(trial.picture, []).append(trial)
    needed = [sample for sample in samples if sample.name in by_name]
    drawn: dict[int, DrawnExample] = {}
    for sample in needed:
        own = by_name[sample.name]

        def show(picture: Picture, own: Sequence[DrawnTrial] = own) -> list[DrawnExample]:
            return [_example(picture, trial, inspector, test.part, seed) for trial in own]

        for _, examples in read([sample], show, ""):
            drawn.update({example.trial.number: example for example in examples})
    return tuple(drawn[trial.number] for trial in chosen if trial.number in drawn)


def _chosen(test: SelfTest) -> list[DrawnTrial]:
    contrast = usual_contrast(test.limits)
    usual = [trial for trial in test.trials if abs(trial.contrast) == contrast]
    chosen = []
    for kind, light in NAMES:
        own = [trial for trial in usual if trial.kind == kind and (trial.contrast > 0) == light]
        found = sorted((t for t in own if t.found), key=lambda t: (t.width, t.number))
        missed = sorted((t for t in own if not t.found), key=lambda t: (-t.width, t.number))
        chosen += [*missed[:SHOWN], *found[:SHOWN]]
    return chosen


def _example(
    picture: Picture, trial: DrawnTrial, inspector: Inspector, part: Foreground, seed: int
) -> DrawnExample:
    detector = inspector.recipe.settings.detector
    look = view_of(inspector.recipe).look(picture) if detector else None
    inside = part_pixels(picture, look, part)
    defect = DrawnDefect(trial.number, trial.kind, trial.contrast, trial.width, trial.length)
    drawn, mask = drawn_into(picture, defect, inside, seed)
    overlay = np.asarray(inspector.inspect(drawn).overlay(drawn, side=max(mask.shape)), np.uint8)
    return DrawnExample(trial, _around(drawn.pixels, mask), _around(overlay, mask))


def _around(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Cut a square around a mask, at least three times as large, and enlarge it."""
    places = np.argwhere(mask)
    middle = places.mean(axis=0)
    side = int(max(_LEAST, 3 * np.ptp(places, axis=0).max(initial=0)))
    side = min(side, *mask.shape)
    top, left = (
        int(np.clip(round(at - side / 2), 0, length - side))
        for at, length in zip(middle, mask.shape, strict=True)
    )
    cut = pixels[top : top + side, left : left + side]
    return np.asarray(cv2.resize(cut, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)
