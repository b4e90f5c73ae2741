"""Training a detector of good parts, and teaching it more."""

from __future__ import annotations

import sys
import weakref
from dataclasses import replace

import cv2
import numpy as np
import pytest

from flawline.core.near_duplicates import near_duplicates, thumbprint
from flawline.data.image import read_image
from flawline.data.source import open_source
from flawline.detectors.registry import METHODS
from flawline.errors import SourceError, UsageError
from flawline.inspector import Inspector
from flawline.jobs.train.calibration_targets import CalibrationTargets
from flawline.jobs.train.selection import select
from flawline.jobs.train.update_recipe import update_anomaly
from flawline.jobs.train.view import MASK, ViewSettings
from flawline.recipe import (
    RegionSettings,
    known_pictures,
    read_recipe,
    recipe_with,
    stated_thresholds,
    thresholds_of,
    write_recipe,
)
from flawline.synthetic.castings import draw_casting
from flawline.types import no_track
from helpers.discs import SIDE, disc, heard, roles, spoilt, train, write, write_discs
from helpers.networks import write_network
from helpers.pictures import as_picture

WINDOW = (64, 64)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx")


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_discs(tmp_path_factory.mktemp("parts"), good=44, bad=3)


@pytest.fixture(scope="module")
def trained(parts, network):
    return train(parts, network)


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


def names(records, role):
    return {name for name, own in records.items() if own == role}


# What is learnt from.


def test_good_pictures_are_learnt_from_and_bad_ones_tell_escapes(trained):
    used = roles(trained)
    learnt, held = names(used, "train"), names(used, "calibration")
    assert len(used) == 47
    assert all(name.startswith("good/") for name in learnt)
    assert set(trained.bad) == {name for name in held if name.startswith("bad/")}
    assert set(trained.good) == {name for name in held if name.startswith("good/")}
    assert len(trained.bad) == 3
    assert 0.25 < len(trained.good) / 44 < 0.35
    limit, _ = thresholds_of(trained.recipe)
    assert min(trained.bad.values()) > limit
    escape = trained.recipe.manifest.metrics["defective"]["escape"]
    assert (escape["count"], escape["of"]) == (0, 3)
    assert f"n = {len(trained.good)}" in trained.recipe.settings.threshold.basis


def test_what_was_not_learnt_from_is_judged_as_its_scores_say(trained, parts):
    inspector = Inspector(trained.recipe)
    for name, score in (*list(trained.good.items())[:3], *trained.bad.items()):
        inspection = inspector.inspect(parts / name)
        assert inspection.score == score
        assert (inspection.verdict == "accept") == name.startswith("good/")
        assert np.isfinite(inspection.map).all()
    held = inspector.calibration.scores
    assert held.tolist() == sorted(trained.good.values())


def test_bad_pictures_do_not_change_what_is_learnt(trained, network, tmp_path):
    write_discs(tmp_path, good=44)
    alone = train(tmp_path, network)
    assert "detector_mean" in trained.recipe.arrays
    for name, array in trained.recipe.arrays.items():
        assert array.tobytes() == alone.recipe.arrays[name].tobytes(), name


def test_without_labels_all_is_good_and_that_is_said(network, tmp_path):
    for index in range(6):
        write(tmp_path / f"{index}.png", disc(index))
    done = train(tmp_path, network, held_out=None)
    assert "no label says good or bad: all 6 pictures are taken as good" in done.messages
    assert len(done.good) == 6
    assert not done.bad


def test_one_picture_is_told_in_the_singular(network, tmp_path):
    write(tmp_path / "0.png", disc(0))
    done = train(tmp_path, network, held_out=None)
    assert "no label says good or bad: the 1 picture is taken as good" in done.messages
    assert "1 good picture of 1 part to learn from" in done.messages


def test_a_label_that_says_nothing_is_left_out(network, tmp_path):
    write_discs(tmp_path, good=4)
    write(tmp_path / "maybe.png", spoilt(50))
    rows = ["image,label", "maybe.png,", *(f"good/{i}.png,good" for i in range(4))]
    (tmp_path / "samples.csv").write_text("\n".join(rows))
    done = train(tmp_path / "samples.csv", network)
    assert set(roles(done)) == {f"good/{index}.png" for index in range(4)}
    assert any(
        "1 picture whose label says neither good nor bad is left out" in line
        for line in done.messages
    )


def test_only_bad_pictures_is_an_error(network, tmp_path):
    write_discs(tmp_path, good=0, bad=3)
    with pytest.raises(SourceError, match="there are none"):
        train(tmp_path, network)


