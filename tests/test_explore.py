"""A property test ends when its time is up, but not while a failure is made small."""

import pytest
from hypothesis.errors import UnsatisfiedAssumption

from helpers.examples import TimeIsUp, timed


def counted(act, seconds, moments):
    """Call a timed `act` with 0, 1, 2 ... at moments, and return what was taken."""
    taken = []
    left = iter(moments)

    def test(number):
        taken.append(number)
        act(number)

    limited = timed(test, seconds, lambda: next(left))
    return limited, taken


def test_examples_are_tried_until_the_time_is_up():
    limited, taken = counted(lambda number: None, 10, [0, 0, 5, 10, 10.5])
    for number in range(3):
        limited(number)
    with pytest.raises(TimeIsUp):
        limited(3)
    assert taken == [0, 1, 2]


def test_a_failure_is_made_small_however_long_it_takes():
    def fail(number):
        assert number < 1

    limited, taken = counted(fail, 10, [0, 0, 5])
    limited(0)
    for number in (1, 2, 3):
        with pytest.raises(AssertionError):
            limited(number)
    assert taken == [0, 1, 2, 3]


def test_a_rejected_example_is_no_failure():
    def reject(number):
        raise UnsatisfiedAssumption

    limited, taken = counted(reject, 10, [0, 0, 11])
    with pytest.raises(UnsatisfiedAssumption):
        limited(0)
    with pytest.raises(TimeIsUp):
        limited(1)
    assert taken == [0]
