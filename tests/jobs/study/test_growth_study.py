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


def test_without_its_column_the_framing_passes_for_growth(shots):
    found = flawline.study_growth(shots)
    assert not found.places[0].moved
    assert found.places[0].growth.scale is None


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
    # Pictures of 1540 px in place of 1130 px: areas are 1.86 times as large if they show the same.
    assert found.places[0].growth.scale == pytest.approx((1540 / 1130) ** 2, rel=0.1)