def test_other_splits_are_not_even_read(network, tmp_path):
    write_discs(tmp_path, good=8, bad=1)
    (tmp_path / "good" / "cut.png").write_bytes(b"no picture")
    rows = ["image,label,split"]
    rows += [f"good/{i}.png,good,{'train' if i < 5 else 'val'}" for i in range(8)]
    rows += ["bad/0.png,scratch,test", "good/cut.png,good,test"]
    (tmp_path / "samples.csv").write_text("\n".join(rows))
    done = train(tmp_path / "samples.csv", network)
    assert not done.unjudged
    assert not done.bad
    used = roles(done)
    assert names(used, "train") == {f"good/{i}.png" for i in range(5)}
    assert names(used, "calibration") == {f"good/{i}.png" for i in range(5, 8)}
    assert any("2 pictures of other splits are not touched" in line for line in done.messages)


def test_pictures_of_one_part_stay_together(network, tmp_path):
    rows = ["image,label,group"]
    for index in range(24):
        write(tmp_path / f"{index}.png", disc(index))
        rows.append(f"{index}.png,good,part {index // 3}")
    (tmp_path / "samples.csv").write_text("\n".join(rows))
    done = train(tmp_path / "samples.csv", network, held_out=0.4)
    used = roles(done)
    for group in range(8):
        assert len({used[f"{3 * group + view}.png"] for view in range(3)}) == 1
    parts_held = len(names(used, "calibration")) // 3
    assert done.recipe.manifest.metrics["calibration"]["parts"] == parts_held
    assert len(Inspector(done.recipe).calibration.scores) == parts_held
    # Without any to spare, folds keep parts together, too, and each part counts once.
    crossed = train(tmp_path / "samples.csv", network, held_out=None)
    assert crossed.recipe.manifest.metrics["calibration"] == {
        **crossed.recipe.manifest.metrics["calibration"],
        "parts": 8,
        "cross_fitted": True,
    }


@pytest.mark.parametrize("share", [0, 1, 1.5])
def test_a_share_to_hold_out_that_makes_no_sense(parts, network, share):
    with pytest.raises(UsageError, match="between 0 and 1"):
        train(parts, network, held_out=share)


def test_copies_count_once_and_are_listed(network, tmp_path):
    write_discs(tmp_path, good=10)
    pixels = disc(3)
    (tmp_path / "good" / "z.png").write_bytes((tmp_path / "good" / "3.png").read_bytes())
    write(tmp_path / "good" / "y.png", np.clip(pixels.astype(int) + 1, 0, 255).astype(np.uint8))
    done = train(tmp_path, network, held_out=None)
    assert done.copies == {"good/y.png": "good/3.png", "good/z.png": "good/3.png"}
    assert names(roles(done), "duplicate") == set(done.copies)
    assert len(done.good) == 10
    assert any("2 copies count once" in line for line in done.messages)


def test_a_defect_on_a_picture_that_is_known_is_no_copy(network, tmp_path):
    """The smallest defects would be missing from the share of escapes."""
    write_discs(tmp_path, good=10)
    write(tmp_path / "bad" / "0.png", with_dot(disc(2)))
    write(tmp_path / "bad" / "1.png", with_dot(disc(3)))
    done = train(tmp_path, network, held_out=None)
    assert set(done.bad) == {"bad/0.png", "bad/1.png"}
    assert len(done.good) == 10
    assert not done.copies


def with_dot(pixels: np.ndarray) -> np.ndarray:
    spoilt_a_little = pixels.copy()
    spoilt_a_little[50:52, 50:52] = 90
    return spoilt_a_little


def test_one_file_that_is_good_and_bad_is_not_learnt_from(network, tmp_path):
    write_discs(tmp_path, good=10)
    for label in ("bad", "zz scratch"):
        (tmp_path / label).mkdir()
    (tmp_path / "bad" / "0.png").write_bytes((tmp_path / "good" / "4.png").read_bytes())
    (tmp_path / "zz scratch" / "1.png").write_bytes((tmp_path / "good" / "5.png").read_bytes())
    with open_source(tmp_path, bad=["zz scratch"]) as source:
        chosen = select(source, share=None, seed=0, value_range=None, track=no_track)
    learnt = {sample.name for sample in chosen.learn}
    assert learnt == {f"good/{index}.png" for index in range(10) if index not in (4, 5)}


def test_nearly_the_same_picture_is_the_same_part(tmp_path):
    write_discs(tmp_path, good=30)
    one, other = disc(4).astype(float), disc(5).astype(float)
    for weight in np.arange(0.05, 0.4, 0.01):
        mixed = np.rint((1 - weight) * one + weight * other).astype(np.uint8)
        prints = [thumbprint(disc(index)) for index in range(30)] + [thumbprint(mixed)]
        found = near_duplicates(np.stack(prints))[-1]
        if found is not None and found[1] < 0.985:
            break
    assert found is not None
    write(tmp_path / "good" / "x.png", mixed)
    with open_source(tmp_path) as source:
        chosen = select(source, share=0.3, seed=0, value_range=None, track=no_track)
        assert not chosen.copies
        assert chosen.parts["good/x.png"] == chosen.parts["good/4.png"]
        for seed in range(12):
            chosen = select(source, share=0.3, seed=seed, value_range=None, track=no_track)
            held = {sample.name for sample in chosen.calibrate}
            assert len({"good/x.png", "good/4.png"} & held) != 1


