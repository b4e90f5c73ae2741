"""Values of the records: keys, times, plain forms."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.data.frame import Frame
from flawline.data.process import PROCESS
from flawline.data.times import from_micros, micros, parse_time
from flawline.errors import UsageError
from flawline.inspector.inspection import Inspection
from flawline.records.packing import column, names_of, pack, shape_of, unpack
from flawline.records.record import (
    Record,
    capture_key,
    record_as_dict,
    record_from_dict,
)
from flawline.types import Region
from helpers.inspected_records import record

TIMES = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)).map(
    lambda time: time.replace(tzinfo=UTC)
)
NUMBERS = st.dictionaries(st.text(max_size=8), st.floats(allow_nan=False), max_size=6)


@given(TIMES)
def test_times_come_back_to_the_microsecond(time):
    assert from_micros(micros(time)) == time


def test_a_time_is_the_same_in_every_zone():
    berlin = timezone(timedelta(hours=1))
    assert micros(datetime(2026, 1, 1, 1, tzinfo=berlin)) == micros(
        datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert parse_time("2026-01-01T01:00:00+01:00") == parse_time("2026-01-01T00:00:00Z")


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "yesterday", "", "01.02.2026 10:00"])
def test_times_without_a_zone_or_sense_are_refused(text):
    with pytest.raises(UsageError):
        parse_time(text)


@given(NUMBERS)
def test_measures_come_back_whatever_their_names(measures):
    shape = shape_of(measures)
    assert unpack(shape, pack(measures, shape)) == measures
    assert set(names_of(shape)) == set(measures)


@given(st.lists(NUMBERS, max_size=8), st.text(max_size=8))
def test_a_column_is_that_of_each_row(rows, name):
    shapes = [shape_of(row) if row else None for row in rows]
    values = [pack(row, shape) if shape else None for row, shape in zip(rows, shapes, strict=True)]
    found = column(name, shapes, values)
    assert [None if v != v else v for v in found] == [row.get(name) for row in rows]


def test_records_survive_json():
    for number in range(5):
        made = record(number, captured=None if number == 1 else record(number).captured)
        plain = json.loads(json.dumps(record_as_dict(made), allow_nan=False))
        assert record_from_dict(plain) == made
    bare = Record("a.png", record(0).judged, None)
    assert record_from_dict(record_as_dict(bare)) == bare


def test_the_key_is_of_the_capture_and_of_who_judged_it():
    made = record(3)
    same = replace(
        made,
        image="elsewhere/x.png",
        judged=made.judged + timedelta(days=1),
        verdict="accept",
        lot="other",
        captured=made.captured.astimezone(timezone(timedelta(hours=5))),
    )
    assert capture_key(same) == capture_key(made)
    for change in (
        {"station": "s2"},
        {"captured": made.captured + timedelta(microseconds=1)},
        {"captured": None},
        {"picture": "f" * 64},
        {"recipe": "c" * 64},
        {"spec": ""},
    ):
        assert capture_key(replace(made, **change)) != capture_key(made)
    nameless = replace(made, captured=None, picture=None)
    assert capture_key(nameless) != capture_key(replace(nameless, image="b.png"))


def inspection(*regions):
    return Inspection(
        image="inside.png",
        sha256="d" * 64,
        size=(480, 640),
        score=3.25,
        p_value=0.0,
        verdict="reject",
        reasons=("too high", "a stain"),
        regions=regions,
        map=np.zeros((2, 2), np.float32),
        class_mask=np.zeros((480, 640), np.uint8),
        recipe="a" * 64,
        timings={"all": 3.0},
        measures={"count_stain": 2.0},
        spec="b" * 64,
    )


def region(area, p_value=None, **measures):
    outline = np.zeros((0, 2), np.float32)
    return Region("stain", (1, 2, 3, 4), outline, area, 0.123456789012, p_value, measures)


def test_a_record_of_an_inspection_has_every_digit():
    length, judged = 1 / 3, record(0).judged
    captured = judged - timedelta(seconds=1)
    frame = Frame(
        *(b"", "a.png", captured, "bad", {"weather": "fine"}, "shot 7"),
        **{name: f"the {name}" for name in PROCESS},
    )
    made = Record.of(
        inspection(region(20 / 3, 0.01, length=length), region(1e-7)), frame, judged, map="e" * 64
    )
    assert [d.measures for d in made.defects] == [
        {"length": length, "area": 20 / 3, "peak": 0.123456789012, "p_value": 0.01},
        {"area": 1e-7, "peak": 0.123456789012},
    ]
    assert made.defects[0].label == "stain"
    assert made.defects[0].box == (1, 2, 3, 4)
    assert made.measures == {
        "count_stain": 2.0,
        "largest_area": 20 / 3,
        "total_area": 20 / 3 + 1e-7,
    }
    assert (made.image, made.captured, made.frame_key) == ("a.png", captured, "shot 7")
    assert made.further == {"weather": "fine", "label": "bad"}
    assert {getattr(made, name) for name in PROCESS} == {f"the {name}" for name in PROCESS}
    assert (made.verdict, made.reasons) == ("reject", ("too high", "a stain"))
    assert (made.picture, made.map, made.size) == ("d" * 64, "e" * 64, (480, 640))
    assert (made.score, made.p_value, made.recipe, made.spec) == (3.25, 0.0, "a" * 64, "b" * 64)
    other = Frame(b"", "b.png", lot="L9")
    none = Record.of(inspection(), other, judged)
    assert (none.measures["largest_area"], none.measures["total_area"]) == (0.0, 0.0)


def test_a_picture_that_could_not_be_judged_is_a_record_with_the_reason():
    frame = Frame(b"", "a.png", lot="L9")
    made = Record.unjudged(frame, "it is cut", record(0).judged, recipe="a" * 64)
    assert (made.verdict, made.reasons) == (None, ("could not be judged: it is cut",))
    assert (made.image, made.lot, made.recipe, made.score) == ("a.png", "L9", "a" * 64, None)


def test_a_frame_that_its_sender_named_is_one_capture_whatever_its_time():
    named = record(3, frame_key="order 7, shot 2")
    again = replace(named, captured=None, picture="f" * 64, image="other.png", lot="other")
    assert capture_key(again) == capture_key(named) != capture_key(record(3))
    for change in ({"frame_key": "order 7, shot 3"}, {"station": "s2"}, {"recipe": "c" * 64}):
        assert capture_key(replace(named, **change)) != capture_key(named)


def test_the_written_order_has_names_of_the_process_behind_the_hashes():
    names = list(record_as_dict(record(3, frame_key="k")))
    assert names[names.index("spec") :] == [
        *("spec", "part", "station", "step", "lot", "measures", "defects", "further", "frame_key")
    ]
    assert names[0] == "image"


def test_what_could_not_be_told_apart_or_read_is_refused():
    judged = record(0).judged
    for values in (
        {"image": ""},
        {"image": "a", "verdict": "good"},
        {"image": "a", "picture": "abc"},
        {"image": "a", "map": "G" * 64},
        {"image": "a", "score": float("nan")},
        {"image": "a", "judged": datetime(2026, 1, 1)},
        {"image": "a", "captured": datetime(2026, 1, 1)},
    ):
        with pytest.raises(UsageError):
            Record(**{"judged": judged, "verdict": None, **values})
