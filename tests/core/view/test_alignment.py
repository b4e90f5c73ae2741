"""Parts brought to where they lie in a reference: brackets turned by known angles, and drawn and real castings."""

import json
import zipfile

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.view.alignment import METHODS, Alignment, Pose, to_picture, unwarp, warp
from flawline.core.view.alignment_training import fit_alignment
from flawline.core.view.registration import rescaled, shift, turn
from flawline.errors import UsageError
from flawline.synthetic.castings import DEFECTS, draw_casting
from flawline.synthetic.surface import draw_pose
from helpers.examples import examples

HEIGHT, WIDTH = 200, 260
MIDDLE = (WIDTH - 1) / 2, (HEIGHT - 1) / 2
CORNERS = [(-70, -40), (55, -40), (55, -8), (-35, -8), (-35, 50), (-70, 50)]


def bracket(seed, angle=0.0, x=0.0, y=0.0, hole=False):
    """A bracket turned by `angle` and moved, in a light of its own, with noise."""
    rng = np.random.default_rng(seed)
    large = np.full((3 * HEIGHT, 3 * WIDTH), 70, np.float32)

    def at(points):
        return np.round(3 * np.add(points, (WIDTH / 2, HEIGHT / 2))).astype(np.int32)

    cv2.fillPoly(large, [at(CORNERS)], 170)
    for middle, radius in (((-52, -24), 8), ((38, -24), 6), ((-52, 34), 8)):
        cv2.circle(large, at(middle).tolist(), 3 * radius, 60, -1)
    if hole:
        cv2.circle(large, at((-52, 6)).tolist(), 18, 40, -1)
    matrix = rescaled(shift(x, y) @ turn(MIDDLE, angle), 3, 3)[:2]
    how = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": 70}
    part = cv2.resize(
        cv2.warpAffine(large, matrix, large.shape[::-1], **how),
        (WIDTH, HEIGHT),
        interpolation=cv2.INTER_AREA,
    )
    across, down = np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT))
    lamp = rng.uniform(0, 2 * np.pi)
    light = np.exp(0.25 * (across * np.cos(lamp) + down * np.sin(lamp))) * rng.uniform(0.8, 1.15)
    noisy = part * light + rng.normal(0, 4, part.shape)
    return np.repeat(np.clip(noisy, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def poses(count, seed, angle, reach):
    rng = np.random.default_rng(seed)
    return [
        (float(rng.uniform(-angle, angle)), *map(float, rng.uniform(-reach, reach, 2)))
        for _ in range(count)
    ]


def casting_pose(seed, size):
    """Centre, in pixels of the picture, and angle of a drawn casting."""
    own = np.random.default_rng(int(np.random.default_rng(seed).integers(2**63, size=5)[0]))
    pose = draw_pose(own, round(1.5 * size))
    return pose.x / 1.5 - 0.5, pose.y / 1.5 - 0.5, np.degrees(pose.rotation)


def angle_of(matrix):
    return float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))


def off(angles):
    """Angles less their middle one, in degrees."""
    away = np.radians(np.asarray(angles))
    middle = np.angle(np.exp(1j * away).mean())
    return np.degrees(np.angle(np.exp(1j * (away - middle))))


@pytest.fixture(scope="module")
def shifted():
    return fit_alignment((bracket(i, *p) for i, p in enumerate(poses(10, 0, 0, 30))), "shift")


@pytest.fixture(scope="module")
def turned():
    return fit_alignment((bracket(i, *p) for i, p in enumerate(poses(10, 1, 180, 20))), "rigid")


@pytest.fixture(scope="module")
def rounds():
    parts = (draw_casting(np.random.default_rng(seed), size=200).pixels for seed in range(14))
    return fit_alignment(parts, "polar")