@pytest.mark.parametrize("method", METHODS)
def test_bad_pictures_among_the_good_are_set_aside(method, network, tmp_path):
    write_discs(tmp_path, good=38)
    planted = {"good/90.png", "good/91.png"}
    for index, name in enumerate(sorted(planted)):
        write(tmp_path / name, spoilt(index + 90, size=32))
    done = train(tmp_path, network, method=method)
    suspects = {suspect.name for suspect in done.suspects}
    # Those held out for calibration are not looked at.
    learnt = planted - names(roles(done), "calibration")
    assert learnt
    assert suspects >= learnt
    assert len(suspects - learnt) <= 1
    assert names(roles(done), "set-aside") == suspects
    assert any(" bad and w" in line and "set aside" in line for line in done.messages)
    kept = train(tmp_path, network, method=method, set_aside=False)
    assert not kept.suspects
    assert planted <= names(roles(kept), "train") | names(roles(kept), "calibration")
    inspector, lenient = Inspector(done.recipe), Inspector(kept.recipe)
    score = inspector.find(as_picture(spoilt(90, size=32))).score
    if method == "patch-memory":
        assert score > lenient.find(as_picture(spoilt(90, size=32))).score


def test_suspects_are_never_learnt_from_or_scored_as_good(network, tmp_path):
    write_discs(tmp_path, good=24)
    write(tmp_path / "good" / "90.png", spoilt(90, size=32))
    done = train(tmp_path, network, held_out=None)
    assert done.suspects[0].name == "good/90.png"
    assert len(done.suspects) <= 2
    odd = {suspect.name for suspect in done.suspects}
    assert not odd & set(done.good)
    assert not odd & names(roles(done), "train")
    # The promise is about all good parts, so those set aside count as rejected.
    calibration = done.recipe.manifest.metrics["calibration"]
    assert calibration["parts"] == len(Inspector(done.recipe).calibration.scores) == 25
    assert 1 <= calibration["set_aside"] <= len(odd)
    assert calibration["reject"]["rank"] == 25 - calibration["set_aside"]
    assert done.recipe.settings.threshold.reject >= max(done.good.values())
    found = Inspector(done.recipe).inspect(tmp_path / "good" / "90.png")
    assert found.verdict == "reject"
    assert found.p_value == pytest.approx(2 / 26)
    assert "n = 25" in done.recipe.settings.threshold.basis
    assert any("set aside as rejected" in line for line in done.messages)


@pytest.mark.parametrize("states_its_own", [True, False])
def test_a_given_preparation_is_the_one_that_is_used(states_its_own, tmp_path, monkeypatch):
    own = {} if states_its_own else {"preparation": None}
    network = write_network(tmp_path / "other.onnx", **own)
    # Nothing of this needs the package.
    monkeypatch.setitem(sys.modules, "onnx", None)
    given = "mean=1/2/3,std=4/5/6,size=32"
    recipe = train(write_discs(tmp_path / "parts"), network, preparation=given).recipe
    used = Inspector(recipe).model.preparation
    assert (used.mean, used.std) == ((1, 2, 3), (4, 5, 6))
    assert recipe.manifest.backbone.preparation["mean"] == [1, 2, 3]


def test_the_embedded_backbone_tells_bad_parts_from_good_ones(parts):
    view = ViewSettings(window=(128, 128))
    done = train(parts, "flawline-small", precision="auto", view=view)
    assert done.recipe.manifest.backbone.name == "flawline-small"
    assert done.recipe.manifest.backbone.licence == "Apache-2.0"
    assert min(done.bad.values()) > max(done.good.values())
    assert done.recipe.manifest.metrics["defective"]["auroc"] == 1


# Few pictures, and what can be promised.


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_pictures_are_enough_to_begin_with(method, count, network, tmp_path):
    write_discs(tmp_path, good=count)
    done = train(tmp_path, network, method=method, held_out=None)
    inspector = Inspector(done.recipe)
    clean, defect = (inspector.inspect(as_picture(p)) for p in (disc(500), spoilt(501)))
    assert defect.score > clean.score
    basis = done.recipe.settings.threshold.basis
    if count == 1:
        assert clean.verdict == defect.verdict == "review"
        assert clean.p_value is None
        assert "none held out" in basis
    else:
        assert len(done.good) == count
        assert defect.verdict == "reject"
        assert f"n = {count}" in basis
        assert "cross-calibrated" in basis
        assert defect.p_value == pytest.approx(1 / (count + 1))
        assert any("cannot promise an overkill of 5 %" in line for line in done.messages)


