"""Search for a part in a small picture: coarsely everywhere, then finely near the best places."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from flawline.core.view import polar
from flawline.core.view import registration as reg
from flawline.core.view.registration import Floats, Matrix, rescaled

_COARSE = 64
# Candidates of the correlation that are refined coarsely, and the best of them that are refined finely.
_CANDIDATES, _FINALISTS = 8, 3
# Part radii: a round part includes its edge.
_EDGE = 1.1


@dataclass(frozen=True, slots=True, eq=False)
class RoundPart:
    """A round reference: its `rings` (h, w) about `centre` and its `outline` (720, 96), within `radius` pixels."""

    centre: polar.Point
    radius: float
    rings: Floats
    outline: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """A search prepared for all pictures: the reference's structure and its weights, (h, w)."""

    fine: Floats
    fine_weights: Floats
    coarse: Floats
    coarse_weights: Floats
    templates: reg.Templates
    turning: bool
    round_part: RoundPart | None


def prepare(
    reference: Floats,
    known: Floats,
    *,
    turning: bool,
    largest_angle: float,
    round_part: tuple[polar.Point, float] | None,
) -> Search:
    """Prepare the search for a reference, grey levels (h, w), weighted by `known`, 0 to 1.

    `round_part` is its centre and radius where the part is round.
    """
    fine, part = reg.structure(reference), None
    size = _coarse_size(fine)
    coarse = _shrunk(fine, size)
    if round_part is not None:
        centre, radius = round_part
        known = known * polar.disc(known.shape, centre, _EDGE * radius)
        rings = polar.rings(fine, centre, _EDGE * radius)
        part = RoundPart(centre, radius, rings, polar.outline(reference, centre, radius))
        across, down = size[1] / fine.shape[1], size[0] / fine.shape[0]
        middle = (centre[0] + 0.5) * across - 0.5, (centre[1] + 0.5) * down - 0.5
        templates = polar.scaled_templates(_shrunk(rings, size), middle)
    elif turning:
        templates = reg.turned_templates(coarse, largest_angle)
    else:
        templates = reg.make_templates(coarse, [np.eye(3)])
    return Search(fine, known, coarse, _shrunk(known, size), templates, turning, part)


def search(known: Search, grey: Floats) -> tuple[Matrix, float]:
    """Find the best motion (3, 3) of grey levels (h, w) of the reference's size to it, and its likeness."""
    fine = reg.structure(grey)
    coarse = _shrunk(fine, known.coarse.shape)
    factors = fine.shape[1] / coarse.shape[1], fine.shape[0] / coarse.shape[0]
    starts = reg.correlate(coarse, known.templates, 1 if known.round_part else _CANDIDATES)
    if known.round_part is not None:
        finalists = [_about(known, known.round_part, rescaled(starts[0], *factors), grey, fine)]
    else:
        weights = known.coarse_weights
        better = [
            reg.refine(known.coarse, coarse, start, weights, turning=known.turning)
            for start in starts
        ]
        better.sort(key=lambda each: -each[1])
        finalists = [rescaled(motion, *factors) for motion, _ in better[:_FINALISTS]]
    ended = [
        reg.refine(known.fine, fine, start, known.fine_weights, turning=known.turning)
        for start in finalists
    ]
    return max(ended, key=lambda each: each[1])


def _about(known: Search, part: RoundPart, motion: Matrix, grey: Floats, fine: Floats) -> Matrix:
    """Find the motion of a round part: centre and size by its rings, then the angle."""
    for _ in range(2):
        motion, _like = reg.refine(part.rings, fine, motion, known.fine_weights, turning=False)
        shown = reg.moved(fine, motion)
        larger = polar.enlarged_by(part.rings, shown, part.centre, _EDGE * part.radius)
        motion = reg.turn(part.centre, 0, 1 / larger) @ motion
    shown = reg.moved(grey, motion, cv2.BORDER_REPLICATE)
    angle = polar.turned_by(part.outline, polar.outline(shown, part.centre, part.radius))
    return np.asarray(reg.turn(part.centre, -angle) @ motion, np.float64)


def _coarse_size(values: Floats) -> tuple[int, int]:
    factor = min(1.0, _COARSE / max(values.shape))
    height, width = (max(8, round(side * factor)) for side in values.shape)
    return height, width


def _shrunk(values: Floats, size: tuple[int, ...]) -> Floats:
    return np.asarray(
        cv2.resize(values, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.float32
    )
