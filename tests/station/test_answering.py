"""Every trigger is answered once: with the verdict, or at the deadline without it; never accepted late."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from flawline.data.frame import Frame
from flawline.errors import ImageError, UsageError
from flawline.station.answering import Answering, AnswerSettings
from flawline.station.station import Station
from helpers.discs import disc, spoilt
from helpers.places import Clock, Place, until


class Slow:
    """An inspector that waits until it may go on."""

    def __init__(self, inspector):
        self.own, self.go = inspector, threading.Event()
        self.recipe, self.value_range = inspector.recipe, inspector.value_range

    def inspect(self, picture, name=""):
        assert self.go.wait(60)
        return self.own.inspect(picture, name=name)


def test_a_verdict_in_time_is_the_answer_and_a_second_one_is_none():
    given, clock = [], Clock()
    answering = Answering(AnswerSettings(), given.append, clock, names={"station": "s1"})
    trigger = answering.trigger("a.png")
    clock.now = 0.25
    for _ in range(2):
        answering.answer(trigger, "accept", "P1")
    gone = answering.trigger("b.png")
    answering.drop(gone)
    answering.answer(gone, "accept")
    answering.answer(answering.trigger("c.png", since=0.0), None)
    answering.close()
    one, other = given
    assert (one.verdict, one.late, one.seconds, one.part, one.number) == (
        "accept",
        False,
        0.25,
        "P1",
        1,
    )
    assert (other.image, other.verdict, other.late) == ("c.png", "reject", False)
    assert one.as_dict()["names"] == {"station": "s1"}
    times = answering.times
    assert (times.count, times.late, times.p50, times.worst) == (2, 0, 0.25, 0.25)


@pytest.mark.parametrize("late", ["reject", "review"])
def test_at_the_deadline_the_line_is_answered_and_the_late_verdict_is_not(disc_inspector, late):
    given, place = [], Place()
    place.live = True
    slow = Slow(disc_inspector)
    settings = AnswerSettings(within=0.05, late=late)
    with Station(slow, outputs=[place], answers=settings, answer=given.append) as station:
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(station.inspect, Frame(disc(1), "1.png", part="P1"))
            until(lambda: given)
            slow.go.set()
            assert found.result().verdict == "accept"
        slow.go.set()
        times = station.times
    (answer,) = given
    assert (answer.verdict, answer.late, answer.late_count) == (late, True, 1)
    assert answer.seconds >= 0.05
    assert (times.count, times.late) == (1, 1)
    kinds = [message["kind"] for message in place.got]
    assert kinds == ["health", "answer", "health"]


def test_what_cannot_be_judged_is_never_accepted(disc_inspector):
    given = []
    with Station(disc_inspector, answer=given.append) as station:
        with pytest.raises(ImageError):
            station.inspect(Frame(b"no picture", "x.png"))
        assert station.inspect(Frame(spoilt(3), "3.png")).verdict == "reject"
    assert [(one.image, one.verdict, one.late) for one in given] == [
        ("x.png", "reject", False),
        ("3.png", "reject", False),
    ]


def test_many_threads_get_one_answer_each_with_numbers_in_order():
    given = []
    answering = Answering(AnswerSettings(within=0.002, late="review"), given.append)
    rng = random.Random(7)
    waits = [rng.uniform(0, 0.004) for _ in range(300)]

    def one(number):
        trigger = answering.trigger(f"{number}.png")
        threading.Event().wait(waits[number])
        answering.answer(trigger, "accept")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(300)))
    answering.close()
    assert sorted(int(one.image[:-4]) for one in given) == list(range(300))
    assert [one.number for one in given] == list(range(1, 301))
    assert {(one.verdict, one.late) for one in given} <= {("accept", False), ("review", True)}
    late = sum(one.late for one in given)
    assert (answering.times.count, answering.times.late) == (300, late)
    assert answering.times.worst == max(one.seconds for one in given)
    assert answering.times.p99 == pytest.approx(np.quantile([one.seconds for one in given], 0.99))


@pytest.mark.parametrize(("within", "late"), [(0, "reject"), (-1, "reject"), (1, "accept")])
def test_a_late_part_is_never_accepted_by_settings(within, late):
    with pytest.raises(UsageError):
        AnswerSettings(within, late)
