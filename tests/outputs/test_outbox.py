"""What does not arrive is kept on the disk and tried again, later each time."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest

from flawline.outputs import Failure, Outbox
from flawline.outputs import queue as queues
from flawline.outputs.queue import Queue
from flawline.outputs.webhook import Webhook
from helpers.receivers import Receiver, receiving


def message(number, level=1):
    return {"key": f"k{number}", "level": level, "text": f"alert {number}", "action": "look"}


class Place:
    """An output that fails as it is told."""

    name, slow = "place", False

    def __init__(self, *failures):
        self.failures, self.got, self.tries = list(failures), [], 0

    def send(self, what):
        self.tries += 1
        failure = self.failures.pop(0) if self.failures else None
        if failure is None:
            self.got.append(what)
        return failure


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def said():
    return []


def box(place, path, said, **more):
    return Outbox(place, path, say=said.append, **more)


def test_each_message_arrives_once_however_often_it_is_offered(tmp_path, said):
    place = Place()
    with box(place, tmp_path / "q", said) as outbox:
        for number in (1, 2, 1, 2):
            outbox.offer(message(number))
        outbox.offer(message(1, level=2))
    with box(place, tmp_path / "q", said) as outbox:
        outbox.offer(message(2))
        outbox.offer(message(3))
    assert place.got == [message(1), message(2), message(1, level=2), message(3)]
    assert said == []


def test_pauses_grow_and_the_order_stays(tmp_path, said):
    clock, place = Clock(), Place(*[Failure("gone")] * 11)
    outbox = box(place, tmp_path / "q", said, clock=clock)
    tried = []
    for second in range(2000):
        clock.now = float(second)
        before = place.tries
        outbox.offer(message(second % 5)) if second < 5 else outbox.work()
        tried += [second] * (place.tries > before)
    steps = [b - a for a, b in pairwise(tried)]
    assert steps[:9] == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert max(steps) == 300
    assert place.got == [message(number) for number in range(5)]
    assert len(said) == 2, said
    assert said[0] == "alerts do not reach place: gone; they are kept"
    assert said[1] == "alerts reach place again"
    outbox.close()


def test_the_receiver_says_how_long_to_wait(tmp_path, said):
    clock, place = Clock(), Place(Failure("busy", pause=60.0))
    outbox = box(place, tmp_path / "q", said, clock=clock)
    outbox.offer(message(1))
    for clock.now in (1.0, 30.0, 59.0):
        outbox.work()
    assert place.tries == 1
    clock.now = 60.0
    outbox.work()
    assert place.got == [message(1)]
    outbox.close()


def test_a_message_that_is_refused_does_not_hold_up_the_others(tmp_path, said):
    place = Place(Failure("not this one", again=False))
    with box(place, tmp_path / "q", said) as outbox:
        outbox.offer(message(1))
        outbox.offer(message(2))
        assert outbox.waiting == 0
    assert place.got == [message(2)]
    assert said == ["place refuses an alert: not this one"]


def test_what_waits_survives_and_goes_out_in_order(tmp_path, said):
    clock = Clock()
    outbox = box(Place(*[Failure("gone")] * 9), tmp_path / "q", said, clock=clock)
    for number in range(3):
        outbox.offer(message(number))
    outbox.close()
    assert said[-1] == "3 alerts wait for place, kept on the disk"
    place = Place()
    with box(place, tmp_path / "q", said, clock=clock) as outbox:
        assert outbox.waiting == 3
        outbox.work()
    assert place.got == [message(number) for number in range(3)]


def test_a_queue_that_was_cut_loses_the_cut_line_alone(tmp_path, said):
    path = tmp_path / "q"
    queue = Queue(path, say=said.append)
    for number in range(3):
        queue.put(message(number))
    queue.done(message(0))
    queue.close()
    path.write_bytes(path.read_bytes()[:-5])
    queue = Queue(path, say=said.append)
    assert len(queue) == 3, "what is not known to have arrived is sent once more"
    assert queue.first() == message(0)
    queue.close()


def test_the_oldest_is_dropped_where_too_many_wait(tmp_path, said):
    outbox = box(Place(*[Failure("gone")] * 99), tmp_path / "q", said, most=3)
    for number in range(5):
        outbox.offer(message(number))
    assert outbox.waiting == 3
    outbox.close()
    assert [text for text in said if "dropped" in text] == [
        "more than 3 alerts wait: the oldest is dropped, k0#1",
        "more than 3 alerts wait: the oldest is dropped, k1#1",
    ]
    place = Place()
    with box(place, tmp_path / "q", said) as outbox:
        outbox.work()
    assert place.got == [message(number) for number in (2, 3, 4)]


def test_the_file_does_not_grow_for_ever(tmp_path, said, monkeypatch):
    monkeypatch.setattr(queues, "REMEMBERED", 10)
    queue = Queue(tmp_path / "q", say=said.append)
    sizes = []
    for number in range(200):
        queue.put(message(number))
        if number != 150:
            queue.done(message(number))
        sizes.append((tmp_path / "q").stat().st_size)
    assert max(sizes) < 20_000
    assert not queue.put(message(195)), "the latest are known"
    queue.close()
    queue = Queue(tmp_path / "q", say=said.append)
    assert queue.first() == message(150)
    assert len(queue) == 1
    queue.close()
    assert said == []


def test_a_full_disk_keeps_nobody_from_being_told(tmp_path, said):
    from io import FileIO

    place = Place()
    outbox = box(place, tmp_path / "q", said)
    outbox._queue._journal._file.close()
    outbox._queue._journal._file = FileIO("/dev/full", "ab")
    outbox.offer(message(1))
    outbox.offer(message(1))
    assert place.got == [message(1)]
    assert "alerts cannot be kept on the disk: No space left on device" in said
    outbox.close()


def until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_a_dead_webhook_holds_up_nobody_and_gets_everything_later(tmp_path, said, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    receiver = Receiver()
    receiver.stop()
    with box(Webhook(receiver.url), tmp_path / "q", said) as outbox:
        began = time.monotonic()
        for number in range(20):
            outbox.offer(message(number))
        assert time.monotonic() - began < 2.0, "each is on the disk, and none is waited for"
        assert outbox.waiting == 20
        until(lambda: said)
    assert said[-1] == f"20 alerts wait for {Webhook(receiver.url).name}, kept on the disk"
    with receiving(receiver.port) as again, box(Webhook(again.url), tmp_path / "q", said) as outbox:
        until(lambda: outbox.waiting == 0)
        outbox.offer(message(20))
        until(lambda: outbox.waiting == 0)
        assert again.messages == [message(number) for number in range(21)]


def test_a_slow_webhook_is_given_a_moment_at_the_end(tmp_path, said):
    class Slow(Place):
        slow = True

        def send(self, what):
            time.sleep(0.3)
            return super().send(what)

    place = Slow()
    with box(place, tmp_path / "q", said) as outbox:
        began = time.monotonic()
        outbox.offer(message(1))
        outbox.offer(message(2))
        assert time.monotonic() - began < 0.2
    assert place.got == [message(1), message(2)]
    hung = Slow()
    outbox = box(hung, tmp_path / "q2", said)
    outbox.offer(message(3))
    began = time.monotonic()
    outbox.close(patience=0.05)
    assert time.monotonic() - began < 0.25
    assert said[-1] == "1 alert waits for place, kept on the disk"
    outbox._thread.join()
    assert hung.got == [message(3)]


def test_the_queue_is_lines_that_can_be_looked_at(tmp_path, said):
    queue = Queue(tmp_path / "q", say=said.append)
    queue.put(message(1))
    queue.close()
    (_, text) = (tmp_path / "q").read_text().splitlines()
    assert json.loads(text[9:]) == ["+k1#1", {"number": 1, "message": message(1)}]
