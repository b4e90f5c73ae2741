"""Growth from pictures without labels, by what changes or by what a recipe finds."""

from __future__ import annotations

import os
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.data.source import opened
from flawline.errors import ImageError, SourceError, UsageError
from flawline.jobs.study.growth_pictures import ShotNames, changed_shots, defect_shots
from flawline.jobs.study.growth_report import growth_report
from flawline.jobs.study.study import study_document
from flawline.types import no_track

COUNT, GROWS, MOVED = 24, 16, 21
NAMES = ShotNames("part", "captured", "change")


def drawn(place, number):
    """A shot of place a, on which a dark spot grows from shot 16 on, or of the calm place b."""
    random = np.random.default_rng(place == "b")
    base = cv2.GaussianBlur(random.normal(0, 60, (80, 120)).astype(np.float32), (0, 0), 2.0) + 120
    grey = base + np.random.default_rng([number, place == "b"]).normal(0, 1.5, base.shape)
    if place == "a" and number >= GROWS:
        cv2.circle(grey, (70, 40), 3 * (number - GROWS + 1), 15.0, -1)
    grey = grey.clip(0, 255).astype(np.uint8)
    return cv2.resize(grey, (160, 108)) if number >= MOVED else grey


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shots")
    lines = ["image,part,captured"]
    for place in "ab":
        for number in range(COUNT):
            name = f"{place}{number:02}.png"
            cv2.imwrite(str(folder / name), drawn(place, number))
            lines.append(f"{name},{place},2026-03-{number + 1:02}T08:00:00")
    (folder / "broken.png").write_bytes(b"no picture")
    lines.append("broken.png,b,2026-03-20T09:00:00")
    (folder / "shots.csv").write_text("\n".join(lines))
    return folder / "shots.csv"


@pytest.fixture(scope="module")
def studied(shots):
    return flawline.study_growth(pictures=shots, first_shots=6)


def test_the_place_that_changes_alarms_and_the_calm_one_does_not(studied):
    places = {place.name: place for place in studied.places}
    assert studied.what == "change"
    assert places["b"].alarm is None
    alarm = places["a"].alarm
    assert alarm is not None
    assert places["a"].times[alarm].day - 1 == GROWS
    assert [first for first, _ in places["a"].alarms] == [alarm]
    assert places["b"].unlabelled == 1


def test_a_change_of_size_is_the_camera_and_raises_no_alarm(studied):
    for place in studied.places:
        assert [place.times[k].day - 1 for k in place.moved] == [MOVED]
        assert all(last < place.moved[0] for _, last in place.alarms)
    report = growth_report(studied)
    assert report.finding.startswith(
        "1 of 2 places change beyond what is usual, with the first alarm of a on 2026-03-17"
    )
    assert "2026-03-22 08:00: that is the camera, not the process" in report.finding
    assert any("nothing is labelled" in note for note in report.notes)
    assert any("1 shot could not be measured" in note for note in report.notes)
    document = study_document(report)
    assert document["unit"] == "%"
    # Nobody labelled the pictures, so that nobody knows when the first defect was there.
    checked = {one.what: one.holds for one in report.assumptions}
    assert checked["the time of the first alarm is that of the first defect"] != "holds"
    assert "measured" in report.tables[0].columns
    assert [len(place["alarms"]) for place in document["places"]] in ([1, 0], [0, 1])


def test_a_manifest_elsewhere_names_its_pictures_below_a_root(shots, tmp_path, capsys):
    rows = shots.read_text().splitlines()
    lines = [rows[0], *(os.path.relpath(shots.parent, tmp_path) + "/" + row for row in rows[1:])]
    (tmp_path / "shots.csv").write_text("\n".join(lines))
    arguments = ["study", "growth", "--first-shots", "6", "-o", str(tmp_path / "g"), "-q"]
    given = ["--pictures", str(tmp_path / "shots.csv")]
    assert run([*arguments, *given]) == 2
    assert "--root" in capsys.readouterr().err
    assert run([*arguments, *given, "--root", str(tmp_path.parents[1])]) == 0
    assert "1 of 2 places change" in capsys.readouterr().out
    assert run([*arguments, "--root", str(tmp_path)]) == 2
    assert "--root is of a manifest of pictures" in capsys.readouterr().err
    assert run(arguments) == 2
    assert "--pictures" in capsys.readouterr().err


def test_a_column_names_the_framing(shots):
    with opened(shots) as source:
        named = ShotNames("part", "captured", "change", "part")
        found = changed_shots(source, named, no_track, 21)
    assert set(found.columns) == {"part", "captured", "change"}
    assert set(found.columns["part"]) == {"a", "b"}


@dataclass
class Recipe:
    """An inspector that finds one defect as large as the number in its dark pixels, and none on small pictures."""

    refused: bool = False

    def inspect(self, picture):
        if self.refused or picture.width != 120:
            raise ImageError("the picture has another shape", code="image-view")
        area = float((picture.pixels[..., 0] < 40).sum())
        regions = (type("Region", (), {"area": area}),) if area > 4 else ()
        return type("Inspection", (), {"regions": regions})


def test_a_recipe_gives_the_areas_of_defects(shots):
    with opened(shots) as source:
        found = defect_shots(source, Recipe(), NAMES, no_track)
        assert found.unit == "px"
        rows = list(zip(found.columns["part"], found.columns["change"], strict=True))
        of_a = [area for place, area in rows if place == "a"]
        assert of_a[:GROWS] == [0.0] * GROWS
        assert of_a[GROWS] < of_a[GROWS + 1]
        assert of_a[MOVED:] == [""] * (COUNT - MOVED)
        assert "another shape" in found.notes[0]
        with pytest.raises(SourceError, match="none of 49 shots can be measured"):
            defect_shots(source, Recipe(refused=True), NAMES, no_track)


def test_what_is_not_known_of_the_shots_is_asked_for(shots):
    with opened(shots) as source:
        with pytest.raises(UsageError, match="say nothing of 'position'"):
            changed_shots(source, ShotNames("position", "captured", "x"), no_track)
        with pytest.raises(UsageError, match="have no shots beyond the first 30"):
            changed_shots(source, NAMES, no_track, 30)
        with pytest.raises(UsageError, match="at least 3"):
            changed_shots(source, NAMES, no_track, 2)
    with pytest.raises(UsageError, match="`recipe` finds the defects on `pictures`"):
        flawline.study_growth(shots, recipe="x.flaw")
    with pytest.raises(UsageError, match="`pictures` are the shots themselves"):
        flawline.study_growth(shots, pictures=shots)
