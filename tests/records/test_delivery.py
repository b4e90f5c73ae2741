"""Messages for outputs: once each, in order, through failures, next to other processes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.data.times import EPOCH
from flawline.errors import StoreError
from flawline.records import open_store
from flawline.records.engine import reading
from flawline.records.owed import Owed
from helpers.examples import examples
from helpers.inspected_records import record
from helpers.store_faults import before_defects

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
HOOK = "webhook:https://host"


def owed(number, output=HOOK):
    return Owed(output, f"part {number}", json.dumps({"number": number}))


def keys(deliveries):
    return [item.key for item in deliveries]


def test_messages_come_back_in_order_until_they_arrived(store):
    store.deliveries.add([owed(1), owed(2), owed(1, "file:a")])
    store.deliveries.add([owed(3)])
    first, *rest = store.deliveries.due(HOOK, NOW)
    assert (first.key, first.body, first.tries, first.due) == ("part 1", '{"number": 1}', 0, EPOCH)
    assert keys(rest) == ["part 2", "part 3"]
    assert keys(store.deliveries.due(HOOK, NOW, count=2)) == ["part 1", "part 2"]
    assert store.deliveries.waiting(HOOK) == 3
    store.deliveries.done([first.id, rest[0].id], NOW)
    assert keys(store.deliveries.due(HOOK, NOW)) == ["part 3"]
    assert (store.deliveries.waiting(HOOK), store.deliveries.waiting("file:a")) == (1, 1)
    store.deliveries.done([])
    assert store.deliveries.due("console", NOW) == ()
    assert store.deliveries.first("console") is None


def test_a_copy_is_not_owed_twice_neither_before_nor_after_it_arrived(store):
    store.deliveries.add([owed(1), owed(1)])
    store.deliveries.add([owed(1)])
    (only,) = store.deliveries.due(HOOK, NOW)
    store.deliveries.done([only.id])
    store.deliveries.add([owed(1)])
    assert store.deliveries.waiting(HOOK) == 0


def test_what_is_put_off_holds_up_what_follows(store):
    store.deliveries.add([owed(n) for n in range(3)])
    first, second, _ = store.deliveries.due(HOOK, NOW)
    store.deliveries.put_off(first.id, NOW + timedelta(seconds=4), "503")
    assert store.deliveries.due(HOOK, NOW) == ()
    held = store.deliveries.first(HOOK)
    assert (held.tries, held.reason, held.due) == (1, "503", NOW + timedelta(seconds=4))
    assert len(store.deliveries.due(HOOK, NOW + timedelta(seconds=4))) == 3
    store.deliveries.put_off(second.id, NOW + timedelta(seconds=9), "timeout")
    assert keys(store.deliveries.due(HOOK, NOW + timedelta(seconds=5))) == ["part 0"]


def test_what_is_refused_is_kept_and_never_tried_again(store):
    store.deliveries.add([owed(1), owed(2)])
    first, second = store.deliveries.due(HOOK, NOW)
    store.deliveries.refuse(first.id, "400", NOW)
    assert keys(store.deliveries.due(HOOK, NOW)) == ["part 2"]
    assert [(item.key, item.reason) for item in store.deliveries.refused(HOOK)] == [
        ("part 1", "400")
    ]
    store.deliveries.done([first.id, second.id], NOW)
    assert keys(store.deliveries.refused(HOOK)) == ["part 1"], "an arrival does not undo a refusal"
    assert store.deliveries.clear(NOW + timedelta(days=1)) == 1
    assert keys(store.deliveries.refused(HOOK)) == ["part 1"]


def test_only_what_arrived_long_ago_is_cleared(store):
    store.deliveries.add([owed(1), owed(2), owed(3)])
    first, second, _ = store.deliveries.due(HOOK, NOW)
    store.deliveries.done([first.id], NOW - timedelta(days=20))
    store.deliveries.done([second.id], NOW)
    assert store.deliveries.clear(NOW - timedelta(days=14)) == 1
    assert store.deliveries.waiting(HOOK) == 1
    store.deliveries.add([owed(1), owed(2)])
    assert keys(store.deliveries.due(HOOK, NOW)) == ["part 3", "part 1"]


def test_long_and_strange_texts(store):
    message = Owed("ö" * 3000, "k" * 9000 + "\0\ud800", json.dumps("日本\0"))
    store.deliveries.add([message, message])
    (kept,) = store.deliveries.due(message.output, NOW)
    assert json.loads(kept.body) == "日本\0"
    store.deliveries.put_off(kept.id, NOW, "a\0b")
    assert store.deliveries.first(message.output).reason == "a\\x00b"


def test_records_and_what_is_owed_with_them_are_written_together_or_not_at_all(store):
    store.add([record(0)], [owed(0)])
    assert (store.count(), store.deliveries.waiting(HOOK)) == (1, 1)
    store.add([], [owed(9)])
    store.alerts.add([], {}, [owed(1, "file:a")])
    assert store.deliveries.waiting("file:a") == 1

    def fail():
        raise StoreError("gone")

    with pytest.raises(AttributeError):
        store.add([record(1)], [None])
    with before_defects(store, fail), pytest.raises(StoreError):
        store.add([record(3)], [owed(3)])
    assert (store.count(), keys(store.deliveries.due(HOOK, NOW))) == (1, ["part 0", "part 9"])


def test_another_process_sees_them(store, store_url):
    store.deliveries.add([owed(1)])
    with open_store(store_url) as other:
        (item,) = other.deliveries.due(HOOK, NOW)
        other.deliveries.done([item.id])
    assert store.deliveries.waiting(HOOK) == 0


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["add", "send", "put off", "refuse"]), st.integers(0, 30)),
    max_size=40,
)


@given(ACTIONS)
@examples(40)
def test_whatever_happens_each_message_is_sent_once_and_in_order(tmp_path_factory, actions):
    with open_store(str(tmp_path_factory.mktemp("book") / "r.db")) as own:
        given_in: list[str] = []
        ended: list[str] = []
        now = NOW
        for action, number in actions:
            found = own.deliveries.due(HOOK, now)
            if action == "add":
                own.deliveries.add([owed(number)])
                if f"part {number}" not in given_in:
                    given_in.append(f"part {number}")
            elif not found:
                now += timedelta(seconds=number)
            elif action == "send":
                own.deliveries.done([item.id for item in found[: number + 1]], now)
                ended += keys(found[: number + 1])
            elif action == "refuse":
                own.deliveries.refuse(found[0].id, "no", now)
                ended.append(found[0].key)
            else:
                own.deliveries.put_off(found[0].id, now + timedelta(seconds=number + 1), "later")
        ended += keys(own.deliveries.due(HOOK, NOW + timedelta(days=9), count=1000))
        assert ended == given_in


def test_what_is_due_is_found_without_reading_what_arrived(tmp_path):
    """By the plans of SQLite an index holds waiting messages alone, in the order of sending."""
    with open_store(str(tmp_path / "r.db")) as own, reading(own.engine) as connection:
        query = "SELECT * FROM delivery WHERE output = 'x' AND done IS NULL ORDER BY id LIMIT 100"
        (row,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
        assert "USING INDEX delivery_waiting (output=?)" in row.detail
        query = "SELECT 1 FROM class_count WHERE label = 5 AND inspection = 7 AND count >= 2"
        (row,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
        assert "PRIMARY KEY (label=? AND inspection=?)" in row.detail