@pytest.mark.parametrize(("name", "angle", "reach"), [("shifted", 0, 40), ("turned", 180, 25)])
def test_brackets_with_a_defect_are_aligned_to_a_tenth_of_a_degree_and_a_pixel(
    name, angle, reach, request
):
    alignment = request.getfixturevalue(name)
    angles, corners = [], []
    for seed, pose in enumerate(poses(12, 9, angle, reach), start=100):
        found = alignment.find(bracket(seed, *pose, hole=seed % 2 == 0))
        assert found.found
        angles.append(angle_of(found.matrix) + pose[0])
        truth = shift(pose[1], pose[2]) @ turn(MIDDLE, pose[0])
        own = truth @ np.array([*np.add(CORNERS[0], MIDDLE), 1])
        corners.append(found.matrix @ own)
    assert np.abs(off(angles)).max() < 0.3
    away = np.hypot(*(np.array(corners) - np.median(corners, axis=0)).T)
    assert np.median(away) < 0.2
    assert away.max() < 0.6


def test_castings_are_aligned_by_their_keyway_among_seven_vanes(rounds):
    angles, centres = [], []
    for seed in range(200, 212):
        part = draw_casting(
            np.random.default_rng(seed), size=200, defect=[None, *DEFECTS][seed % 5]
        )
        found = rounds.find(part.pixels)
        assert found.found
        x, y, angle = casting_pose(seed, 200)
        angles.append(angle + angle_of(found.matrix))
        centres.append(found.matrix @ np.array([x, y, 1]))
    assert np.median(np.abs(off(angles))) < 0.4
    assert np.abs(off(angles)).max() < 2
    away = np.hypot(*(np.array(centres) - np.median(centres, axis=0)).T)
    assert away.max() < 1.5


def test_a_casting_turned_by_a_known_angle(rounds):
    part = draw_casting(np.random.default_rng(300), size=200).pixels
    before = rounds.find(part)
    for angle in (-170, -90, -33.3, 5, 120):
        motion = shift(6, -4) @ turn((99.5, 99.5), angle)
        picture = cv2.warpAffine(
            part, motion[:2], (200, 200), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        both = np.vstack([rounds.find(picture).matrix, [0, 0, 1]]) @ motion
        assert abs(off([angle_of(both), angle_of(before.matrix)])[0]) < 0.3
        middle = np.array([100, 100, 1])
        np.testing.assert_allclose(both[:2] @ middle, before.matrix @ middle, atol=0.5)


def test_a_round_reference_begun_off_centre_ends_where_parts_usually_lie():
    part = draw_casting(np.random.default_rng(400), size=200).pixels
    away = shift(-24, 14) @ turn((99.5, 99.5), 0, 0.92)
    clean = cv2.warpAffine(part, away[:2], (200, 200), borderMode=cv2.BORDER_REPLICATE)
    rng = np.random.default_rng(0)
    # Noise makes the others less alike, so that the clean one begins the reference.
    noisy = [
        np.clip(part + rng.normal(0, 25, part.shape), 0, 255).astype(np.uint8) for _ in "12345"
    ]
    matrix = fit_alignment([clean, *noisy], "polar").find(part).matrix
    np.testing.assert_allclose(matrix @ [99.5, 99.5, 1], [99.5, 99.5], atol=2)
    assert np.linalg.det(matrix[:, :2]) == pytest.approx(1, abs=0.05)


def test_what_shows_no_such_part_is_not_found_and_says_why(shifted, turned, rounds):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    for anomalous in (noise, np.zeros_like(noise), bracket(1, x=900), bracket(2)[:, ::-1].copy()):
        for alignment in (shifted, turned):
            pose = alignment.find(anomalous)
            assert not pose.found
            assert "not recognised" in pose.reason
            np.testing.assert_array_equal(pose.matrix, np.eye(2, 3))
    assert not rounds.find(noise[:200, :200]).found


def test_a_picture_of_another_shape_is_not_found_and_one_of_another_size_is(turned):
    assert "cannot be aligned" in turned.find(np.zeros((100, 100, 3), np.uint8)).reason
    small = bracket(50, 40, 5, 5)
    large = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    first, second = turned.find(small), turned.find(large)
    assert second.found
    doubled = rescaled(np.vstack([first.matrix, [0, 0, 1]]), 2, 2)[:2]
    np.testing.assert_allclose(doubled[:, :2], second.matrix[:, :2], atol=0.005)
    np.testing.assert_allclose(doubled[:, 2], second.matrix[:, 2], atol=1.5)


def test_one_picture_or_a_few_are_enough_to_align_with():
    for count in (1, 2, 5):
        alignment = fit_alignment(
            [bracket(i, *p) for i, p in enumerate(poses(count, 3, 30, 10))], "rigid"
        )
        assert alignment.find(bracket(99, -50, 8, 3)).found


@pytest.mark.parametrize("method", METHODS)
def test_pictures_with_nothing_in_common_are_refused(method):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (80, 80, 3), np.uint8) for _ in range(10)]
    with pytest.raises(UsageError, match="cannot be aligned"):
        fit_alignment(noise, method)