def test_a_copy_of_the_only_picture_is_not_another_part(network, tmp_path):
    for name in ("a", "b", "c"):
        write(tmp_path / f"{name}.png", disc(1))
    done = train(tmp_path, network)
    assert len(done.copies) == 2
    assert "none held out" in done.recipe.settings.threshold.basis


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (CalibrationTargets(overkill=0.01), "299 held-out good parts, got 14"),
        (CalibrationTargets(review=0.02), "149 held-out good parts, got 14"),
        (
            CalibrationTargets(cost_escape=5, cost_overkill=1, prevalence=0.1),
            "1 held-out defective part, got 0",
        ),
    ],
)
def test_a_guarantee_without_its_pictures_is_refused_before_the_work(
    settings, message, network, tmp_path
):
    write_discs(tmp_path, good=44)
    titles = []
    with pytest.raises(UsageError, match=message) as caught:
        train(tmp_path, network, thresholds=settings, track=heard(titles))
    assert caught.value.code == "calibration-too-few"
    assert titles == ["looking at the pictures"]


def test_cross_fitted_guarantees_are_refused_before_the_work_too(network, tmp_path):
    write_discs(tmp_path, good=12)
    titles = []
    with pytest.raises(UsageError, match="59 held-out good parts, got 12"):
        train(
            tmp_path,
            network,
            thresholds=CalibrationTargets(overkill=0.05),
            held_out=None,
            track=heard(titles),
        )
    assert titles == ["looking at the pictures"]
    write_discs(tmp_path / "one", good=1)
    with pytest.raises(UsageError, match="only one part"):
        train(tmp_path / "one", network, thresholds=CalibrationTargets(overkill=0.5))


def test_costs_decide_where_they_are_given(parts, network):
    settings = CalibrationTargets(cost_escape=50, cost_overkill=1, prevalence=0.01)
    done = train(parts, network, thresholds=settings)
    review, reject = thresholds_of(done.recipe)
    assert review == reject
    assert max(done.good.values()) <= review < min(done.bad.values())
    assert "least expected cost" in done.recipe.settings.threshold.basis


# The same recipe.


@pytest.mark.parametrize("method", METHODS)
def test_the_same_source_and_seed_give_the_same_bytes(method, network, tmp_path, compiled_anew):
    write_discs(tmp_path / "parts", good=22, bad=1)
    written = []
    for index in range(2):
        done = train(tmp_path / "parts", network, method=method, seed=3)
        path = write_recipe(done.recipe, tmp_path / f"{index}.flaw")
        written.append(path.read_bytes())
        assert read_recipe(path).sha256 == done.recipe.sha256
    assert written[0] == written[1]


def test_another_seed_gives_another_recipe(trained, parts, network):
    other = train(parts, network, seed=4)
    assert other.recipe.sha256 != trained.recipe.sha256
    assert other.recipe.arrays.keys() == trained.recipe.arrays.keys()
    assert any(
        array.tobytes() != trained.recipe.arrays[name].tobytes()
        for name, array in other.recipe.arrays.items()
    )


def test_nothing_depends_on_the_name_of_the_folder(trained, network, tmp_path):
    again = train(write_discs(tmp_path / "elsewhere", good=44, bad=3), network)
    assert again.recipe.sha256 == trained.recipe.sha256


def test_a_value_range_is_kept_in_the_recipe(network, tmp_path):
    for index in range(5):
        deep = disc(index)[..., 0].astype(np.uint16) * 16
        write(tmp_path / f"{index}.png", deep)
    done = train(tmp_path, network, value_range=(0, 4095))
    path = write_recipe(done.recipe, tmp_path / "deep.flaw")
    inspector = Inspector.open(path)
    assert inspector.value_range == (0, 4095)
    data = (tmp_path / "3.png").read_bytes()
    picture = read_image(data, value_range=(0, 4095))
    assert picture.pixels.max() > 150
    assert inspector.inspect(data).score == inspector.inspect(picture).score
    assert inspector.inspect(data).score != inspector.inspect(read_image(data)).score
    # As trained: 8-bit pictures of the same range look the same.
    assert inspector.inspect(as_picture(disc(3)[..., 0])).score == pytest.approx(
        inspector.inspect(data).score, rel=0.2, abs=1
    )


def test_a_picture_that_cannot_be_read_is_listed(network, tmp_path):
    write_discs(tmp_path, good=4)
    (tmp_path / "good" / "cut.png").write_bytes((tmp_path / "good" / "0.png").read_bytes()[:300])
    done = train(tmp_path, network, held_out=None)
    assert [item.image for item in done.unjudged] == ["good/cut.png"]
    assert len(done.good) == 4
    for path in (tmp_path / "good").glob("[0-9].png"):
        path.write_bytes(b"x")
    with pytest.raises(SourceError, match="none of the 5 good pictures can be read"):
        train(tmp_path, network)


