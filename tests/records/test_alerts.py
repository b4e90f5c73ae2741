"""Alerts in the store: raised once, acknowledged by adding, never changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest

from flawline.errors import UsageError
from flawline.records import StoreError, open_store
from flawline.records.alerts import RaisedAlert, alert_as_dict
from flawline.records.engine import writing
from helpers.inspected_records import record

WHEN = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def alert(number, **changes):
    fields = {
        "key": f"area/individuals/rule-1/above/{number}",
        "series": "area",
        "panel": "individuals",
        "rule": 1,
        "side": "above",
        "inspection": None,
        "point": f"part {number}",
        "since": f"part {number}",
        "text": f"beyond the upper limit at part {number} µm",
        "meaning": "something",
        "action": "hold the parts",
        "raised": WHEN + timedelta(seconds=number),
    }
    return RaisedAlert(**{**fields, **changes})


def test_an_alert_is_kept_once_and_comes_back_whole(store):
    store.add([record(0)])
    first = alert(1, inspection=1)
    store.alerts.add([first, alert(2)])
    store.alerts.add([alert(2, text="another text"), alert(3)])
    assert [kept.alert for kept in store.alerts.list()] == [alert(3), alert(2), first]
    assert [kept.alert.key for kept in store.alerts.list(count=1)] == [alert(3).key]
    assert store.alerts.list(series="length") == ()
    assert store.alerts.get(first.key).alert == first
    assert store.alerts.get(first.key).open


def test_who_has_seen_it_is_added_and_nothing_is_overwritten(store):
    store.alerts.add([alert(1), alert(2)])
    key = alert(1).key
    store.alerts.acknowledge(key, who="Kim", note="new coil", when=WHEN)
    kept = store.alerts.acknowledge(key, who="Ada", note="", when=WHEN + timedelta(hours=1))
    assert [(one.who, one.note) for one in kept.acknowledgements] == [
        ("Kim", "new coil"),
        ("Ada", ""),
    ]
    assert not kept.open
    assert [one.alert.key for one in store.alerts.list(only_open=True)] == [alert(2).key]
    assert store.alerts.acknowledged([key, alert(2).key, "none"]).keys() == {key}
    assert store.alerts.acknowledged([key])[key].who == "Kim"
    assert store.alerts.acknowledged([]) == {}
    plain = alert_as_dict(kept)
    assert (plain["open"], plain["acknowledgements"][0]["when"]) == (False, WHEN.isoformat())
    with pytest.raises(StoreError) as caught:
        store.alerts.acknowledge("nobody/knows", who="Kim", note="", when=WHEN)
    assert caught.value.code == "store-unknown"
    with pytest.raises(UsageError):
        store.alerts.acknowledge(key, who="  ", note="", when=WHEN)
    with pytest.raises(StoreError):
        store.alerts.get("nobody/knows")


def test_an_alert_is_escalated_once(store):
    later = WHEN + timedelta(minutes=3)
    store.alerts.add([alert(1)], {alert(1).key: later})
    store.alerts.add([], {alert(1).key: later + timedelta(minutes=1), "unknown": later})
    assert store.alerts.get(alert(1).key).escalated == later
    assert store.alerts.list(only_open=True)[0].escalated == later


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE alert SET text = 'nothing'",
        "DELETE FROM alert",
        "UPDATE alert_entry SET who = 'nobody'",
        "DELETE FROM alert_entry",
    ],
)
def test_the_tables_refuse_changes(store, change):
    store.alerts.add([alert(1)])
    store.alerts.acknowledge(alert(1).key, who="Kim", note="", when=WHEN)
    with pytest.raises(StoreError, match="never changed"), writing(store.engine) as connection:
        connection.exec_driver_sql(change)
    assert store.alerts.get(alert(1).key).acknowledgements[0].who == "Kim"


def test_long_and_strange_texts(store):
    long = alert(1, key="ä" * 5000, text="a\0b\ud800" * 1000)
    store.alerts.add([long])
    store.alerts.add([long])
    (kept,) = store.alerts.list()
    assert kept.alert.key == long.key
    assert "\\x00" in kept.alert.text


def test_two_that_raise_the_same_at_once(store_url):
    open_store(store_url).close()
    errors, barrier = [], Barrier(4)

    def raise_all():
        try:
            with open_store(store_url) as own:
                barrier.wait()
                for number in range(20):
                    own.alerts.add([alert(number)], {alert(number).key: WHEN})
        except BaseException as error:
            errors.append(error)

    threads = [Thread(target=raise_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    with open_store(store_url) as own:
        assert len(own.alerts.list()) == 20
        assert all(kept.escalated == WHEN for kept in own.alerts.list())
