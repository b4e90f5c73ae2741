"""What people enter on charts: added, taken back by adding, never changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flawline.errors import UsageError
from flawline.records import StoreError
from flawline.records.answers import KEPT
from flawline.records.chart_entries import entry_as_dict
from flawline.records.engine import writing
from helpers.inspected_records import record

WHEN = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
BY = {"who": "Kim", "when": WHEN}
LIMITS = {"format": "flawline-limits", "centre": 1.5}


def test_entries_come_back_as_they_were_made(store):
    store.add([record(n) for n in range(3)])
    note = store.charts.add("score", "note", "the lamp was dim", inspection=2, **BY)
    frozen = store.charts.add("score", "limits", "after the new lamp", limits=LIMITS, **BY)
    other = store.charts.add("score lot=L1", "stage", "new lamp", inspection=1, **BY)
    assert store.charts.of("score") == (note, frozen)
    assert store.charts.of("score lot=L1") == (other,)
    assert store.charts.of("nothing") == ()
    assert frozen.limits == LIMITS
    assert entry_as_dict(note) == {
        "id": note.id,
        "series": "score",
        "kind": "note",
        "inspection": 2,
        "text": "the lamp was dim",
        "who": "Kim",
        "when": WHEN.isoformat(),
        "limits": None,
        "undone": None,
    }


def test_what_is_taken_back_stays_with_who_did_so(store):
    store.add([record(0)])
    made = store.charts.add("score", "set aside", "dropped", inspection=1, **BY)
    later = WHEN + timedelta(hours=1)
    undone = store.charts.undo(made.id, who="Ada", when=later)
    assert undone.undone is not None
    assert (undone.undone.who, undone.undone.when) == ("Ada", later)
    assert store.charts.undo(made.id, who="Eva", when=later) == undone
    assert store.charts.of("score") == ()
    assert store.charts.of("score", undone=True) == (undone,)
    assert store.charts.last() == made.id + 1
    with pytest.raises(StoreError, match="never changed"), writing(store.engine) as connection:
        connection.exec_driver_sql("UPDATE chart_entry SET who = 'x'")


def test_causes_are_counted_over_all_series(store):
    store.add([record(n) for n in range(3)])
    store.charts.add("score", "note", "lamp", inspection=1, **BY)
    store.charts.add("area", "set aside", " lamp ", inspection=2, **BY)
    store.charts.add("area", "stage", "new lamp", inspection=2, **BY)
    gone = store.charts.add("area", "note", "dust", inspection=3, **BY)
    store.charts.undo(gone.id, **BY)
    assert store.charts.causes() == {"lamp": 2}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("guess", {"inspection": 1}),
        ("note", {}),
        ("limits", {}),
        ("limits", {"limits": LIMITS, "inspection": 1}),
        ("stage", {"inspection": 1, "limits": LIMITS}),
    ],
)
def test_what_does_not_go_together_is_refused(store, kind, given):
    store.add([record(0)])
    with pytest.raises(UsageError):
        store.charts.add("score", kind, "why", **given, **BY)
    assert store.charts.last() == 0


def test_an_entry_needs_a_name_a_text_and_an_inspection_that_is_there(store):
    store.add([record(0)])
    for text, who in ((" ", "Kim"), ("lamp", " ")):
        with pytest.raises(UsageError, match="needs the name"):
            store.charts.add("score", "note", text, inspection=1, who=who, when=WHEN)
    with pytest.raises(StoreError) as caught:
        store.charts.add("score", "note", "lamp", inspection=7, **BY)
    assert caught.value.code == "store-unknown"
    with pytest.raises(StoreError) as caught:
        store.charts.undo(7, **BY)
    assert caught.value.code == "store-unknown"


def test_an_answer_is_claimed_once_and_kept_a_day(store):
    key, request = b"k" * 32, b"r" * 32
    assert store.answers.begin(key, WHEN)
    assert not store.answers.begin(key, WHEN)
    found = store.answers.find(key, WHEN)
    assert found is not None
    assert found.status is None
    store.answers.finish(key, request, 201, b'{"id": 1}')
    found = store.answers.find(key, WHEN)
    assert found is not None
    assert (found.request, found.status, found.body) == (request, 201, b'{"id": 1}')
    assert store.answers.find(key, WHEN + KEPT) is None
    assert store.answers.begin(key, WHEN + KEPT)
    store.answers.forget(key)
    assert store.answers.find(key, WHEN + KEPT) is None
