"""A file is taken once, when nobody writes it any more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flawline.station.arrivals import Arrival, Arrivals


def file(name: str = "a.png", size: int = 10, changed: int = 1) -> Arrival:
    return Arrival(name, size, changed)


def test_a_file_is_finished_when_it_stayed_the_same_for_the_time():
    arrivals = Arrivals(settle=1.0)
    assert arrivals.finished([file()], 0.0) == []
    assert arrivals.finished([file()], 0.9) == []
    assert arrivals.settling == 1
    assert arrivals.finished([file()], 1.0) == [file()]
    assert arrivals.finished([file()], 9.0) == []
    assert arrivals.settling == 0


def test_a_file_that_grows_settles_anew():
    arrivals = Arrivals(settle=1.0)
    arrivals.finished([file(size=10)], 0.0)
    assert arrivals.finished([file(size=20)], 1.0) == []
    assert arrivals.finished([file(size=20, changed=2)], 1.5) == []
    assert arrivals.finished([file(size=20, changed=2)], 2.5) == [file(size=20, changed=2)]


def test_an_empty_file_is_one_that_somebody_just_opened():
    assert Arrivals(settle=0.0).finished([file(size=0)], 5.0) == []


def test_a_file_of_a_name_that_comes_again_is_another_one():
    arrivals = Arrivals(settle=0.0)
    assert arrivals.finished([file()], 0.0) == [file()]
    assert arrivals.finished([file(changed=2)], 1.0) == [file(changed=2)]
    assert file().key != file(changed=2).key


def test_a_marker_says_that_a_file_is_finished_whatever_the_time():
    arrivals = Arrivals(settle=5.0, marker=".done")
    assert arrivals.finished([file()], 100.0, {"b.png.done"}) == []
    assert arrivals.finished([file()], 100.1, {"a.png.done"}) == [file()]


def test_a_file_that_is_put_back_settles_again():
    arrivals = Arrivals(settle=1.0)
    arrivals.finished([file()], 0.0)
    assert arrivals.finished([file()], 1.0) == [file()]
    arrivals.put_back(file())
    assert arrivals.finished([file()], 2.0) == []
    assert arrivals.finished([file()], 3.0) == [file()]


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=12))
def test_what_is_taken_stayed_the_same_in_the_last_listings_and_is_taken_once(listings):
    arrivals, taken = Arrivals(settle=2.0), []
    for second, sizes in enumerate(listings):
        listed = [file(str(k), size + 1, size) for k, size in enumerate(sizes)]
        for one in arrivals.finished(listed, float(second)):
            k = int(one.name)
            assert second >= 2
            assert all(listings[second - back][k] == one.changed for back in range(3))
            taken.append((second, one))
    for first, one in taken:
        later = [second for second, other in taken if other == one and second > first]
        # It is taken again only where it changed in between and came back.
        for second in later:
            assert any(listings[s][int(one.name)] != one.changed for s in range(first, second))
