"""Growth of drawn places, and of pits on a real ball screw where its pictures are there."""

import csv

import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.study import growth_report


@pytest.fixture
def shots(tmp_path):
    """Two places that grow by 30 and 5 px a day, and one without labels."""
    rng = np.random.default_rng(0)
    rows = ["part,captured,largest_area,zoom"]
    for day in range(20):
        time = f"2026-03-{day + 1:02d}T08:00:00"
        for name, rate in (("A", 30), ("B", 5)):
            area = max(0.0, rate * (day - 6)) + (rng.normal(0, 2) if day > 6 else 0)
            area *= 2 if day >= 14 else 1
            rows.append(f"{name},{time},{max(area, 0):.1f},{int(day >= 14)}")
        rows.append(f"C,{time},,{int(day >= 14)}")
    path = tmp_path / "shots.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_places_are_ranked_and_the_camera_is_not_the_process(shots):
    found = flawline.study_growth(shots, framing="zoom", limit=1500)
    assert [place.name for place in found.places] == ["A", "B", "C"]
    first = found.places[0]
    assert first.growth.scale == pytest.approx(2, rel=0.1)
    assert first.growth.rate[1] < 60 < first.growth.rate[2]
    assert first.times[first.alarm].day == 8
    # 60 px a day from 780 px on, in the framing of the last shot.
    assert first.growth.reaches[1] < 12 < first.growth.reaches[2]
    text = growth_report.finding(found)
    assert text.startswith("A grows fastest: ")
    assert "that is the camera, not the process" in text
    assert "not known to be good: C" in text


@pytest.fixture
def moved(tmp_path):
    """Four places that grow at rates of their own from a day of their own on; the camera moves on the 20th day."""
    rng = np.random.default_rng(1)
    rows = ["part,captured,largest_area,zoom"]
    for day in range(28):
        time = f"2026-03-{day + 1:02d}T08:0"
        for name, rate, start in (("A", 30, 5), ("B", 12, 8), ("C", 20, 10), ("D", 0, 0)):
            area = (40 + rate * max(0, day - start)) * np.exp(rng.normal(0, 0.05))
            zoom = int(day >= 19)
            rows.append(f"{name},{time}{ord(name) - 64}:00,{area * (2 if zoom else 1):.1f},{zoom}")
    path = tmp_path / "moved.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_a_camera_that_moved_is_found_without_a_column(moved):
    found = flawline.study_growth(moved)
    given = flawline.study_growth(moved, framing="zoom")
    assert found.camera.surely(0.05)
    assert given.camera is None
    assert [place.moved for place in found.places] == [place.moved for place in given.places]
    assert [place.growth for place in found.places] == [place.growth for place in given.places]
    report = growth_report.growth_report(found)
    assert "that is the camera, not the process. No column says so: 4 places" in report.finding
    assert report.numbers["camera"]["used"]
    assert any("taken for the camera" in one.why for one in report.assumptions)


def test_growth_of_places_is_not_the_camera(moved):
    kept = [line for line in moved.read_text(encoding="utf-8").splitlines() if line[-1] != "1"]
    moved.write_text("\n".join(kept), encoding="utf-8")
    found = flawline.study_growth(moved)
    assert not found.camera.surely(0.05)
    assert not any(place.moved for place in found.places)


def test_the_report_says_when_growth_began(moved):
    found = flawline.study_growth(moved, framing="zoom", limit=4000)
    first = found.places[0]
    assert first.name == "A"
    bend = first.joined.bends[0]
    assert bend.day[1] <= 5 <= bend.day[2]
    report = growth_report.growth_report(found)
    assert f"on 2026-03-{int(bend.day[0]) + 1:02d} 08:01" in report.finding
    assert "At its average rate it reaches 4,000 px" in report.finding
    assert report.tables[1].title == "Where growth changes"
    assert report.numbers["places"][0]["bends"][0]["p"] <= 0.05
    assert report.verdict.usable == "not alone"


def test_without_its_column_and_with_few_places_the_framing_passes_for_growth(shots):
    found = flawline.study_growth(shots)
    assert not found.places[0].moved
    assert found.places[0].growth.scale is None
    assert found.camera is None
    assert "not checked" in [one.holds for one in growth_report.growth_report(found).assumptions]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"limit": 0}, "`limit` is an area above 0"),
        ({"confidence": 1}, "`confidence` is above 0"),
        ({"store": "x.db"}, "either a table or a store"),
    ],
)
def test_settings_without_sense_are_refused(shots, more, message):
    with pytest.raises(UsageError, match=message):
        flawline.study_growth(shots, **more)


def test_rows_that_cannot_be_used_are_named(tmp_path, shots, capsys):
    with shots.open("a", encoding="utf-8") as file:
        file.write("\nA,yesterday,5,0\nA,2026-04-01T08:00:00,much,0\n")
    found = flawline.study_growth(shots)
    assert [one.label for one in found.skipped] == ["row 61", "row 62"]
    assert run(["study", "growth", str(shots), "--out", str(tmp_path / "out")]) == 2
    assert "row 61" in capsys.readouterr().err
    nothing = tmp_path / "n.csv"
    nothing.write_text("part,captured,largest_area\nA,never,1\n", encoding="utf-8")
    with pytest.raises(FlawlineError, match="no row can be used"):
        flawline.study_growth(nothing)


def test_the_command_writes_a_report(tmp_path, shots, capsys):
    assert (
        run(
            [
                "study",
                "growth",
                str(shots),
                "--framing",
                "zoom",
                "--limit",
                "1500",
                "--out",
                str(tmp_path),
            ]
        )
        == 0
    )
    assert "days to the limit" in capsys.readouterr().out
    assert "<svg" in (tmp_path / "growth.html").read_text(encoding="utf-8")


def test_pits_of_a_ball_screw(real_data):
    table = real_data / "bsdata" / "index.csv"
    if not table.is_file():
        pytest.skip("bsdata is not there")
    found = flawline.study_growth(
        table, place="position_um_or_code", time="timestamp", area="pit_area_px", framing="crop"
    )
    assert len(found.places) == 5
    with table.open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["timestamp"])
    for place in found.places:
        own = [row for row in rows if row["position_um_or_code"] == place.name]
        first = next(k for k, row in enumerate(own) if row["annotated"] == "1")
        alarm = [row["timestamp"] for row in own].index(place.times[place.alarm].isoformat()[:19])
        assert first <= alarm <= first + 3
        assert place.growth.grows
        assert place.unlabelled == 69 - len(place.areas)
    slowed = {place.name: [bend.rises for bend in place.joined.bends] for place in found.places}
    assert slowed["585000"] == [True, False]
    unseen = flawline.study_growth(
        table, place="position_um_or_code", time="timestamp", area="pit_area_px"
    )
    assert unseen.camera.surely(0.05)
    assert [place.moved for place in unseen.places] == [place.moved for place in found.places]
    # Pictures of 1540 px in place of 1130 px: areas are 1.86 times as large if they show the same.
    assert found.places[0].growth.scale == pytest.approx((1540 / 1130) ** 2, rel=0.1)
