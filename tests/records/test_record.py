"""Values of the records: keys, times, plain forms."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.data.times import from_micros, micros, parse_time
from flawline.errors import UsageError
from flawline.records.packing import column, names_of, pack, shape_of, unpack
from flawline.records.record import (
    Record,
    capture_key,
    record_as_dict,
    record_from_dict,
)
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
