"""What is the part and what the ground; drawn castings know which pixels are metal."""

import csv
import json
import zipfile

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flawline.core.view.foreground import Foreground, fit_foreground
from flawline.errors import UsageError
from flawline.synthetic.castings import DEFECTS, draw_casting
from flawline.synthetic.surface import draw_pose, draw_surface
from helpers.examples import examples

SIZE = 200


def casting(seed, defect=None):
    """A drawn part: pixels, which of them are sound metal, and which defect."""
    part = draw_casting(np.random.default_rng(seed), size=SIZE, defect=defect)
    own = np.random.default_rng(int(np.random.default_rng(seed).integers(2**63, size=5)[0]))
    side = round(SIZE * 1.5)
    body = draw_surface(own, side, draw_pose(own, side)).body
    metal = cv2.resize(body, (SIZE, SIZE), interpolation=cv2.INTER_AREA) > 0.5
    return (
        part.pixels,
        cv2.morphologyEx(metal.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9))) > 0,
        part.mask > 0,
    )


def moved(values, seed, fill):
    """Smaller, and somewhere in the picture."""
    x, y = np.random.default_rng(seed).uniform(0.12, 0.28, 2) * SIZE
    matrix = np.array([[0.6, 0, x], [0, 0.6, y]])
    how = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": fill}
    return cv2.warpAffine(values, matrix, (SIZE, SIZE), flags=cv2.INTER_AREA, **how)


@pytest.fixture(scope="module")
def good():
    return [casting(seed) for seed in range(15)]


def on_plain_ground(part, seed):
    pixels, metal, _ = part
    pixels = np.where(metal[..., None], pixels, 60).astype(np.uint8)
    noise = np.random.default_rng(seed).normal(0, 2, (SIZE, SIZE, 1))
    shown = np.clip(moved(pixels, seed, (60, 60, 60)) + noise, 0, 255).astype(np.uint8)
    return shown, moved(metal.astype(np.uint8), seed, 0) > 0


def test_a_fixed_part_is_found_and_never_cut(good):
    foreground = fit_foreground(pixels for pixels, _, _ in good)
    assert foreground.kind == "fixed"
    assert foreground.confidence >= 0.9
    for seed, defect in enumerate(DEFECTS * 2):
        pixels, metal, damage = casting(100 + seed, defect)
        inside = foreground.inside(pixels)
        assert inside.shape == (SIZE, SIZE)
        assert (metal & ~inside).sum() == 0
        assert (damage & ~inside).sum() == 0
        assert 0.5 < inside.mean() < 0.9
        assert not inside[:8, :8].any()


def test_a_moving_part_is_found_each_time_and_never_cut(good):
    shown = [on_plain_ground(part, seed) for seed, part in enumerate(good)]
    foreground = fit_foreground(pixels for pixels, _ in shown)
    assert (foreground.kind, foreground.convex) == ("moving", True)
    for seed in range(20, 30):
        pixels, metal = on_plain_ground(casting(seed, DEFECTS[seed % 4]), seed)
        inside = foreground.inside(pixels)
        margin = cv2.dilate(metal.astype(np.uint8), np.ones((5, 5))) > 0
        assert (margin & ~inside).sum() == 0
        assert inside.sum() < 1.5 * metal.sum()


def test_a_few_pictures_do_not_say_that_the_part_always_lies_there(good):
    assert fit_foreground(pixels for pixels, _, _ in good[:4]).kind == "moving"


def test_missing_material_of_a_convex_part_is_inside(good):
    shown = [on_plain_ground(part, seed) for seed, part in enumerate(good)]
    foreground = fit_foreground(pixels for pixels, _ in shown)
    pixels, metal = on_plain_ground(good[0], 40)
    rows = np.flatnonzero(metal.any(axis=1))
    bitten = pixels.copy()
    column = int(np.flatnonzero(metal[rows[len(rows) // 2]])[-1])
    cv2.circle(bitten, (column, int(rows[len(rows) // 2])), 14, (60, 60, 60), -1)
    inside = foreground.inside(bitten)
    assert (metal & ~inside).sum() <= 5
    assert not inside.all()


def test_an_empty_or_unlike_picture_is_inside_everywhere(good):
    shown = [on_plain_ground(part, seed)[0] for seed, part in enumerate(good)]
    foreground = fit_foreground(shown)
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    tiny = np.full((SIZE, SIZE, 3), 60, np.uint8)
    tiny[90:100, 90:100] = 200
    for anomalous in (texture, tiny, np.full((SIZE, SIZE, 3), 60, np.uint8)):
        assert foreground.inside(anomalous).all()


def test_a_surface_that_fills_the_picture_has_no_foreground():
    rng = np.random.default_rng(0)
    for sigma in (0.8, 3, 12):
        noise = (rng.normal(0, 1, (150, 220)).astype(np.float32) for _ in range(12))
        rough = [cv2.GaussianBlur(each, (0, 0), sigma) for each in noise]
        surfaces = [
            np.clip(120 + 30 * each / each.std(), 0, 255).astype(np.uint8) for each in rough
        ]
        foreground = fit_foreground(surfaces)
        assert foreground.kind == "none"
        assert "everything is inside" in foreground.reason
        assert foreground.inside(surfaces[0]).all()


@examples(60)
@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 90), st.just(3))))
def test_any_picture_gives_some_inside(pixels):
    foreground = fit_foreground([pixels])
    inside = foreground.inside(pixels)
    assert inside.shape == pixels.shape[:2]
    assert inside.any()


def test_line_scans():
    scan = np.full((200, 5000, 3), 40, np.uint8)
    scan[40:160, 300:4700] = 180
    inside = fit_foreground([scan] * 3).inside(scan)
    assert inside[40:160, 300:4700].all()
    assert not inside[:, :100].any()


def test_foreground_comes_back_from_settings_and_arrays(good):
    shown = [on_plain_ground(part, seed)[0] for seed, part in enumerate(good)]
    for pictures in ([pixels for pixels, _, _ in good], shown):
        foreground = fit_foreground(pictures)
        values, stored = foreground.as_arrays()
        again = Foreground.from_arrays(json.loads(json.dumps(values)), stored)
        assert again.kind == foreground.kind
        np.testing.assert_array_equal(again.inside(pictures[0]), foreground.inside(pictures[0]))


def test_no_pictures_are_refused():
    with pytest.raises(UsageError, match="got none"):
        fit_foreground([])


def test_real_castings_have_a_foreground_and_real_tiles_none(real_data):
    with zipfile.ZipFile(real_data / "casting.zip") as archive:
        names = [name for name in sorted(archive.namelist()) if name.startswith("good/")][::16]
        castings = [cv2.imdecode(np.frombuffer(archive.read(n), np.uint8), 1) for n in names]
    foreground = fit_foreground(castings)
    assert (foreground.kind, foreground.convex) == ("moving", True)
    shares = [foreground.inside(pixels).mean() for pixels in castings]
    assert 0.6 < np.median(shares) < 0.8
    with (real_data / "magnetic_tile" / "samples.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["label"] == "free"][::25]
    tiles = [cv2.imread(str(real_data / "magnetic_tile" / row["image"])) for row in rows]
    assert fit_foreground(tiles).kind == "none"
