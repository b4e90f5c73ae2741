"""A camera that is asked for its pictures: by messages, once each, with the part that they name."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

from flawline.errors import FlawlineError, SourceError, UsageError
from flawline.station import camera as module
from flawline.station.camera import Camera, CameraSettings
from flawline.station.mqtt_triggers import MqttTriggers, TriggerEntries, payload_fields
from flawline.station.triggers import MOST, Triggers
from helpers.broker import broker, publish
from helpers.captures import FakeCapture
from helpers.places import until


def plain(level):
    return np.full((8, 10, 3), level, np.uint8)


class Free(FakeCapture):
    """A camera that never ends; its pictures are darker and darker, 255 times."""

    def __init__(self):
        super().__init__([])
        self.sent = 0

    def read(self):
        self.sent += 1
        return True, plain(self.sent % 256)


def test_each_trigger_takes_the_next_picture_and_its_part():
    triggers = Triggers()
    camera = Camera("0", CameraSettings(count=2), triggers=triggers, opener=lambda _: Free())
    assert triggers.ask({"part": "P1", "key": "k1"})
    assert triggers.ask({"part": "P2"})
    with camera:
        seen = [(frame, camera.since) for frame in camera.frames()]
    assert [(frame.part, frame.key) for frame, _ in seen] == [("P1", "k1"), ("P2", None)]
    assert seen[0][1] <= seen[1][1], "the time of a part runs from its trigger"
    assert seen[0][0].picture[0, 0, 0] != seen[1][0].picture[0, 0, 0]


def test_what_no_picture_is_taken_of_is_told(monkeypatch):
    monkeypatch.setattr(module, "RETRY", 0.0)
    triggers = Triggers()
    pieces = [FakeCapture([]), FakeCapture([], opened=False), Free()]
    with Camera(
        "0", CameraSettings(count=1), triggers=triggers, opener=lambda _: pieces.pop(0)
    ) as camera:
        found = []
        for frame in camera.frames(
            say=lambda text: "away" in text and triggers.ask({"part": "lost"})
        ):
            found.append(frame)
            triggers.ask({"part": "next"})
    assert [frame.part for frame in found] == ["lost", "next"]
    with pytest.raises(SourceError, match="the camera was away"):
        found[0].picture()


def test_more_triggers_than_may_wait_are_refused_and_told():
    triggers = Triggers()
    assert all(triggers.ask({}) for _ in range(MOST))
    assert not triggers.ask({"part": "P"})
    (refused,) = triggers.refused()
    assert refused.fields["part"] == "P"
    assert refused.error.code == "frame-dropped"
    assert triggers.refused() == []


@pytest.mark.parametrize("settings", [{"every": 1.0}, {}])
def test_a_trigger_excludes_other_times(tmp_path, settings):
    path = tmp_path / "v.avi"
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="a trigger says"):
        Camera(
            "0" if settings else str(path),
            CameraSettings(**settings),
            triggers=Triggers(),
            opener=lambda _: Free(),
        )


def test_messages_are_triggers_and_hostile_ones_are_told(tmp_path):
    with broker(tmp_path) as one:
        entries = TriggerEntries(
            url=f"mqtt://127.0.0.1:{one.port}", topic="line/+", part_from="{part}"
        )
        publish(one.port, ("line/old", b"", {}), retain=True)
        said, found, ended = [], [], threading.Event()
        one.stop()

        def run():
            with Camera("0", triggers=MqttTriggers(entries), opener=lambda _: Free()) as camera:
                for frame in camera.frames(ended.is_set, said.append):
                    found.append(frame)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            until(lambda: said, 90)
            one.start()
            until(lambda: len(said) == 2, 90)
            more = json.dumps({"lot": "L7", "key": "4711"}).encode()
            publish(one.port, ("line/P1", b"", {}), ("line/P2", more, {}), ("line/P3", b"{", {}))
            until(lambda: len(found) == 3, 90)
        finally:
            ended.set()
            thread.join(90)
    assert "is away" in said[0]
    assert "is back" in said[1]
    rows = {frame.part: frame for frame in found}
    assert sorted(rows) == ["P1", "P2", "P3"]
    assert (rows["P2"].lot, rows["P2"].key) == ("L7", "4711")
    with pytest.raises(FlawlineError, match="no JSON object of known fields"):
        rows["P3"].picture()


@pytest.mark.parametrize(
    "payload",
    [b"[]", b"1", b"\xff", b'{"path": "/etc"}', b'{"part": 3}', b"[" * 9999, b" " * 10_001],
)
def test_payloads_that_cannot_be_meant(payload):
    with pytest.raises(UsageError):
        payload_fields(payload)
