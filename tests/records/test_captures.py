"""Inspections of the same pictures under other process data, found in either database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flawline.records.captures import Capture
from helpers.inspected_records import START, record

SHA = "ab" * 32


def test_a_picture_is_found_by_its_hash_and_time(store):
    timed = record(0, picture=SHA, lot="A")
    untimed = replace(timed, captured=None, lot=None, station="s2", part=None)
    before = store.arrived()
    store.add([timed])
    between = store.arrived()
    store.add([untimed])
    now = store.arrived()
    (one,) = store.captures(SHA, timed.captured, upto=now)
    assert one.names["lot"] == "A"
    (two,) = store.captures(SHA, upto=now)
    assert "lot" not in two.names
    assert two.names["station"] == "s2"
    assert store.captures(SHA, upto=between) == store.captures(SHA, upto=before) == []
    assert store.captures("cd" * 32, upto=now) == []
    assert store.captures(SHA, START - timedelta(days=9), upto=now) == []


def test_records_under_other_names_are_found_by_their_keys(store):
    made = [record(n, lot="A") for n in range(300)]
    made += [replace(r, captured=None) for r in made[:3]]
    store.add(made)
    assert store.under_other_names(made) == []
    moved = [replace(r, lot="B") for r in made]
    found = store.under_other_names([*moved, record(900), replace(moved[0], frame_key="7")])
    assert [place for place, _ in found] == list(range(303))
    assert {tuple(capture.differs(moved[0])) for _, capture in found[:1]} == {("lot A",)}
    assert store.under_other_names([]) == []


def test_only_names_that_are_given_can_differ():
    capture = Capture(1, b"", {"lot": "A", "station": "s1"})
    assert capture.differs(record(0, lot="A", station="s1", part=None, step=None)) == []
    assert "lot A" in capture.differs(record(0, lot="B"))
    assert "no tool" in capture.differs(record(0, lot="A", tool="t"))
