"""Messages that do not arrive stay in the records and are tried again at growing intervals."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from flawline.outputs import Failure
from flawline.records import StoreError
from helpers.places import Clock, Place, message


def test_each_message_arrives_once_however_often_it_is_owed(sending, owe, notes):
    place = Place()
    owe(message(1), message(2), message(1), message(2))
    owe(message(1, level=2))
    first = sending(place)
    first.attempt()
    owe(message(2), message(3))
    again = sending(place)
    again.attempt()
    again.attempt()
    assert place.got == [message(1), message(2), message(1, level=2), message(3)]
    assert (first.stored(), notes) == (0, [])


def test_pauses_grow_and_the_order_stays(sending, owe, notes):
    clock, place = Clock(), Place(*[Failure("gone")] * 11)
    work = sending(place, clock=clock)
    tried = []
    for second in range(2000):
        clock.now = float(second)
        before = place.tries
        if second < 5:
            owe(message(second))
        work.attempt()
        tried += [second] * (place.tries > before)
    steps = [b - a for a, b in pairwise(tried)]
    assert steps[:9] == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert max(steps) == 300
    assert place.got == [message(number) for number in range(5)]
    assert notes == [
        "messages do not reach place: gone; they are kept",
        "messages reach place again",
    ]


def test_the_first_failure_and_the_return_are_events(sending, owe):
    clock, noticed = Clock(), []
    work = sending(Place(*[Failure("gone")] * 2), clock=clock, notice=noticed.append)
    owe(message(1))
    for clock.now in (0.0, 1.0, 3.0):
        work.attempt()
    assert [(e.subject, e.state, e.name, e.text) for e in noticed] == [
        ("output", "failing", "place", "gone"),
        ("output", "back", "place", ""),
    ]


def test_the_receiver_says_how_long_to_wait(sending, owe):
    clock, place = Clock(), Place(Failure("busy", pause=60.0))
    work = sending(place, clock=clock)
    owe(message(1))
    assert [work.attempt() for clock.now in (0.0, 1.0, 30.0, 59.0)] == [60.0, 59.0, 30.0, 1.0]
    assert place.tries == 1
    clock.now = 60.0
    work.attempt()
    assert place.got == [message(1)]


def test_a_message_that_is_refused_does_not_hold_up_the_others(sending, owe, store, notes):
    place = Place(Failure("not this one", again=False))
    owe(message(1), message(2))
    work = sending(place)
    work.attempt()
    assert (place.got, work.stored()) == ([message(2)], 0)
    assert notes == ["place refuses a message: not this one"]
    (refused,) = store.deliveries.refused("place")
    assert (json.loads(refused.body), refused.reason) == (message(1), "not this one")


def test_what_waits_is_tried_at_once_by_the_next_sender(sending, owe, store):
    for number in range(3):
        owe(message(number))
    sending(Place(Failure("gone", pause=3600.0))).attempt()
    (first, *_) = store.deliveries.due("place", first_due(store))
    assert (first.tries, first.reason) == (1, "gone")
    place = Place()
    work = sending(place)
    assert work.stored() == 3
    work.attempt()
    assert place.got == [message(number) for number in range(3)]


def first_due(store):
    return store.deliveries.first("place").due


def test_outputs_do_not_get_what_others_are_owed(sending, owe):
    own, other = Place(), Place()
    owe(message(1))
    owe(message(2), address="elsewhere")
    sending(own).attempt()
    sending(other, address="elsewhere").attempt()
    assert (own.got, other.got) == ([message(1)], [message(2)])


def test_records_that_are_away_cost_nothing(sending, owe, store, notes):
    class Away:
        def __getattr__(self, name):
            if away:
                raise StoreError("gone", code="store-away", transient=True)
            return getattr(store.deliveries, name)

    away, place = False, Place()
    owe(message(1))
    work = sending(place, owing=Away())
    away = True
    assert work.attempt() == work.attempt() > 0
    assert work.stored() == 0
    assert notes == ["messages for place wait for the records: gone"]
    away = False
    work.attempt()
    assert place.got == [message(1)]


def test_what_arrived_while_the_records_were_away_is_not_sent_again(sending, owe, store):
    """The message goes out from memory, and is entered into the records later."""
    place = Place()
    work = sending(place)
    work.tell(message(1))
    work.attempt()
    owe(message(1), message(2))
    work.attempt()
    assert place.got == [message(1), message(2)]
    assert work.stored() == 0


def test_what_was_sent_and_could_not_be_noted_is_noted_later(sending, owe, store):
    class Forgetful:
        fails = 1

        def __getattr__(self, name):
            return getattr(store.deliveries, name)

        def done(self, ids):
            if self.fails:
                self.fails -= 1
                raise StoreError("full", code="store-full", transient=True)
            store.deliveries.done(ids)

    place = Place()
    work = sending(place, owing=Forgetful())
    owe(message(1))
    work.attempt()
    assert work.stored() == 1
    work.attempt()
    assert (place.got, work.stored()) == ([message(1)], 0)


def test_what_arrived_long_ago_is_deleted_once_an_hour(sending, owe, store):
    class Counted:
        cleared = 0

        def __getattr__(self, name):
            return getattr(store.deliveries, name)

        def clear(self):
            self.cleared += 1
            return store.deliveries.clear()

    clock, owing = Clock(), Counted()
    work = sending(Place(), owing=owing, clock=clock)
    owe(message(1))
    for clock.now in (0.0, 10.0, 3599.0, 3600.0, 7000.0):
        work.attempt()
    assert owing.cleared == 2


def test_without_records_messages_wait_in_memory(sending, notes):
    clock, place = Clock(), Place(Failure("gone"))
    work = sending(place, owing=None, clock=clock)
    for number in (1, 2, 1):
        work.tell(message(number))
    assert work.attempt() == 1.0
    assert notes == ["messages do not reach place: gone; they are tried again"]
    assert (work.lost(), work.stored()) == (2, 0)
    clock.now = 1.0
    assert work.attempt() is None
    assert place.got == [message(1), message(2)]


def test_the_oldest_is_dropped_where_too_many_wait_in_memory(sending, notes):
    place = Place()
    work = sending(place, owing=None, most=3)
    for number in range(5):
        work.tell(message(number))
    assert work.lost() == 5
    assert notes == ["more than 3 messages wait for place: the oldest are dropped"]
    work.attempt()
    assert place.got == [message(number) for number in (2, 3, 4)]
    assert work.lost() == 2


@pytest.mark.parametrize("error", [OSError("no route"), ZeroDivisionError("bug")])
def test_an_output_that_breaks_is_tried_again_and_opened_once(sending, owe, notes, error):
    class Broken(Place):
        def open(self):
            super().open()
            if len(self.calls) == 1:
                raise error

    clock, place = Clock(), Broken()
    work = sending(place, clock=clock)
    owe(message(1), message(2))
    work.attempt()
    assert notes == [f"messages do not reach place: {type(error).__name__}: {error}; they are kept"]
    clock.now = 1.0
    work.attempt()
    work.close()
    assert place.got == [message(1), message(2)]
    assert place.calls == ["open", "open", "close"]
