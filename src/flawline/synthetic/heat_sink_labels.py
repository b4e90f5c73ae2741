"""Simulate labelling mistakes: missed, extra, wrong class, shifted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.errors import UsageError
from flawline.synthetic.heat_sink_shapes import draw_shape
from flawline.synthetic.heat_sink_statistics import SCRATCH, SIDE, STAIN, plan

Mask = NDArray[np.uint8]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """Shares of wrongly labelled defects, 0 to 1 of all defects, together at most 1 without `extra`.

    `missing` defects have no label, those of `wrong_class` the other class, `shifted` ones a label 2 to 6 px off;
    `extra` labels lie where there is no defect.
    """

    missing: float = 0.0
    extra: float = 0.0
    wrong_class: float = 0.0
    shifted: float = 0.0

    def __post_init__(self) -> None:
        shares = (self.missing, self.extra, self.wrong_class, self.shifted)
        if not all(0 <= share <= 1 for share in shares) or sum(shares) - self.extra > 1:
            raise UsageError(
                f"expected shares of 0 to 1, without extra at most 1 together, got {shares}",
                hint="such as missing=0.05,extra=0.02,wrong-class=0.02,shifted=0.1",
            )

    def any(self) -> bool:
        """Tell whether any label is wrong."""
        return bool(self.missing or self.extra or self.wrong_class or self.shifted)


@dataclass(frozen=True, slots=True)
class LabelError:
    """One mistake: its kind (a field of `LabelNoise`), the true class (of an extra label its own), and its box.

    `box` is (left, top, width, height) in px, that of the true defect, or of the extra label.
    """

    kind: str
    value: int
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class DrawnDefect:
    """A true defect: its class, and its pixels bool (height, width) in a box whose corner is (left, top)."""

    value: int
    left: int
    top: int
    pixels: NDArray[np.bool_]

    def box(self) -> Box:
        """Compute left, top, width and height."""
        return self.left, self.top, self.pixels.shape[1], self.pixels.shape[0]


def noisy_mask(
    rng: np.random.Generator, defects: tuple[DrawnDefect, ...], noise: LabelNoise
) -> tuple[Mask, tuple[LabelError, ...]]:
    """Make the mask (320, 320) of a careless labeller, and list its mistakes."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    errors: list[LabelError] = []
    steps = np.cumsum([noise.missing, noise.wrong_class, noise.shifted])
    kinds = ("missing", "wrong_class", "shifted")
    for defect in defects:
        place = int(np.searchsorted(steps, rng.random(), side="right"))
        kind = kinds[place] if place < len(kinds) else ""
        if kind:
            errors.append(LabelError(kind, defect.value, defect.box()))
        if kind == "missing":
            continue
        value = STAIN + SCRATCH - defect.value if kind == "wrong_class" else defect.value
        move = _shift(rng) if kind == "shifted" else (0, 0)
        _stamp(mask, defect.pixels, defect.left + move[0], defect.top + move[1], value)
    for _ in range(int(rng.binomial(len(defects), noise.extra)) if noise.extra else 0):
        extra = _extra(rng, defects)
        if extra is not None:
            _stamp(mask, extra.pixels, extra.left, extra.top, extra.value)
            errors.append(LabelError("extra", extra.value, extra.box()))
    return mask, tuple(errors)


def _shift(rng: np.random.Generator) -> tuple[int, int]:
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(2.5, 6)
    return round(float(length * np.cos(angle))), round(float(length * np.sin(angle)))


def _stamp(mask: Mask, pixels: NDArray[np.bool_], left: int, top: int, value: int) -> None:
    """Write a class at `pixels`, as far as they lie on the mask."""
    rows, columns = np.nonzero(pixels)
    rows, columns = rows + top, columns + left
    inside = (rows >= 0) & (rows < SIDE) & (columns >= 0) & (columns < SIDE)
    mask[rows[inside], columns[inside]] = value


def _extra(rng: np.random.Generator, defects: tuple[DrawnDefect, ...]) -> DrawnDefect | None:
    """Draw an extra label of a likely shape on sound metal; None where twenty tries found no room."""
    planned = plan(rng)
    drawn = draw_shape(rng, planned[int(rng.integers(len(planned)))])
    taken = np.zeros((SIDE, SIDE), np.uint8)
    for defect in defects:
        _stamp(taken, defect.pixels, defect.left, defect.top, 1)
    height, width = drawn.mask.shape
    for _ in range(20):
        top, left = int(rng.integers(SIDE - height + 1)), int(rng.integers(SIDE - width + 1))
        if not taken[top : top + height, left : left + width][drawn.mask].any():
            return DrawnDefect(drawn.planned.value, left, top, drawn.mask)
    return None