@pytest.mark.parametrize(
    ("pictures", "method", "angle", "reason"),
    [
        ([], "rigid", 180, "got none"),
        ([], "affine", 180, "expected a method"),
        ([], "rigid", 0, "expected a method"),
        ([np.zeros((50, 60, 3), np.uint8), np.zeros((60, 50, 3), np.uint8)], "rigid", 180, "shape"),
    ],
)
def test_what_cannot_be_fitted_is_refused(pictures, method, angle, reason):
    with pytest.raises(UsageError, match=reason):
        fit_alignment(pictures, method, largest_angle=angle)


@examples(25)
@given(st.floats(-180, 180), st.floats(-20, 20), st.floats(-20, 20))
def test_warped_pictures_show_what_they_say_and_maps_come_back(angle, x, y):
    pose = Pose((shift(x, y) @ turn((59.5, 49.5), angle))[:2], 1.0)
    rows, columns = np.mgrid[:100, :120]
    ramp = np.clip(60 + rows + 0.5 * columns, 0, 255).astype(np.uint8)
    picture = cv2.GaussianBlur(ramp, (0, 0), 2)
    turned, shown = warp(picture, pose)
    assert turned.min() >= picture.min() - 1
    back = unwarp(turned.astype(np.float32), pose, (100, 120))
    again = unwarp(shown.astype(np.float32), pose, (100, 120)) > 0.999
    assert np.abs(back - picture)[again].max(initial=0) <= 2.5
    points = np.array([[10.0, 20.0], [100.0, 70.0]])
    moved = points @ pose.matrix[:, :2].T + pose.matrix[:, 2]
    np.testing.assert_allclose(to_picture(moved, pose), points, atol=1e-9)


def test_a_coarse_map_comes_back_to_where_the_picture_shows_it():
    pose = Pose((shift(16, -8) @ turn((63.5, 63.5), 90))[:2], 1.0)
    cells = np.full((16, 16), -3, np.float32)
    cells[4, 9] = 5
    back = unwarp(cells, pose, (128, 128))
    row, column = np.unravel_index(int(back.argmax()), back.shape)
    expected = to_picture(np.array([9 * 8 + 3.5, 4 * 8 + 3.5]), pose)
    np.testing.assert_allclose([column * 8 + 3.5, row * 8 + 3.5], expected, atol=0.1)
    assert back.max() == pytest.approx(5, abs=0.01)
    assert back.min() == -3


def test_no_motion_changes_nothing():
    picture = bracket(0)
    same, shown = warp(picture, Pose(np.eye(2, 3), 1.0))
    np.testing.assert_array_equal(same, picture)
    assert shown.all()


def test_alignment_comes_back_from_settings_and_arrays(turned, rounds):
    castings = draw_casting(np.random.default_rng(40), size=200).pixels
    for alignment, picture in ((turned, bracket(70, 33, 4, 4)), (rounds, castings)):
        values, stored = alignment.as_arrays()
        again = Alignment.from_arrays(json.loads(json.dumps(values)), stored)
        one, two = alignment.find(picture), again.find(picture)
        assert one.quality == two.quality
        np.testing.assert_array_equal(one.matrix, two.matrix)


def test_real_castings_are_centred(real_data):
    with zipfile.ZipFile(real_data / "casting.zip") as archive:
        names = [name for name in sorted(archive.namelist()) if name.startswith("good/")][::50]
        parts = [cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), 1) for name in names]
    alignment = fit_alignment(parts, "polar")
    found = [alignment.find(part) for part in parts]
    assert all(pose.found for pose in found)
    assert np.median([pose.quality for pose in found]) > 0.8
    shown = [warp(part, pose)[0] for part, pose in zip(parts, found, strict=True)]
    before, after = (
        np.stack(each)[:, 75:225, 75:225].std(axis=0).mean() for each in (parts, shown)
    )
    assert after < 0.7 * before
