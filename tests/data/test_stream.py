"""One function over many pictures: order, bounds, failures and the end of the threads."""

import threading
import time

import cv2
import numpy as np
import pytest

from flawline.data.image import ImageLimits
from flawline.data.memory_share import memory_share
from flawline.data.source import open_source
from flawline.data.stream import map_pictures
from flawline.errors import ImageError
from flawline.types import Sample, Unjudged

COUNT = 12


@pytest.fixture
def source(tmp_path):
    """Twelve grey pictures of brightness 0, 10, 20, ..., all good."""
    for number in range(COUNT):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 8), 10 * number, np.uint8))
    with open_source(tmp_path) as opened:
        yield opened


def brightness(picture):
    return int(picture.pixels[0, 0, 0])


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("flawline")]


def test_results_come_in_the_order_of_the_samples(source):
    def slow_at_first(picture):
        time.sleep(0.03 if brightness(picture) < 40 else 0)
        return brightness(picture)

    samples = list(source.samples())[::-1] + list(source.samples())
    found = list(map_pictures(source, samples, slow_at_first, workers=4))
    assert [sample for sample, _ in found] == samples
    assert [value for _, value in found] == [10 * int(s.name.split(".")[0]) for s in samples]
    assert not threads()


def test_samples_are_drawn_no_further_than_ahead(source):
    drawn = []

    def drawing():
        for sample in source.samples():
            drawn.append(sample)
            yield sample

    results = map_pictures(source, drawing(), brightness, workers=2, ahead=3)
    assert drawn == []
    for taken in range(1, COUNT + 1):
        next(results)
        assert len(drawn) <= min(COUNT, taken + 2)
    assert list(results) == []
    assert len(drawn) == COUNT


def test_what_cannot_be_read_is_unjudged_in_its_place(source, tmp_path):
    (tmp_path / "3.png").write_bytes(b"not a picture")

    def fussy(picture):
        if brightness(picture) == 50:
            raise ImageError("too plain", code="plain")
        return brightness(picture)

    found = [value for _, value in map_pictures(source, source.samples(), fussy, workers=3)]
    assert isinstance(found[3], Unjudged)
    assert (found[3].image, bool(found[3].reason)) == ("3.png", True)
    assert found[5] == Unjudged("5.png", "plain", "too plain")
    rest = [value for place, value in enumerate(found) if place not in (3, 5)]
    assert rest == [10 * number for number in range(COUNT) if number not in (3, 5)]


def test_an_unexpected_error_of_the_function_comes_out(source):
    def broken(picture):
        if brightness(picture) == 40:
            raise ZeroDivisionError("in the function")
        return brightness(picture)

    results = map_pictures(source, source.samples(), broken, workers=2)
    assert [next(results)[1] for _ in range(4)] == [0, 10, 20, 30]
    with pytest.raises(ZeroDivisionError, match="in the function"):
        next(results)
    assert not threads()


def test_an_error_of_the_samples_comes_out(source):
    def samples():
        yield next(iter(source.samples()))
        raise OSError("the list ends")

    with pytest.raises(OSError, match="the list ends"):
        list(map_pictures(source, samples(), brightness, workers=2))
    assert not threads()


class Kept:
    def __init__(self):
        self.results = {}

    def recall(self, data):
        return self.results.get(data)

    def remember(self, data, result):
        self.results[data] = result


def test_what_memory_holds_is_not_computed_again(source, tmp_path):
    kept, computed = Kept(), []

    def counted(picture):
        computed.append(brightness(picture))
        return brightness(picture)

    first = list(map_pictures(source, source.samples(), counted, workers=2, memory=kept))
    assert (len(computed), len(kept.results)) == (COUNT, COUNT)
    computed.clear()
    cv2.imwrite(str(tmp_path / "7.png"), np.full((8, 8), 200, np.uint8))
    second = list(map_pictures(source, source.samples(), counted, workers=2, memory=kept))
    assert computed == [200]
    assert second == [(s, 200 if s.name == "7.png" else value) for s, value in first]


def test_a_reader_who_stops_early_leaves_no_threads(source):
    results = map_pictures(source, source.samples(), brightness, workers=3, ahead=5)
    next(results)
    assert threads()
    results.close()
    assert not threads()


def test_a_picture_that_is_not_there_is_unjudged(source):
    ((sample, value),) = map_pictures(source, [Sample("gone.png")], brightness, workers=1)
    assert isinstance(value, Unjudged)
    assert value.image == sample.name == "gone.png"


def test_pictures_in_work_share_the_memory_of_the_limits(tmp_path):
    sizes = (10, 20, 30, 40, 50, 60)
    for number, size in enumerate(sizes):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((size, size), number, np.uint8))
    # Enough for the largest picture (5 bytes a pixel and the file), not for all of them at once.
    most = 5 * 60 * 60 + 2000
    lock, now, seen = threading.Lock(), 0, []

    def hold(picture):
        nonlocal now
        own = 5 * picture.width * picture.height
        with lock:
            now += own
            seen.append(now)
        time.sleep(0.01)
        with lock:
            now -= own

    limits = ImageLimits(max_memory=most)
    with open_source(tmp_path, image_limits=limits) as source:
        done = list(map_pictures(source, source.samples(), hold, workers=6))
    assert len(done) == len(seen) == len(sizes)
    assert not any(isinstance(result, Unjudged) for _, result in done)
    assert max(seen) <= most
    # All at once they would have taken more.
    assert 5 * sum(size * size for size in sizes) > 2 * most
    with memory_share(most) as share:
        share.reserve(most)


def test_a_picture_over_the_memory_of_the_limits_is_unjudged_and_the_others_go_on(tmp_path):
    for number, size in enumerate((10, 90, 20)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((size, size), number, np.uint8))
    with open_source(tmp_path, image_limits=ImageLimits(max_memory=20_000)) as source:
        codes = [
            result.code if isinstance(result, Unjudged) else result
            for _, result in map_pictures(source, source.samples(), brightness)
        ]
    assert codes == [0, "image-too-large", 2]


def test_a_thread_that_holds_memory_never_waits_but_keeps_to_the_limit():
    with memory_share(1000) as outer, memory_share(1000) as inner:
        inner.reserve(700)
        with pytest.raises(ImageError):
            outer.reserve(400)
        outer.settle(300)
        outer.reserve(400)
    done = threading.Event()

    def take_all():
        with memory_share(1000) as share:
            share.reserve(1000)
            done.set()

    thread = threading.Thread(target=take_all)
    thread.start()
    thread.join(10)
    assert done.is_set()
