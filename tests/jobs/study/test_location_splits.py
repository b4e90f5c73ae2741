"""A study of places looks for those of some time, lot, tool or class alone."""

from datetime import UTC, datetime

import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import SourceError
from flawline.jobs.study.location_report import finding, location_report
from flawline.jobs.study.time_spans import time_spans


@pytest.fixture(scope="module")
def pits(tmp_path_factory):
    """120 parts in 10 days; from the sixth day on six of ten have a pit at one place."""
    folder = tmp_path_factory.mktemp("pits")
    rng = np.random.default_rng(6)
    parts, defects = [], []
    for k in range(120):
        day, tool = k // 12, f"T{1 + k % 2}"
        parts.append(f"p{k},2026-03-{day + 1:02d}T08:{k % 12:02d}:00,{tool},L{day}")
        for _ in range(rng.poisson(0.8)):
            defects.append(f"p{k},stain,{rng.uniform(0, 100):.1f},{rng.uniform(0, 80):.1f}")
        if day >= 5 and rng.random() < 0.6:
            defects.append(f"p{k},pit,{rng.normal(70, 0.7):.1f},{rng.normal(20, 0.7):.1f}")
    (folder / "d-parts.csv").write_text("\n".join(["part,captured,tool,lot", *parts]) + "\n")
    (folder / "d.csv").write_text("\n".join(["part,class,x,y", *defects]) + "\n")
    return folder / "d.csv"


@pytest.fixture(scope="module")
def found(pits):
    return flawline.study_location(pits, split=("time", "tool"))


def test_a_place_that_came_up_at_some_time_is_told_with_its_day(found):
    time, tool = found.splits
    place = time.places[0]
    assert time.unit == "day"
    assert time.levels[place.spot.first] == "2026-03-06"
    assert place.spot.end == len(time.levels)
    assert np.hypot(place.x - 70, place.y - 20) < 8
    assert place.p == pytest.approx(2 * place.spot.p)
    assert place.there[1] + place.elsewhere[1] == 120
    assert place.by_level.sum(axis=0).tolist() == [place.there[0] + place.elsewhere[0], 120]
    assert not any(one.p < 0.05 for one in tool.places)
    told = finding(found)
    here, all_ = place.there
    assert f"{here} of {all_} parts from 2026-03-06 on have a defect at " in told
    assert f"and {place.elsewhere[0]} of {place.elsewhere[1]} before" in told


def test_the_report_draws_the_place_day_by_day(found):
    report = location_report(found)
    assert report.tables[1].rows[0][0] == "from 2026-03-06 on"
    drawn = [one for one in report.figures if one.title.startswith("parts at")]
    assert len(drawn) == 1
    assert "by day" in drawn[0].title
    assert [split["split"] for split in report.numbers["splits"]] == ["time", "tool"]


def test_a_class_has_a_place_of_its_own(pits):
    found = flawline.study_location(pits, split=["class"])
    assert "pits lie at" in finding(found)
    nothing = flawline.study_location(pits, only="stain", split=["lot"])
    assert "No place surely belongs to one lot alone." in finding(nothing)


def test_splits_that_cannot_be_are_refused_or_told(pits, tmp_path, capsys):
    with pytest.raises(SourceError, match="no column 'tools'"):
        flawline.study_location(pits, split=["tools"])
    one = tmp_path / "one.csv"
    one.write_text("part,class,x,y,tool\n" + "".join(f"p{k},pit,{k},{k},T1\n" for k in range(9)))
    found = flawline.study_location(one, split=["tool"])
    assert found.splits == ()
    assert "tool has no two values to tell apart" in found.notes
    assert run(["study", "location", str(one), "--split", "time", "--out", str(tmp_path)]) == 2
    assert "--split by time needs times that differ" in capsys.readouterr().err


def test_time_is_divided_as_fits_its_length():
    start = datetime(2026, 3, 2, 6, tzinfo=UTC).timestamp()
    hours = np.array([0, 3, 9, 26, 30, 47.0]) * 3600
    shifts = time_spans(start + hours)
    assert shifts.unit == "shift of 8 hours"
    assert shifts.starts[:2] == ("2026-03-02 06:00", "2026-03-02 14:00")
    assert shifts.level.tolist() == [0, 0, 1, 2, 2, 3]
    assert time_spans(start + 24 * hours).unit == "week"
    assert time_spans(start + hours / 24).unit == "10 minutes"
    assert time_spans(start + hours * 5).starts[0] == "2026-03-02"
    odd = time_spans(np.append(start + hours * 8, np.nan))
    assert odd.unit == "an eighth of the time"
    assert odd.level[-1] == -1
    assert odd.level.max() == len(odd.starts) - 1
    assert time_spans(np.array([start, np.nan])) is None
