"""Studies of places and of drift find what was planted, and nothing where nothing was."""

import shutil

import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.study import drift_report, drift_study, location_report
from helpers.inspected_line import drawn_line

ALL = ("gripper", "bath", "tool", "camera")


def table(path, points, header="part,class,x,y"):
    rows = "\n".join(",".join(map(str, row)) for row in points)
    path.write_text(f"{header}\n{rows}\n", encoding="utf-8")
    return path


def test_the_place_that_a_gripper_scratches_is_found_with_its_tool():
    found = flawline.study_location(drawn_line(*ALL))
    first = found.sure[0]
    assert np.hypot(first.x - 232, first.y - 88) < 8
    assert first.classes[0][0] == "scratch"
    assert first.ranked[0].levels[first.ranked[0].effect.worst] == "G2"
    text = location_report.finding(found)
    assert text.startswith("Scratches gather at ")
    assert "look at tool G2 there" in text


def test_a_line_without_a_gripper_has_no_such_place():
    found = flawline.study_location(drawn_line())
    assert not found.sure
    assert location_report.finding(found).startswith("No place has surely more defects")


def test_one_part_full_of_defects_at_one_place_is_no_repeated_place(tmp_path):
    rng = np.random.default_rng(0)
    points = [(f"p{k}", "spot", *rng.uniform(0, 100, 2).round(1)) for k in range(60)]
    points += [("p0", "spot", *(50 + rng.normal(0, 4, 2)).round(1)) for _ in range(40)]
    found = flawline.study_location(table(tmp_path / "d.csv", points))
    assert found.crowded > 0.1
    assert all(place.parts >= 3 for place in found.places)


def test_ring_shaped_parts_are_looked_at_by_their_angles(tmp_path):
    rng = np.random.default_rng(1)
    angle, radius = rng.uniform(0, 2 * np.pi, 200), 50 * np.sqrt(rng.uniform(0.4, 1, 200))
    # A clamp at 0 degrees, on both sides of where angles begin again.
    angle[:30], radius[:30] = rng.normal(0, 0.06, 30), rng.normal(46, 1, 30)
    points = [
        (f"p{k}", "dent", round(100 + r * np.cos(a), 2), round(100 + r * np.sin(a), 2))
        for k, (a, r) in enumerate(zip(angle, radius, strict=True))
    ]
    found = flawline.study_location(table(tmp_path / "d.csv", points), centre=(100, 100))
    first = found.sure[0]
    assert min(first.x, 360 - first.x) < 8
    assert first.y == pytest.approx(46, abs=4)
    assert "at a radius of" in location_report.finding(found)


def test_defects_are_expected_on_the_part_alone(tmp_path):
    rng = np.random.default_rng(2)
    folder = tmp_path / "parts"
    folder.mkdir()
    import cv2

    for k in range(8):
        picture = rng.normal(30, 2, (120, 160, 3))
        picture[20:100, 60:140] += 120
        cv2.imwrite(str(folder / f"{k}.png"), picture.clip(0, 255).astype(np.uint8))
    points = [(f"p{k}", "spot", *rng.uniform((60, 20), (140, 100)).round(1)) for k in range(150)]
    defects = table(tmp_path / "d.csv", points)
    bare = flawline.study_location(defects, pictures=folder)
    assert bare.shape == "evenly over the part in the mean picture"
    assert bare.expected[:, :4].sum() == 0
    assert not bare.sure


def test_a_camera_that_fades_is_not_the_process(tmp_path):
    found = flawline.study_drift(drawn_line("camera"))
    assert {signal.name for signal in found.moved} == {"brightness", "sharpness"}
    assert found.cause == "camera"
    text = drift_report.finding(found)
    assert "speaks for the camera, not the process" in text
    assert "The number of defects did not surely move." in text


def test_a_line_that_stays_has_no_drift():
    found = flawline.study_drift(drawn_line())
    assert not found.moved
    assert drift_report.finding(found).startswith("Nothing surely drifted")


