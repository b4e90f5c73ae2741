"""Pictures from a real MQTT broker: each recorded once, also hostile ones and those of a killed station."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import flawline
from flawline.errors import UsageError
from flawline.records import open_store
from flawline.station import mqtt_pictures as module
from flawline.station.film import DROPPED, film
from flawline.station.mqtt_pictures import MqttPictures, PictureTopicEntries, frame_of_message
from flawline.station.station import Station
from helpers.broker import broker, publish
from helpers.discs import disc, spoilt
from helpers.places import until
from helpers.stub_inspector import BrightnessInspector

FILE = """\
recipe = "disc.flaw"
[records]
store = "line.db"
[[feeds]]
kind = "mqtt"
url = "mqtt://127.0.0.1:{port}"
topic = "line/+/+"
part_from = "line/{{lot}}/{{part}}"
largest = 20000
"""


class Brightness(BrightnessInspector):
    def inspect(self, picture, **more):
        return super().inspect(picture)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with broker(tmp_path_factory.mktemp("broker")) as one:
        yield one


def entries(port, topic, **more):
    return PictureTopicEntries(url=f"mqtt://127.0.0.1:{port}", topic=topic, **more)


def png(pixels):
    return cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))[1].tobytes()


def plain(level):
    return png(np.full((8, 16, 3), level, np.uint8))


def begin_session(wanted):
    """Connect once; from here on the broker keeps pictures for this client."""
    asked = iter((False, True))
    with MqttPictures(wanted) as feed:
        assert list(feed.frames(lambda: next(asked))) == []


def take(feed, count):
    """The next frames of a feed, without noting them as recorded."""
    found = []
    for frame in feed.frames(lambda: len(found) >= count):
        found.append(frame)
        if len(found) == count:
            break
    return found


def recorded(path):
    with open_store(str(path)) as store:
        return [one.record for one in store.page(count=100).items]


def test_each_picture_is_recorded_once_and_a_hostile_one_as_not_judged(
    tmp_path, disc_recipe, running
):
    shutil.copy(disc_recipe, tmp_path / "disc.flaw")
    file = tmp_path / "station.toml"
    file.write_text(FILE.format(port=running.port), "utf-8")
    begin_session(flawline.check_station(file).feeds[0].entries)
    good = png(disc(1))
    publish(
        running.port,
        ("line/L1/P1", good, {}),
        ("line/L1/P2", png(spoilt(2)), {"shift": "night", "captured": "2026-03-01T12:00:00Z"}),
        ("line/L1/P1", good, {}),
        ("line/L1/P3", b"no picture", {}),
        ("line/../P4", b"", {}),
        ("line/L1/P5", b"x" * 20001, {}),
        ("line/L1/P6", good, {"captured": "yesterday"}),
        ("line/L1/P7", good[:200], {}),
    )
    told = []
    watched = flawline.run_station(
        file, stop=lambda: len(told) >= 7, each=lambda name, found: told.append(name)
    )
    assert (sum(watched.counts.values()), watched.unjudged, watched.dropped) == (2, 5, 0)
    rows = {row.part: row for row in recorded(tmp_path / "line.db")}
    assert sorted(rows) == ["P1", "P2", "P3", "P4", "P5", "P6", "P7"]
    assert rows["P2"].verdict == "reject"
    assert (rows["P2"].lot, rows["P2"].shift) == ("L1", "night")
    assert rows["P2"].captured.year == 2026
    assert rows["P4"].image.startswith("line/_/P4/")
    reasons = {part: row.reasons for part, row in rows.items() if row.verdict is None}
    assert len(reasons) == 5
    assert "20001 bytes" in str(reasons["P5"])


def test_what_was_not_recorded_comes_again(running):
    wanted = entries(running.port, "killed/#", client_id="killed")
    begin_session(wanted)
    publish(running.port, *((f"killed/{n}", plain(n), {"key": f"k{n}"}) for n in range(3)))
    with MqttPictures(wanted) as feed:
        first = take(feed, 2)
        feed.done(first[0])
    with MqttPictures(wanted) as feed:
        second = take(feed, 2)
        for frame in second:
            feed.done(frame)
    assert [frame.key for frame in first + second] == ["k0", "k1", "k1", "k2"]
    publish(running.port, ("killed/old", plain(9), {}), retain=True)
    with MqttPictures(wanted) as feed:
        (frame,) = take(feed, 1)
        assert frame.key not in ("k1", "k2")


def test_what_comes_too_fast_is_recorded_as_not_judged(tmp_path, running):
    wanted = entries(running.port, "fast/+", waiting=1, client_id="fast")
    begin_session(wanted)
    publish(running.port, *((f"fast/{n}", plain(n), {}) for n in range(6)))
    told, held = [], threading.Event()

    class Slow(Brightness):
        def inspect(self, picture, **more):
            held.wait(90)
            return super().inspect(picture)

    def tell(name, found):
        told.append(found)
        if len(told) == 4:
            held.set()

    with open_store(str(tmp_path / "line.db")) as store:
        with MqttPictures(wanted) as feed, Station(Slow(), records=store, keep="none") as station:
            done = film(feed, station, workers=1, stop=lambda: len(told) >= 4, told=tell)
        kept = [one.record for one in store.page(count=10).items]
    assert (done.dropped, done.unjudged, sum(done.counts.values())) == (4, 4, 2)
    assert [found.code for found in told[:4]] == [DROPPED] * 4
    assert sorted(row.verdict is None for row in kept) == [False] * 2 + [True] * 4


def test_a_broker_that_goes_away_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "RETRY", 0.0)
    said = []
    with broker(tmp_path, "allow_anonymous true") as one:
        wanted = entries(one.port, "a", timeout=5.0)
        one.stop()
        ended = threading.Event()
        got = []

        def run():
            with MqttPictures(wanted) as feed:
                for frame in feed.frames(ended.is_set, said.append):
                    got.append(frame.name)
                    feed.done(frame)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            for time in range(2):
                until(lambda time=time: len(said) == 2 * time + 1, 90)
                one.start()
                until(lambda time=time: len(said) == 2 * time + 2, 90)
                publish(one.port, ("a", plain(time), {}))
                until(lambda time=time: len(got) == time + 1, 90)
                one.stop()
        finally:
            ended.set()
            thread.join(90)
    assert ["away" in text for text in said[:4]] == [True, False, True, False]
    assert all(f"mqtt://127.0.0.1:{one.port} a" in text for text in said)


@pytest.mark.parametrize(
    "settings",
    [
        {"topic": ""},
        {"topic": "a/#/b"},
        {"topic": "a+/b"},
        {"part_from": "{lot}"},
        {"url": "http://host"},
        {"url": "mqtt://ada:pw@host"},
        {"ca": "/none.pem"},
    ],
)
def test_settings_that_cannot_be_used_are_refused_without_connecting(settings):
    with pytest.raises(UsageError) as caught:
        MqttPictures(PictureTopicEntries(**{"url": "mqtt://host", "topic": "a", **settings}))
    assert "pw" not in caught.value.message


@pytest.mark.parametrize(
    "said", [{"part": "x" * 201}, {"lot": "a\nb"}, {"key": ""}, {"captured": "12:00"}]
)
def test_properties_that_cannot_be_meant_refuse_the_picture(said):
    properties = SimpleNamespace(UserProperty=[*said.items(), ("unknown", "passed over")])
    message = SimpleNamespace(topic="a\x00/\u202eb", payload=plain(1), properties=properties)
    frame = frame_of_message(message, 10_000)
    assert frame.name.startswith("a_/_b/")
    with Station(Brightness()) as station, pytest.raises(flawline.FlawlineError):
        station.inspect(frame)
    right = replace(frame, picture=plain(1))
    with Station(Brightness()) as station:
        assert station.inspect(right).verdict == "accept"
