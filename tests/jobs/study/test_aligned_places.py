"""Parts that lie anyhow give one map: places are brought onto the part by the alignment of a recipe."""

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.core.view.alignment_training import fit_alignment
from flawline.core.view.framing import Framing
from flawline.data.source import open_source
from flawline.errors import FlawlineError, UsageError
from flawline.inspector.view import View
from flawline.jobs.study.aligned_places import align_places
from flawline.jobs.study.inspected_parts import InspectedParts
from flawline.jobs.study.location_report import finding, location_report
from flawline.jobs.study.location_study import study_location
from flawline.jobs.train.view import ViewSettings
from flawline.recipe import write_recipe
from flawline.records import open_store
from flawline.records.pictures import open_pictures
from flawline.records.record import DefectRecord, Record
from flawline.records.where import Where
from flawline.server.study_kinds import read_settings, study_kind
from flawline.server.work.study_job import read_shown, run_study
from flawline.station.stored_recipe import store_recipe
from flawline.types import no_track
from helpers.discs import train, write
from helpers.networks import write_network

SIDE = 128
SPOT = (86.0, 54.0)


def bracket(rng, turned=True, scale=1, defect=SPOT):
    """A bracket with its defect, anywhere and at any angle; returns the picture and where the defect lies in it."""
    face = np.zeros((SIDE, SIDE), np.float32)
    cv2.rectangle(face, (32, 44), (96, 84), 1.0, -1)
    cv2.rectangle(face, (32, 26), (52, 46), 1.0, -1)
    cv2.circle(face, (76, 70), 8, 0.3, -1)
    pixels = np.repeat(70 + 90 * face[..., None], 3, axis=2)
    if defect is not None:
        cv2.circle(pixels, (round(defect[0]), round(defect[1])), 3, (30, 30, 30), -1)
    middle = (SIDE - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), rng.uniform(-180, 180) if turned else 0, 1)
    matrix[:, 2] += rng.uniform(-6, 6, 2)
    pixels = cv2.warpAffine(pixels, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    pixels = cv2.resize(pixels, None, fx=scale, fy=scale) + rng.normal(
        0, 4, (SIDE * scale, SIDE * scale, 3)
    )
    place = matrix @ np.array([*(defect or SPOT), 1.0])
    return pixels.clip(0, 255).astype(np.uint8), (place + 0.5) * scale - 0.5


def ring(rng, angle):
    """A ring with a notch, turned; returns the picture and where a defect 30 degrees behind the notch lies."""
    pixels = np.full((SIDE, SIDE, 3), 70.0)
    centre = rng.uniform(60, 68, 2)
    at = tuple(int(v) for v in centre.round())
    cv2.circle(pixels, at, 44, (170, 170, 170), -1)
    cv2.circle(pixels, at, 24, (70, 70, 70), -1)
    notch = at + 40 * np.array([np.cos(angle), np.sin(angle)])
    cv2.circle(pixels, tuple(int(v) for v in notch.round()), 7, (70, 70, 70), -1)
    away = angle + np.radians(30)
    noisy = pixels + rng.normal(0, 4, pixels.shape)
    place = np.array(at) + 34 * np.array([np.cos(away), np.sin(away)])
    return noisy.clip(0, 255).astype(np.uint8), place


def inspected(places, names=None):
    """One defect for each picture."""
    count = len(places)
    names = names or [f"{k}.png" for k in range(count)]
    return InspectedParts(
        {"image": tuple(names)},
        np.arange(count),
        ("pit",),
        np.zeros(count, np.int64),
        np.array(places, np.float64),
        np.full(count, np.nan),
        "image",
        complete=True,
    )


def aligned(view, drawn, names=None):
    """Align the defects of pictures of parts."""
    pictures = {f"{k}.png": picture for k, (picture, _) in enumerate(drawn)}
    found = inspected([place for _, place in drawn], names)
    with open_source(pictures) as source:
        return align_places(
            found, view, "bracket (12345678)", source, found.columns["image"], no_track
        )


@pytest.fixture(scope="module")
def rigid():
    """A view that aligns brackets, learnt from one that lies straight and others that do not."""
    rng = np.random.default_rng(0)
    good = [bracket(rng, defect=None)[0] for _ in range(5)]
    return View(Framing((64, 64)), alignment=fit_alignment(good, "rigid"))


def test_defects_of_turned_parts_come_together(rigid):
    rng = np.random.default_rng(1)
    drawn = [bracket(rng) for _ in range(6)] + [bracket(rng, scale=2)]
    spread = np.std([place for _, place in drawn[:-1]], axis=0)
    found = aligned(rigid, drawn)
    assert found.by.aligned == 7
    assert found.by.lost == ()
    assert spread.min() > 10
    assert found.found.places.std(axis=0).max() < 2
    assert found.found.extent == (0, 0, SIDE, SIDE)
    # The defect is dark in the mean of the aligned parts.
    x, y = found.found.places.mean(axis=0).round().astype(int)
    assert found.seen.mean[y, x] < 100


def test_a_part_that_is_not_recognised_is_left_out_and_named(rigid):
    rng = np.random.default_rng(2)
    noise = rng.normal(90, 20, (SIDE, SIDE, 3)).clip(0, 255).astype(np.uint8)
    drawn = [bracket(rng), (noise, (5, 5)), bracket(rng), (bracket(rng)[0], (np.nan, np.nan))]
    found = aligned(rigid, drawn, ["0.png", "1.png", "gone.png", "3.png"])
    assert {one.image for one in found.by.lost} == {"1.png", "gone.png"}
    assert "not recognised" in found.by.lost[0].reason
    # A part whose defect has no place has nothing to align, and stays.
    assert found.found.columns["image"] == ("0.png", "3.png")
    assert found.found.owner.tolist() == [0, 1]
    study = study_location(found.found, aligned=found.by)
    told = finding(study)
    assert "aligned by the recipe bracket (12345678)" in told
    assert "2 of 3 pictures could not be aligned and are left out: 1.png, gone.png" in told
    report = location_report(study)
    assert [row.label for row in report.skipped] == ["1.png", "gone.png"]
    assert report.assumptions[0].holds == "does not"
    with pytest.raises(FlawlineError, match="none of 1 pictures can be aligned"):
        aligned(rigid, [(noise, (5, 5))])


def test_round_parts_are_looked_at_by_angle_and_radius():
    rng = np.random.default_rng(3)
    good = [ring(rng, angle)[0] for angle in np.linspace(0, 5, 5)]
    view = View(Framing((64, 64)), alignment=fit_alignment(good, "polar"))
    found = aligned(view, [ring(rng, angle) for angle in rng.uniform(0, 2 * np.pi, 5)])
    centre = np.array(found.by.centre)
    away = found.found.places - centre
    assert np.hypot(*away.T) == pytest.approx(34, abs=2.5)
    angles = np.degrees(np.arctan2(away[:, 1], away[:, 0]))
    assert np.abs((angles - angles[0] + 180) % 360 - 180).max() < 6
    assert study_location(found.found, aligned=found.by).centre == found.by.centre


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Records of 8 brackets whose pictures and recipe are kept, and the recipe's file."""
    root = tmp_path_factory.mktemp("kept")
    rng = np.random.default_rng(4)
    for k in range(6):
        write(root / "good" / f"{k}.png", bracket(rng, defect=None)[0])
    view = ViewSettings(window=(64, 64), alignment="rigid")
    recipe = train(root / "good", write_network(root / "small.onnx"), view=view).recipe
    pictures = open_pictures(root / "r-pictures")
    with open_store(str(root / "r.db"), create=True) as store:
        store_recipe(store, pictures, recipe)
        for k in range(8):
            pixels, (x, y) = bracket(rng)
            name = pictures.put(write(root / "line" / f"{k}.png", pixels).read_bytes())
            when = datetime(2026, 3, 1, 8, tzinfo=UTC) + timedelta(minutes=k)
            defect = DefectRecord("pit", (round(x) - 2, round(y) - 2, 4, 4), {"area": 12.0})
            store.add(
                [
                    Record(
                        f"{k}.png",
                        when,
                        "reject",
                        captured=when,
                        picture=name,
                        size=(SIDE, SIDE),
                        recipe=recipe.sha256,
                        defects=(defect,),
                    )
                ]
            )
    return root, write_recipe(recipe, root / "bracket.flaw")


def test_records_are_aligned_by_the_recipe_that_judged_them(kept, tmp_path, capsys):
    root, _ = kept
    found = flawline.study_location(store=root / "r.db")
    assert found.aligned.aligned == 8
    assert found.points.std(axis=0).max() < 3
    assert found.sure[0].parts >= 7
    assert "aligned by the recipe" in finding(found)
    plain = ["study", "location", "--store", str(root / "r.db"), "--no-align", "--json"]
    assert run([*plain, "--out", str(tmp_path)]) == 0
    assert '"aligned": null' in capsys.readouterr().out


def test_the_page_aligns_with_the_pictures_that_the_server_keeps(kept, tmp_path):
    root, _ = kept
    kind = study_kind("location")
    names = {field.name for field in kind.fields}
    assert {"align", "split"} <= names
    assert names.isdisjoint({"kept", "recipe", "pictures"})
    with open_store(str(root / "r.db")) as store:
        pictures = open_pictures(root / "r-pictures")
        settings = read_settings(kind, {"split": "time", "align": True})
        done = run_study(store, pictures, kind, settings, Where(), "", no_track, tmp_path)
    assert "aligned by the recipe" in done["finding"]
    assert "No place surely belongs to one time alone." in done["finding"]
    assert read_shown(tmp_path)["facts"]["parts aligned"].startswith("8 of 8")


def test_records_whose_pictures_are_gone_are_not_aligned_and_say_so(kept, tmp_path):
    root, recipe = kept
    found = flawline.study_location(store=root / "r.db", kept=tmp_path)
    assert found.aligned is None
    assert any("not laid upon each other by the recipe" in note for note in found.notes)
    with pytest.raises(FlawlineError, match="can be aligned"):
        flawline.study_location(store=root / "r.db", kept=tmp_path, recipe=recipe)


def test_tables_are_aligned_by_a_recipe_that_is_given(kept, tmp_path):
    root, recipe = kept
    with open_store(str(root / "r.db")) as store:
        boxes = [item.record.defects[0].box for item in store.page(count=100).items]
        images = [item.record.image for item in store.page(count=100).items]
    rows = [f"{name},pit,{b[0]},{b[1]},4,4,0,0" for name, b in zip(images, boxes, strict=True)]
    table = tmp_path / "d.csv"
    header = "image,class,left,top,width,height,part_x,part_y"
    table.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    found = flawline.study_location(table, pictures=root / "line", recipe=recipe)
    assert found.aligned.method == "rigid"
    assert found.points.std(axis=0).max() < 3
    with pytest.raises(UsageError, match="aligns pictures, and none are given"):
        flawline.study_location(table, recipe=recipe)
