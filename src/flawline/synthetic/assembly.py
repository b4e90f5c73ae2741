"""Draw pictures of an assembled plate: screws, labels, connectors and washers, right or with one known mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.errors import UsageError
from flawline.synthetic.assembly_parts import DRAWN, Item, Pixels, draw_plate
from flawline.synthetic.surface import grain

SIZES = (128, 2048)
SIZE = 320
_OVERSAMPLING = 2
_SCREWS = ((0.12, 0.14), (0.88, 0.14), (0.12, 0.86), (0.88, 0.86))
_WASHERS = tuple((x, 0.80) for x in (0.32, 0.44, 0.56, 0.68))

LAYOUT: tuple[Item, ...] = (
    *(Item("screw", *place, turn_any=True) for place in _SCREWS),
    Item("label-blue", 0.32, 0.24),
    Item("label-orange", 0.66, 0.24),
    Item("connector", 0.28, 0.52),
    Item("connector", 0.70, 0.52),
    *(Item("washer", *place) for place in _WASHERS),
)
"""What a right plate has; places are shares of its side."""


@dataclass(frozen=True, slots=True)
class DrawnAssembly:
    """A drawn plate: `pixels` uint8 (size, size, 3), RGB, and its `mask` uint8 (size, size).

    The mask is 0 where right, and 1 + the place of `defect` in `DEFECTS` where something is missing or wrong.
    """

    pixels: Pixels
    mask: Pixels
    defect: str | None


Change = Callable[[np.random.Generator, list[Item]], tuple[list[Item], list[Item]]]
"""Makes a mistake: gives the items, and those whose places are wrong, before and after."""


def _missing_screw(rng: np.random.Generator, items: list[Item]) -> tuple[list[Item], list[Item]]:
    gone = items[int(rng.integers(len(_SCREWS)))]
    return [item for item in items if item is not gone], [gone]


def _swapped_labels(rng: np.random.Generator, items: list[Item]) -> tuple[list[Item], list[Item]]:
    first, second = (item for item in items if item.kind.startswith("label"))
    kinds = {id(first): second.kind, id(second): first.kind}
    changed = [replace(item, kind=kinds.get(id(item), item.kind)) for item in items]
    return changed, [first, second]


def _wrong_count(rng: np.random.Generator, items: list[Item]) -> tuple[list[Item], list[Item]]:
    """Leave out a washer, or add one between two others and the connectors."""
    washers = [item for item in items if item.kind == "washer"]
    if rng.random() < 0.5:
        gone = washers[int(rng.integers(len(washers)))]
        return [item for item in items if item is not gone], [gone]
    extra = Item("washer", float(rng.uniform(0.36, 0.64)), 0.68)
    return [*items, extra], [extra]


def _moved_part(rng: np.random.Generator, items: list[Item]) -> tuple[list[Item], list[Item]]:
    """Move a connector by 4 to 8 hundredths of the plate."""
    old = [item for item in items if item.kind == "connector"][int(rng.integers(2))]
    angle, by = rng.uniform(0, 2 * np.pi), rng.uniform(0.04, 0.08)
    new = replace(old, x=old.x + float(by * np.cos(angle)), y=old.y + float(by * np.sin(angle)))
    return [new if item is old else item for item in items], [old, new]


def _wrong_orientation(
    rng: np.random.Generator, items: list[Item]
) -> tuple[list[Item], list[Item]]:
    """Turn a connector by half a turn."""
    old = [item for item in items if item.kind == "connector"][int(rng.integers(2))]
    new = replace(old, degrees=old.degrees + 180)
    return [new if item is old else item for item in items], [old]


_CHANGES: dict[str, Change] = {
    "missing-screw": _missing_screw,
    "swapped-labels": _swapped_labels,
    "wrong-count": _wrong_count,
    "moved-part": _moved_part,
    "wrong-orientation": _wrong_orientation,
}
DEFECTS: tuple[str, ...] = tuple(_CHANGES)


def draw_assembly(
    rng: np.random.Generator,
    *,
    size: int = SIZE,
    defect: str | None = None,
    varied: bool = True,
) -> DrawnAssembly:
    """Draw one plate from above, `size` pixels square, with one of `DEFECTS` or right (None).

    Right plates vary as real ones do: the plate lies up to 1 % of its side elsewhere and is turned by up to a degree,
    every item sits a little elsewhere, screws are turned anyhow, and grain and light differ; without `varied` they
    do not. The mistake draws from a generator of its own, so two calls with equal `rng` states show the same plate
    with and without it.

    Raises:
        UsageError: an unknown defect, or a size outside `SIZES`.
    """
    check(size, defect)
    part_rng, defect_rng, camera_rng = (
        np.random.default_rng(int(seed)) for seed in rng.integers(2**63, size=3)
    )
    side = size * _OVERSAMPLING
    items = [_jittered(part_rng, item) if varied else item for item in LAYOUT]
    wrong: list[Item] = []
    if defect is not None:
        items, wrong = _CHANGES[defect](defect_rng, items)
    canvas = draw_plate(part_rng, side)
    for item in items:
        DRAWN[item.kind](canvas, item, side)
    covered = np.zeros((side, side), np.uint8)
    for item in wrong:
        item.cover(covered, side)
    pose = _pose(camera_rng, side) if varied else np.eye(2, 3)
    canvas = np.asarray(
        cv2.warpAffine(canvas, pose, (side, side), borderMode=cv2.BORDER_REFLECT_101), np.float32
    )
    covered = np.asarray(cv2.warpAffine(covered, pose, (side, side)), np.uint8)
    index = 0 if defect is None else 1 + DEFECTS.index(defect)
    share = cv2.resize(covered * np.float32(1), (size, size), interpolation=cv2.INTER_AREA)
    return DrawnAssembly(
        _photograph(camera_rng, canvas, size, varied=varied),
        np.where(np.asarray(share) >= 0.5, index, 0).astype(np.uint8),
        defect,
    )


def check(size: int, defect: str | None = None) -> None:
    """Refuse a size outside `SIZES` and an unknown defect; errors as for `draw_assembly`."""
    if not SIZES[0] <= size <= SIZES[1]:
        raise UsageError(
            f"expected a size from {SIZES[0]} to {SIZES[1]} pixels, got {size}",
            hint=f"{SIZE} shows everything",
        )
    if defect is not None and defect not in _CHANGES:
        raise UsageError(
            f"expected one of {', '.join(DEFECTS)} or None, got {defect!r}",
            hint="leave the defect out for a right plate",
        )


def _jittered(rng: np.random.Generator, item: Item) -> Item:
    x, y = rng.normal(0, 0.003, 2).clip(-0.008, 0.008)
    turned = rng.uniform(0, 360) if item.turn_any else rng.normal(0, 1.0)
    return replace(
        item, x=item.x + float(x), y=item.y + float(y), degrees=item.degrees + float(turned)
    )


def _pose(rng: np.random.Generator, side: int) -> NDArray[np.float64]:
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), float(rng.uniform(-1, 1)), 1)
    moved = np.zeros((2, 3))
    moved[:, 2] = rng.uniform(-0.01, 0.01, 2) * side
    return np.asarray(matrix + moved, np.float64)


def _photograph(
    rng: np.random.Generator, canvas: NDArray[np.float32], size: int, *, varied: bool
) -> Pixels:
    small = np.asarray(cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    if varied:
        steps = np.linspace(-1, 1, size, dtype=np.float32)
        down, across = rng.normal(0, 0.04, 2)
        light = np.float32(1) + np.float32(across) * steps + np.float32(down) * steps[:, None]
        small = small * light[..., None] * np.float32(rng.normal(1, 0.03))
        small = small + np.float32(2) * grain(rng, (size, size), 0.6)[..., None]
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)