# Where and how a picture is looked at.


@pytest.mark.parametrize("kind", ["polygons", "relative", "mask"])
def test_outside_the_region_of_interest_nothing_scores(kind, network, tmp_path):
    write_discs(tmp_path, good=6)
    left = ((0.0, 0.0), (48.0, 0.0), (48.0, 96.0), (0.0, 96.0))
    mask = np.zeros((SIDE, SIDE, 3), np.uint8)
    mask[:, :48] = 255
    region, content = {
        "polygons": (RegionSettings(polygons=(left,)), None),
        "relative": (
            RegionSettings(
                unit="relative", polygons=(tuple((x / SIDE, y / SIDE) for x, y in left),)
            ),
            None,
        ),
        "mask": (RegionSettings(mask=MASK), png(mask)),
    }[kind]
    done = train(tmp_path, network, view=ViewSettings(window=WINDOW, region=region, mask=content))
    path = write_recipe(done.recipe, tmp_path / "left.flaw")
    inspector = Inspector.open(path)
    clean = inspector.inspect(as_picture(disc(70)))
    right = inspector.inspect(as_picture(spoilt(70, left=72)))
    assert right.score == clean.score
    assert right.verdict == clean.verdict
    assert [region.box for region in right.regions] == [region.box for region in clean.regions]
    there = inspector.inspect(as_picture(spoilt(70, left=16)))
    assert there.verdict == "reject"
    for region_found in there.regions:
        x, _, width, _ = region_found.box
        assert x + width <= 48 + 12


def test_a_region_beside_the_picture_is_refused_with_the_reason(network, tmp_path):
    write_discs(tmp_path, good=3)
    outside = RegionSettings(polygons=(((200.0, 0.0), (300.0, 0.0), (300.0, 90.0)),))
    with pytest.raises(UsageError, match="region of interest is empty"):
        train(tmp_path, network, view=ViewSettings(window=WINDOW, region=outside))
    black = png(np.zeros((SIDE, SIDE, 3), np.uint8))
    with pytest.raises(UsageError, match="black"):
        train(
            tmp_path,
            network,
            view=ViewSettings(window=WINDOW, region=RegionSettings(mask=MASK), mask=black),
        )


def test_what_the_part_does_not_cover_can_be_left_out(network, tmp_path):
    for index in range(6):
        write(tmp_path / f"{index}.png", on_black(disc(index)))
    settings = ViewSettings(window=WINDOW, region=RegionSettings(foreground=True))
    done = train(tmp_path, network, view=settings)
    assert any(line.startswith("foreground:") for line in done.messages)
    inspector = Inspector.open(write_recipe(done.recipe, tmp_path / "disc.flaw"))
    corner = on_black(disc(70))
    corner[2:7, 2:7] = 60
    on_part = on_black(spoilt(70))
    clean = inspector.inspect(as_picture(on_black(disc(70))))
    assert inspector.inspect(as_picture(corner)).score == pytest.approx(clean.score, rel=0.05)
    assert inspector.inspect(as_picture(on_part)).score > 2 * clean.score


