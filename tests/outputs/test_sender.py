"""Senders: a thread for each output, for which nobody waits."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Event

import pytest

from flawline.outputs import Dispatch, Failure, Health, Judged
from flawline.outputs.sender import Sender
from flawline.outputs.webhook import Webhook
from helpers.places import Place, message, until
from helpers.receivers import Receiver, receiving

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def judged(number):
    return Judged(f"j{number}", NOW, f"{number}.png", "accept")


@pytest.fixture
def sender(sending, notes):
    return lambda output, **more: Sender(sending(output, **more), say=notes.append)


def test_a_dead_webhook_holds_up_nobody_and_gets_everything_later(sender, owe, notes, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    receiver = Receiver()
    receiver.stop()
    served = sender(Webhook(receiver.url))
    owe(*map(message, range(20)))
    served.work()
    until(lambda: notes)
    served.close()
    assert notes[-1] == f"20 messages wait for {Webhook(receiver.url).name}, kept in the records"
    with receiving(receiver.port) as again:
        served = sender(Webhook(again.url))
        until(lambda: served.sending.stored() == 0)
        owe(message(20))
        until(lambda: served.sending.stored() == 0)
        served.close()
        assert again.messages == [message(number) for number in range(21)]


class Slow(Place):
    """An output whose receiver takes its time."""

    def __init__(self):
        super().__init__()
        self.begun, self.answer = Event(), Event()

    def send(self, what):
        self.begun.set()
        assert self.answer.wait(30)
        return super().send(what)


def test_what_is_owed_goes_out_by_itself(sender, owe):
    place = Place()
    served = sender(place)
    owe(message(1))
    until(lambda: place.got == [message(1)])
    served.close()
    assert place.calls == ["open", "close"]


def test_a_slow_output_is_given_a_moment_at_the_end(sender, owe, notes):
    place = Slow()
    served = sender(place)
    owe(message(1), message(2))
    served.work()
    assert place.begun.wait(30)
    place.answer.set()
    served.close()
    assert place.got == [message(1), message(2)]
    assert notes == []


def test_one_that_hangs_is_not_waited_for(sender, owe, notes):
    place = Slow()
    served = sender(place)
    owe(message(1), message(2))
    served.work()
    assert place.begun.wait(30)
    began = time.monotonic()
    served.close(patience=0.05)
    assert time.monotonic() - began < 15, "not for the whole patience of a usual end"
    assert notes[-1] == "2 messages wait for place, kept in the records"
    place.answer.set()
    until(lambda: place.calls == ["open", "close"])
    assert place.got == [message(1)], "and nothing more is begun"


def test_what_no_records_keep_is_reported(sender, notes):
    served = sender(Place(*[Failure("gone")] * 9), owing=None)
    served.tell(message(1))
    served.close()
    assert notes[-1] == "1 message did not reach place, and no records keep them"


def test_events_go_to_all_outputs_and_those_of_health_to_the_others(store, notes):
    one, other = Place(), Place(*[Failure("gone")] * 99)
    other.name = "other"
    with Dispatch([one, other], store.deliveries, health=True, say=notes.append) as outputs:
        store.deliveries.add(outputs.owed([judged(1)]))
        outputs.work()
        until(lambda: len(one.got) == 2)
    assert sorted(m["kind"] for m in one.got) == ["health", "judged"]
    health = next(m for m in one.got if m["kind"] == "health")
    assert (health["subject"], health["state"], health["name"]) == ("output", "failing", "other")
    assert other.got == []
    assert notes[-1] == "1 message waits for other, kept in the records"


def test_two_owners_keep_apart_what_they_owe_one_place(store):
    place = Place()
    with (
        Dispatch([place], store.deliveries, owner="a") as one_owner,
        Dispatch([Place()], store.deliveries, owner="b") as theirs,
    ):
        assert one_owner.addresses != theirs.addresses
        assert Dispatch([place], store.deliveries, owner="a").addresses == one_owner.addresses


def test_addresses_hold_no_secret_and_tell_places_apart():
    urls = ["https://host/secret-1", "https://host/secret-2"]
    with Dispatch([Webhook(url) for url in urls]) as outputs:
        one, other = outputs.addresses
    assert one != other
    assert "secret" not in one + other
    assert one.startswith("webhook:https://host ")


def test_health_is_told_without_records(notes):
    place = Place()
    with Dispatch([place], say=notes.append) as outputs:
        outputs.tell(Health(NOW, "station", "opened", "s1"))
    assert [m["state"] for m in place.got] == ["opened"]
    assert notes == []
