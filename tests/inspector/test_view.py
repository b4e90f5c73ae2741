"""How a recipe looks at pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from flawline.core.view.alignment import Alignment, Pose, small_grey
from flawline.core.view.alignment_training import fit_alignment
from flawline.core.view.framing import Framing
from flawline.core.view.region_of_interest import from_mask, from_polygons
from flawline.inspector.map_score import UNSEEN, lost_reason
from flawline.inspector.view import View
from flawline.synthetic.castings import draw_casting
from helpers.pictures import as_picture


def brightness(pixels: np.ndarray, cell: int = 8) -> np.ndarray:
    """A stand-in for a detector: the mean grey of each cell."""
    grey = pixels.mean(axis=2)
    height, width = grey.shape
    blocks = grey.reshape(height // cell, cell, width // cell, cell)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def seen(view: View, pixels: np.ndarray) -> np.ndarray:
    look = view.look(as_picture(pixels))
    maps = {place: brightness(window.pixels) for place, window in enumerate(look.windows())}
    return look.in_picture(look.join(maps))


def spot(shape: tuple[int, int], x: float, y: float, radius: int = 14) -> np.ndarray:
    pixels = np.zeros((*shape, 3), np.uint8)
    cv2.circle(pixels, (round(x), round(y)), radius, (255, 255, 255), -1)
    return pixels


def centre_of(scores: np.ndarray, shape: tuple[int, int]) -> tuple[float, float]:
    """Where a map is bright, in px of the picture."""
    weight = scores - scores.min()
    rows, columns = np.indices(scores.shape) + 0.5
    x = (weight * columns).sum() / weight.sum() * shape[1] / scores.shape[1]
    y = (weight * rows).sum() / weight.sum() * shape[0] / scores.shape[0]
    return x, y


@pytest.mark.parametrize("shape", [(300, 300), (201, 340), (120, 700), (517, 130)])
@pytest.mark.parametrize(
    "framing", [Framing((128, 128)), Framing((96, 128), 0.8, 32), Framing((64, 64), 0.37, 16)]
)
def test_the_map_lies_over_the_picture(shape: tuple[int, int], framing: Framing) -> None:
    for x, y in ((0.3, 0.4), (0.8, 0.75)):
        x, y = x * shape[1], y * shape[0]
        scores = seen(View(framing), spot(shape, x, y))
        found = centre_of(scores, shape)
        cell = max(shape[0] / scores.shape[0], shape[1] / scores.shape[1])
        assert found == pytest.approx((x + 0.5, y + 0.5), abs=1 + 0.15 * cell)


def test_outside_the_region_nothing_scores() -> None:
    region = from_polygons([[(0, 0), (150, 0), (150, 300), (0, 300)]], (300, 300))
    view = View(Framing((128, 128)), region=region)
    pixels = spot((300, 300), 240, 150)
    look = view.look(as_picture(pixels))
    assert look.inside is not None
    assert look.inside[:, :8].all()
    assert not look.inside[:, 8:].any()
    scores = look.in_picture(look.join({0: brightness(next(look.windows()).pixels)}))
    assert scores.max() == scores.min() == 0


def test_a_mask_is_a_region_too() -> None:
    mask = np.zeros((300, 300), np.uint8)
    mask[150:] = 255
    look = View(Framing((128, 128)), region=from_mask(mask)).look(
        as_picture(spot((300, 300), 9, 9))
    )
    assert look.inside is not None
    assert look.inside.sum() == 8 * 16


def test_a_map_of_an_aligned_part_lies_where_the_part_lies_in_the_picture() -> None:
    part = draw_casting(np.random.default_rng(3)).pixels
    height, width = part.shape[:2]
    turns = [
        cv2.warpAffine(
            part,
            cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1),
            (width, height),
            borderMode=cv2.BORDER_REPLICATE,
        )
        for angle in (-6, -3, 0, 2, 5)
    ]
    alignment = fit_alignment(turns, "rigid", largest_angle=20)
    view = View(Framing((256, 256)), alignment=alignment)
    plain = seen(View(Framing((256, 256))), turns[0])
    aligned = seen(view, turns[0])
    assert aligned.shape == plain.shape
    inner = slice(6, -6), slice(6, -6)
    assert np.corrcoef(aligned[inner].ravel(), plain[inner].ravel())[0, 1] > 0.95


def test_a_large_part_is_seen_whole_and_one_that_leaves_the_picture_is_not() -> None:
    picture = as_picture(draw_casting(np.random.default_rng(3), size=200).pixels)
    known = np.zeros((100, 100), np.float32)
    cv2.circle(known, (50, 50), 50, 0.9, -1)  # Turned pictures show their corners seldom.
    reference = small_grey(picture.pixels, known.shape)
    alignment = Alignment("polar", (200, 200), reference, known, centre=(49.5, 49.5), radius=40)
    view = View(Framing((256, 256)), alignment=alignment)
    brought = cv2.getRotationMatrix2D((99.5, 99.5), 45, 0.86)
    large = view.look(picture, Pose(brought, 1.0))
    assert large.inside is not None
    assert 1 - large.inside.mean() > UNSEEN
    assert not lost_reason(large)
    brought[0, 2] += 40
    assert "outside the picture" in lost_reason(view.look(picture, Pose(brought, 1.0)))


def test_a_part_that_is_not_found_is_said() -> None:
    part = draw_casting(np.random.default_rng(3)).pixels
    alignment = fit_alignment([part] * 3, "rigid")
    noise = np.random.default_rng(0).integers(0, 255, part.shape).astype(np.uint8)
    look = View(Framing((128, 128)), alignment=alignment).look(as_picture(noise))
    assert look.pose is not None
    assert not look.pose.found
    assert look.pose.reason
