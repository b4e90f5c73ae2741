"""Plan a self-test: which defects are drawn, how large, how faint, and how many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flawline.core.self_test_words import NAMES
from flawline.synthetic.drawn_defects import KINDS, size_of_defect

CONTRASTS = (0.1, 0.2, 0.4)
QUICK_KINDS = ("spot", "scratch")
QUICK_CONTRASTS = (0.2, 0.4)
STEPS = 6
"""Sizes of each kind."""
_CELLS = 0.25, 4.0
"""Smallest and largest size, the root of width times length, in cells of the map."""
_LONGEST = 0.5
"""Longest defect, as a share of the shorter side of the picture."""


@dataclass(frozen=True, slots=True)
class DrawnDefect:
    """One defect to draw; `number` seeds its place and shape."""

    number: int
    kind: str
    contrast: float
    width: float
    length: float


@dataclass(frozen=True, slots=True)
class SelfTestPlan:
    """What a self-test draws.

    `kinds` are names of `KINDS`; each `signed` one is drawn dark and light. `contrasts` are shares of the full range.
    `defects` of each kind, sign and contrast are drawn at `STEPS` sizes. `wanted` is a width in px that the round
    kinds of the strongest contrast are drawn at as well, None for none.
    """

    kinds: tuple[str, ...] = tuple(KINDS)
    contrasts: tuple[float, ...] = CONTRASTS
    defects: int = 60
    wanted: float | None = None

    def __post_init__(self) -> None:
        """Refuse plans that draw nothing.

        Raises:
            ValueError: an unknown kind, a contrast out of range, or fewer defects than sizes.
        """
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown or not self.kinds:
            raise ValueError(
                f"`kinds` takes {', '.join(KINDS)}; got {', '.join(unknown) or 'none'}"
            )
        if not self.contrasts or not all(0 < value <= 1 for value in self.contrasts):
            raise ValueError(f"`contrasts` takes shares above 0 up to 1, got {self.contrasts}")
        if self.defects < STEPS:
            raise ValueError(
                f"`defects` takes {STEPS} or more, one for each size, got {self.defects}"
            )

    def drawn(self, cell: float, size: tuple[int, int]) -> Iterator[DrawnDefect]:
        """List the defects for pictures of a size (height, width) whose map has cells of `cell` px of the picture."""
        number = 0
        for kind, contrast in self._groups():
            widths = sizes_of(kind, cell, size)
            counts = [len(range(place, self.defects, len(widths))) for place in range(len(widths))]
            extra = self._wanted(kind, contrast, widths)
            for width, count in [*zip(widths, counts, strict=True), *extra]:
                for _ in range(count):
                    yield DrawnDefect(number, kind, contrast, *size_of_defect(kind, width))
                    number += 1

    def _groups(self) -> Iterator[tuple[str, float]]:
        for kind in self.kinds:
            for sign in (-1, 1):
                if (kind, sign > 0) in NAMES:
                    for contrast in self.contrasts:
                        yield kind, sign * contrast

    def _wanted(
        self, kind: str, contrast: float, widths: Sequence[float]
    ) -> list[tuple[float, int]]:
        strongest = abs(contrast) == max(self.contrasts)
        fits = self.wanted is not None and self.wanted >= KINDS[kind].smallest
        if not (strongest and fits and KINDS[kind].aspect == 1):
            return []
        assert self.wanted is not None
        return [(self.wanted, max(2 * self.defects // STEPS, 8))]


def sizes_of(kind: str, cell: float, size: tuple[int, int]) -> tuple[float, ...]:
    """Choose up to `STEPS` widths of a kind in px, rising evenly on a logarithmic scale and rounded.

    They reach from a quarter of a cell of the map to four, measured by the root of width times length, and from the
    smallest that can be drawn to half of the picture's shorter side in length.
    """
    root = KINDS[kind].aspect ** 0.5
    low = max(KINDS[kind].smallest, _CELLS[0] * cell / root)
    high = min(_CELLS[1] * cell / root, _LONGEST * min(size) / KINDS[kind].aspect)
    if high <= low:
        return (low,)
    ratio = (high / low) ** (1 / (STEPS - 1))
    return tuple(sorted({_rounded(low * ratio**step) for step in range(STEPS)}))


def _rounded(width: float) -> float:
    return round(2 * width) / 2 if width < 8 else float(round(width))


def dealt(
    drawn: Iterable[DrawnDefect], pictures: Sequence[str]
) -> dict[str, tuple[DrawnDefect, ...]]:
    """Deal defects to pictures in turn, so that those of one size go to different ones."""
    hands: dict[str, list[DrawnDefect]] = {name: [] for name in pictures}
    for place, one in enumerate(drawn):
        hands[pictures[place % len(pictures)]].append(one)
    return {name: tuple(hand) for name, hand in hands.items()}