def test_more_defects_from_one_day_on_are_the_process(tmp_path):
    rng = np.random.default_rng(3)
    parts = []
    for k in range(200):
        captured = f"2026-03-{k // 20 + 1:02d}T08:{k % 20:02d}"
        light, sharpness = round(rng.normal(100, 1), 2), round(rng.normal(1, 0.02), 3)
        parts.append((f"p{k}", light, sharpness, captured))
    table(tmp_path / "d-parts.csv", parts, "part,brightness,sharpness,captured")
    points = [
        (f"p{k}", "stain", 1, 1)
        for k in range(200)
        for _ in range(rng.poisson(0.4 if k < 120 else 1.8))
    ]
    found = flawline.study_drift(table(tmp_path / "d.csv", points))
    assert found.cause == "process"
    signal = found.moved[0]
    assert signal.onset[1] <= 120 <= signal.onset[2]
    assert "Look for what changed in the process then" in drift_report.finding(found)


def test_of_what_moves_together_the_camera_explains_the_defects():
    def moved(name, low, at, high):
        rows, values = np.arange(100), np.zeros(100)
        change = drift_study.Change(at, low, high, "step", 0, 1, 1, 0.001)
        return drift_study.Signal(name, drift_study.GROUPS[name], rows, values, change, 0.01)

    assert (
        drift_study.cause_of((moved("defects", 48, 50, 55), moved("sharpness", 50, 53, 56)))
        == "camera"
    )
    assert (
        drift_study.cause_of((moved("defects", 20, 22, 25), moved("sharpness", 50, 53, 56)))
        == "process"
    )
    assert drift_study.cause_of((moved("score", 20, 22, 25),)) == "model"
    assert drift_study.cause_of(()) == ""


def test_pictures_tell_of_the_camera_themselves(tmp_path):
    folder = tmp_path / "line"
    flawline.synth_line(folder, parts=12, days=6, causes=["camera"])
    found = flawline.study_drift(folder / "defects.csv", pictures=folder / "pictures")
    names = {signal.name for signal in found.signals}
    assert {"brightness", "sharpness", "noise", "look"} <= names
    assert found.apart is not None
    assert found.distance == "energy"
    assert "energy distance" in drift_report.drift_report(found).tables[0].note
    shutil.rmtree(folder / "pictures")
    (folder / "pictures").mkdir()
    with pytest.raises(FlawlineError):
        flawline.study_drift(folder / "defects.csv", pictures=folder / "pictures")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: flawline.study_location(drawn_line(*ALL), only="spots"),
            "no defect is of the class 'spots'",
        ),
        (
            lambda: flawline.study_location(drawn_line(*ALL), at="washing"),
            "after the step 'washing'",
        ),
        (
            lambda: flawline.study_drift(drawn_line(*ALL), distance="euclid"),
            "expected energy or mmd for `distance`, got 'euclid'",
        ),
        (lambda: flawline.study_location(), "either a table or a store"),
        (
            lambda: flawline.study_drift(drawn_line(*ALL), since="2026-03-01T00:00Z"),
            "choose records",
        ),
    ],
)
def test_settings_without_sense_are_refused(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_tables_without_places_or_with_few_rows_are_refused(tmp_path):
    few = table(tmp_path / "few.csv", [("p1", "spot"), ("p2", "spot")], "part,class")
    with pytest.raises(FlawlineError, match="no defect has a place"):
        flawline.study_location(few)
    with pytest.raises(FlawlineError, match="at least 12 inspections"):
        flawline.study_drift(few)


def test_commands_write_their_reports(tmp_path, capsys):
    defects = str(drawn_line(*ALL))
    assert run(["study", "location", defects, "--at", "packing", "--out", str(tmp_path)]) == 0
    assert "gather at" in capsys.readouterr().out
    assert run(["study", "location", defects, "--centre", "here", "--out", str(tmp_path)]) == 2
    assert "--centre takes X,Y" in capsys.readouterr().err
    assert run(["study", "drift", defects, "--out", str(tmp_path), "--json"]) == 0
    assert '"cause": "camera"' in capsys.readouterr().out
    for name in ("location", "drift"):
        assert "<svg" in (tmp_path / f"{name}.html").read_text(encoding="utf-8")