def on_black(pixels: np.ndarray) -> np.ndarray:
    inside = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(inside, (SIDE // 2, SIDE // 2), SIDE // 3, 1, -1)
    return np.where(inside[..., None] > 0, pixels, 8).astype(np.uint8)


@pytest.mark.parametrize("light", ["none", "level"])
def test_moved_parts_are_brought_into_place(light, network, tmp_path):
    rng = np.random.default_rng(0)
    for index in range(12):
        x, y = rng.integers(-9, 10, 2)
        write(tmp_path / f"{index}.png", moved(casting(index), int(x), int(y)))
    settings = ViewSettings(window=(128, 128), alignment="shift", light=light)
    done = train(tmp_path, network, view=settings)
    inspector = Inspector.open(write_recipe(done.recipe, tmp_path / "part.flaw"))
    assert inspector.recipe.settings.alignment.method == "shift"
    assert inspector.recipe.settings.light.method == light
    part = casting(50)
    shifted = inspector.inspect(as_picture(moved(part, 7, -6)))
    assert not [reason for reason in shifted.reasons if "look at it" in reason]
    squares = np.indices((14, 14)).sum(axis=0) // 2 % 2 * 255
    part[50:64, 60:74] = squares[..., None]
    bad = inspector.inspect(as_picture(moved(part, 7, -6)))
    assert bad.verdict == "reject"
    assert bad.score > 2 * shifted.score
    x, y, width, height = bad.regions[0].box
    assert x <= 67 + 7 <= x + width
    assert y <= 57 - 6 <= y + height
    nothing = rng.integers(0, 255, part.shape).astype(np.uint8)
    lost = inspector.inspect(as_picture(nothing))
    assert lost.verdict != "accept"


def casting(seed: int) -> np.ndarray:
    return draw_casting(np.random.default_rng(seed), size=128).pixels.copy()


def moved(pixels: np.ndarray, right: int, down: int) -> np.ndarray:
    matrix = np.array([[1, 0, right], [0, 1, down]], float)
    size = pixels.shape[1::-1]
    return cv2.warpAffine(pixels, matrix, size, borderMode=cv2.BORDER_REPLICATE)


def test_a_smallest_defect_that_cannot_stay_visible_is_refused(network, tmp_path):
    with pytest.raises(UsageError, match="needs the scale"):
        ViewSettings(min_defect="0.3 mm")
    with pytest.raises(UsageError, match='such as "3 px"'):
        ViewSettings(min_defect="tiny")
    write_discs(tmp_path, good=3)
    titles = []
    with pytest.raises(UsageError, match="1 pixel"):
        train(
            tmp_path,
            network,
            view=ViewSettings(window=WINDOW, min_defect="0.5 px"),
            track=heard(titles),
        )
    assert "learning" not in titles
    write(tmp_path / "large" / "0.png", np.zeros((2500, 2500, 3), np.uint8))
    with pytest.raises(UsageError, match="more than 4096"):
        train(tmp_path / "large", network, view=ViewSettings(window=WINDOW, min_defect="2 px"))


def test_a_small_defect_takes_tiles(network, tmp_path):
    write_discs(tmp_path, good=4)
    settings = ViewSettings(window=WINDOW, min_defect="0.3 mm", mm_per_px=0.1)
    done = train(tmp_path, network, view=settings)
    picture = done.recipe.settings.picture
    assert picture.resolution == pytest.approx(8 / 3)
    assert (picture.min_defect, picture.mm_per_px) == ("0.3 mm", 0.1)
    assert not [name for name in done.recipe.arrays if name.startswith("detector_place_")]
    inspector = Inspector.open(write_recipe(done.recipe, tmp_path / "disc.flaw"))
    small = disc(70)
    small[40:43, 50:53] = 255
    inspection = inspector.inspect(as_picture(small))
    x, y, width, height = inspection.regions[0].box
    assert x <= 51 <= x + width
    assert y <= 41 <= y + height
    wide = np.hstack([disc(71)] * 3)
    assert np.isfinite(inspector.find(as_picture(wide)).map).all()


@pytest.mark.parametrize("settings", [{"method": "padim"}, {"precision": "f16"}])
def test_unknown_words_are_errors_before_a_picture_is_read(settings, parts, network):
    titles = []
    with pytest.raises(Exception, match="is not one of") as caught:
        train(parts, network, track=heard(titles), **settings)
    assert hasattr(caught.value, "hint")
    assert not titles


# More pictures later.


def marked(seed: int) -> np.ndarray:
    """A good part with a mark that training has never shown."""
    pixels = disc(seed)
    cv2.putText(pixels, "OK", (34, 58), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 60), 3)
    return pixels


@pytest.fixture(scope="module")
def remembering(parts, network):
    # Larger windows: of few cells, a memory would hold nearly all of each picture.
    view = ViewSettings(window=(128, 128))
    return train(parts, network, method="patch-memory", view=view).recipe


def update(recipe, location, calibration=None, **options):
    with open_source(location) as source:
        if calibration is None:
            return update_anomaly(recipe, source, **options)
        with open_source(calibration) as held:
            return update_anomaly(recipe, source, calibration=held, **options)


def marked_parts(folder, count=3, first=200):
    for index in range(first, first + count):
        write(folder / "good" / f"{index}.png", marked(index))
    return folder


def test_a_false_alarm_is_learnt(remembering, tmp_path):
    limit, _ = thresholds_of(remembering)
    done = update(remembering, marked_parts(tmp_path))
    assert min(done.before.values()) > limit
    assert all(done.after[name] < 0.5 * before for name, before in done.before.items())
    accepted = sum(score <= limit for score in done.after.values())
    assert accepted >= 2
    text = f"3 of them were false alarms, {accepted} of which are accepted now"
    assert any(text in line for line in done.messages)
    assert not any("detector of averages" in line for line in done.messages)
    assert Inspector(done.recipe).inspect(as_picture(marked(300))).score < min(done.before.values())
    assert Inspector(done.recipe).inspect(as_picture(spoilt(301))).verdict == "reject"
    assert done.recipe.sha256 != remembering.sha256
    used = roles(done)
    assert [used[name] for name in done.before] == ["train"] * 3


def test_pictures_of_another_part_are_not_learnt_unless_asked_for(remembering, tmp_path):
    for index in range(3):
        stripes = np.indices((SIDE, SIDE)).sum(axis=0) // 3 % 2 * (255 - index)
        write(tmp_path / "good" / f"{index}.png", np.dstack([stripes] * 3).astype(np.uint8))
    with pytest.raises(SourceError, match="show another part") as caught:
        update(remembering, tmp_path)
    assert caught.value.code == "update-part"
    assert update(remembering, tmp_path, anyway=True).before


def test_thresholds_say_how_much_was_added_since(remembering, tmp_path):
    marked_parts(tmp_path / "one", 2)
    # With another mark than those learnt: they are alarms again, so that nothing is calibrated with them.
    for index in range(220, 223):
        write(tmp_path / "two" / "good" / f"{index}.png", spoilt(index))
    once = update(remembering, tmp_path / "one").recipe
    twice = update(once, tmp_path / "two").recipe
    base = remembering.settings.threshold.basis
    assert once.settings.threshold.basis == f"{base}; set before 2 pictures were added"
    assert twice.settings.threshold.basis == f"{base}; set before 5 pictures were added"
    assert thresholds_of(twice) == thresholds_of(remembering)
    words = replace(remembering.settings.threshold, basis="by hand; set before last winter")
    edited = recipe_with(remembering, settings=replace(remembering.settings, threshold=words))
    basis = update(edited, tmp_path / "one").recipe.settings.threshold.basis
    assert basis == "by hand; set before last winter; set before 2 pictures were added"


def test_new_parts_calibrate_with_those_of_the_training(trained, tmp_path):
    write_discs(tmp_path, good=12, first=300)
    before = Inspector(trained.recipe).calibration
    done = update(trained.recipe, tmp_path)
    after = Inspector(done.recipe).calibration
    assert len(after.scores) == len(before.scores) + 12
    assert set(before.scores) <= set(after.scores)
    # New parts are scored by detectors that learnt other new ones, not by the one before.
    assert not set(done.before.values()) & set(after.scores)
    metrics = done.recipe.manifest.metrics
    assert metrics["calibration"]["cross_fitted"]
    assert metrics["calibration"]["parts"] == len(after.scores)
    assert "defective" in trained.recipe.manifest.metrics
    assert "defective" not in metrics
    assert f"n = {len(after.scores)}" in done.recipe.settings.threshold.basis
    assert stated_thresholds(done.recipe)["basis"] == done.recipe.settings.threshold.basis
    assert any("`flawline evaluate` tells" in line for line in done.messages)
    assert roles(done)["good/300.png"] == "train"


def test_thresholds_that_stay_say_why(trained, remembering, tmp_path):
    write_discs(tmp_path / "more", good=3, first=300)
    kept = update(trained.recipe, tmp_path / "more", keep_thresholds=True)
    assert thresholds_of(kept.recipe) == thresholds_of(trained.recipe)
    assert any(line.startswith("the thresholds stay as they were; give") for line in kept.messages)
    limit = replace(trained.recipe.settings.threshold, reject=1e6)
    edited = recipe_with(trained.recipe, settings=replace(trained.recipe.settings, threshold=limit))
    done = update(edited, tmp_path / "more")
    assert thresholds_of(done.recipe) == thresholds_of(edited)
    assert any("stay as they were: they were edited by hand" in line for line in done.messages)
    chosen = update(remembering, marked_parts(tmp_path / "alarms"))
    assert any("3 of 3 new parts were not accepted before" in line for line in chosen.messages)
    bad = {**trained.recipe.manifest.settings["thresholds"], "escape": 0.5}
    manifest = replace(
        trained.recipe.manifest, settings={**trained.recipe.manifest.settings, "thresholds": bad}
    )
    by_bad = update(recipe_with(trained.recipe, manifest=manifest), tmp_path / "more")
    assert any("known bad parts set them" in line for line in by_bad.messages)
    with pytest.raises(UsageError, match="`keep_thresholds` keeps them"):
        update(trained.recipe, tmp_path / "more", tmp_path / "more", keep_thresholds=True)


def test_what_was_learnt_twice_is_not_learnt_again(remembering, parts, tmp_path):
    with pytest.raises(SourceError, match="nothing new"):
        update(remembering, parts)
    done = update(remembering, marked_parts(tmp_path, 2))
    with pytest.raises(SourceError, match="nothing new"):
        update(done.recipe, tmp_path)
    one_more = update(done.recipe, marked_parts(tmp_path, 3))
    assert list(one_more.before) == ["good/202.png"]


def test_bad_unknown_and_test_pictures_are_not_learnt(remembering, tmp_path):
    marked_parts(tmp_path, 3)
    write(tmp_path / "bad" / "0.png", spoilt(400))
    assert set(update(remembering, tmp_path).before) == {f"good/{i}.png" for i in (200, 201, 202)}
    (tmp_path / "samples.csv").write_text(
        "image,label,split\ngood/200.png,good,train\ngood/201.png,good,test\nbad/0.png,bad,train\n"
        "good/202.png,,train\n"
    )
    assert set(update(remembering, tmp_path / "samples.csv").before) == {"good/200.png"}


def test_thresholds_are_set_anew_on_pictures_held_out(remembering, tmp_path):
    marked_parts(tmp_path / "new", 6)
    marked_parts(tmp_path / "held", 9, first=300)
    write(tmp_path / "held" / "bad" / "0.png", spoilt(500))
    done = update(remembering, tmp_path / "new", tmp_path / "held")
    basis = done.recipe.settings.threshold.basis
    assert "n = 9" in basis
    assert "set before" not in basis
    assert done.recipe.manifest.metrics["calibration"]["thresholds"]["basis"] == basis
    assert stated_thresholds(done.recipe)["basis"] == basis
    held = Inspector(done.recipe).calibration
    assert len(held.scores) == len(held.peaks) == 9
    known = known_pictures(done.recipe)
    assert sum(role == "calibration" for role in known.values()) >= 9
    by_name = {p.name: p.role for p in done.recipe.manifest.pictures}
    assert by_name["good/300.png"] == "calibration"
    assert "bad/0.png" not in {p.name for p in done.recipe.manifest.pictures if p.role == "train"}
    # What was learnt first stays known.
    before = {p.sha256 for p in remembering.manifest.pictures if p.role == "train"}
    assert before <= set(known)
    asked = CalibrationTargets(overkill=0.3)
    updated = update(remembering, tmp_path / "new", tmp_path / "held", targets=asked)
    assert "at most 30 %" in updated.recipe.settings.threshold.basis


def test_false_alarms_are_accepted_by_the_thresholds_that_are_set_anew(remembering, tmp_path):
    marked_parts(tmp_path / "new", 3)
    marked_parts(tmp_path / "held", 9, first=300)
    strict = replace(remembering.settings.threshold, review=-1.0, reject=-1.0)
    settings = replace(remembering.settings, threshold=strict)
    done = update(replace(remembering, settings=settings), tmp_path / "new", tmp_path / "held")
    now, _ = thresholds_of(done.recipe)
    accepted = sum(score <= now for score in done.after.values())
    assert accepted > 0
    assert f"3 of them were false alarms, {accepted} of which are accepted now" in done.messages


def test_calibrating_on_what_was_learnt_is_refused_before_the_work(remembering, parts, tmp_path):
    marked_parts(tmp_path, 5)
    for held in (parts, tmp_path):
        titles = []
        with pytest.raises(UsageError, match="were learnt from") as caught:
            update(remembering, tmp_path, held, track=heard(titles))
        assert caught.value.code == "calibration-leak"
        assert "learning" not in titles


def test_too_few_to_calibrate_are_refused_before_the_work(remembering, tmp_path):
    marked_parts(tmp_path / "new", 3)
    marked_parts(tmp_path / "held", 4, first=300)
    titles = []
    with pytest.raises(UsageError, match="299 held-out good parts, got 4") as caught:
        update(
            remembering,
            tmp_path / "new",
            tmp_path / "held",
            targets=CalibrationTargets(overkill=0.01),
            track=heard(titles),
        )
    assert caught.value.code == "calibration-too-few"
    assert "learning" not in titles


@pytest.mark.parametrize("method", METHODS)
def test_updating_is_repeatable_and_keeps_the_region(method, network, tmp_path):
    write_discs(tmp_path / "parts", good=8)
    half = (((0.0, 0.0), (48.0, 0.0), (48.0, 96.0), (0.0, 96.0)),)
    view = ViewSettings(window=WINDOW, region=RegionSettings(polygons=half))
    recipe = train(tmp_path / "parts", network, method=method, view=view).recipe
    write_discs(tmp_path / "more", good=5, first=60)
    one, two = (update(recipe, tmp_path / "more").recipe for _ in range(2))
    assert one.sha256 == two.sha256
    assert one.settings.region_of_interest == recipe.settings.region_of_interest
    assert (
        one.manifest.settings["detector"]["windows"]
        == recipe.manifest.settings["detector"]["windows"] + 5
    )
    inspector = Inspector.open(write_recipe(one, tmp_path / "one.flaw"))
    assert inspector.inspect(as_picture(spoilt(90, left=20))).verdict == "reject"
    if method != "fast":
        # Its cells are so large that the border of the region sees what lies a quarter of the picture away.
        clean = inspector.inspect(as_picture(disc(91)))
        assert inspector.inspect(as_picture(spoilt(91, left=72))).score == clean.score


def test_memory_does_not_grow_with_the_maps_of_pictures(parts, network, monkeypatch):
    """Maps of large pictures by the thousand would not fit."""
    maps, most = [], 0
    original = Inspector.find

    def find(self, picture):
        nonlocal most
        found = original(self, picture)
        maps.append(weakref.ref(found.map))
        most = max(most, sum(one() is not None for one in maps))
        return found

    monkeypatch.setattr(Inspector, "find", find)
    done = train(parts, network)
    assert len(maps) == len(done.good) + len(done.bad) > 15
    assert most < 10
