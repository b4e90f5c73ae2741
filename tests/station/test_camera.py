"""A camera as a feed: video files, a camera that goes away, and pictures that come too fast."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from flawline.errors import SourceError, UsageError
from flawline.records import open_store
from flawline.station import camera as module
from flawline.station.camera import Camera, CameraSettings
from flawline.station.film import DROPPED, film
from flawline.station.station import Station
from flawline.types import Unjudged
from helpers.captures import FakeCapture
from helpers.discs import disc, spoilt
from helpers.stub_inspector import BrightnessInspector


def plain(level):
    return np.full((8, 10, 3), (level, 20, 30), np.uint8)


class Brightness(BrightnessInspector):
    def inspect(self, picture, **more):
        return super().inspect(picture)


@pytest.fixture
def video(tmp_path):
    """A video file of three good discs and a spoilt one."""
    path = tmp_path / "line.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (96, 96))
    assert writer.isOpened()
    for pixels in (disc(1), disc(2), spoilt(3), disc(4)):
        writer.write(pixels[..., ::-1])
    writer.release()
    return path


def test_a_video_file_gives_its_pictures_in_order(video):
    with Camera(str(video)) as camera:
        frames = list(camera.frames())
    assert [frame.name for frame in frames] == [f"line-{n:06d}.png" for n in range(4)]
    for frame, pixels in zip(frames, (disc(1), disc(2), spoilt(3), disc(4)), strict=True):
        assert frame.captured is None
        assert np.abs(frame.picture.astype(int) - pixels).mean() < 12, "RGB, near what was filmed"
    with Camera(str(video), CameraSettings(count=2)) as camera:
        assert len(list(camera.frames())) == 2


def test_a_picture_says_when_it_came_and_how_it_was_exposed():
    taken = FakeCapture([plain(200)])
    with Camera("0", opener=lambda _: taken) as camera:
        frame = next(camera.frames())
    assert frame.picture[0, 0].tolist() == [30, 20, 200]
    assert frame.captured.utcoffset().total_seconds() == 0
    assert frame.name == f"camera-{frame.captured:%Y%m%dT%H%M%S.%fZ}.png"
    assert dict(frame.further) == {"camera": "0", "exposure": "0.008"}
    assert taken.released


def test_a_camera_that_goes_away_is_waited_for(monkeypatch):
    monkeypatch.setattr(module, "RETRY", 0.0)
    pieces = [
        FakeCapture([plain(1), plain(2)]),
        FakeCapture([], opened=False),
        FakeCapture([plain(3)]),
    ]
    left, said = list(pieces), []
    with Camera(
        "rtsp://ada:secret@line/1", CameraSettings(count=3), opener=lambda _: left.pop(0)
    ) as camera:
        levels = [int(frame.picture[0, 0, 2]) for frame in camera.frames(say=said.append)]
    assert levels == [1, 2, 3]
    assert said == [
        "the camera rtsp://ada@line/1 is away; waiting",
        "the camera rtsp://ada@line/1 is back",
    ]
    assert all(piece.released for piece in pieces)


def test_who_ends_the_run_does_not_wait_for_a_camera_that_is_away(monkeypatch):
    asked = []
    pieces = [FakeCapture([plain(1)]), FakeCapture([], opened=False)]
    with Camera("0", opener=lambda _: pieces.pop(0)) as camera:
        frames = list(camera.frames(stop=lambda: asked.append(1) or len(asked) > 4))
    assert len(frames) == 1


def test_every_takes_one_picture_in_so_many_seconds(monkeypatch):
    clock = iter(np.arange(0.0, 10.0, 0.1))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    pieces = [FakeCapture([plain(n) for n in range(12)])]
    settings = CameraSettings(every=0.45, count=3)
    with Camera("0", settings, opener=lambda _: pieces.pop(0)) as camera:
        levels = [int(frame.picture[0, 0, 2]) for frame in camera.frames()]
    assert levels == [0, 5, 10]


@pytest.mark.parametrize("url", ["77", "nowhere.avi", "rtsp://ada:secret@127.0.0.1:9/line"])
def test_no_camera_is_told_without_the_password(url):
    with pytest.raises(SourceError, match="expected a camera or a video file") as caught:
        Camera(url, opener=lambda _: FakeCapture([], opened=False))
    assert caught.value.code == "camera-missing"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "settings", [{"every": -1}, {"every": float("nan")}, {"count": -1}, {"waiting": -1}]
)
def test_settings_out_of_range(settings):
    with pytest.raises(UsageError, match=f"`{next(iter(settings))}`"):
        CameraSettings(**settings)


def test_what_comes_too_fast_is_recorded_as_not_judged(tmp_path):
    held, told = threading.Event(), []
    pictures = [plain(n) for n in range(6)]

    class Fast(FakeCapture):
        def read(self):
            if len(self.pictures) == 1:
                threading.Timer(0.1, held.set).start()
            return super().read()

    class Slow(Brightness):
        def inspect(self, picture, **more):
            held.wait()
            return super().inspect(picture)

    with open_store(str(tmp_path / "line.db")) as store:
        with (
            Camera(
                "0", CameraSettings(count=6, waiting=1), opener=lambda _: Fast(pictures)
            ) as seen,
            Station(Slow(), records=store, keep="none", constant={"lot": "L1"}) as station,
        ):
            done = film(seen, station, workers=1, told=lambda name, found: told.append(found))
        assert done.dropped == 4
        assert done.unjudged == 4
        assert sum(done.counts.values()) == 2
        assert done.exit_code == 2
        assert [found.code for found in told if isinstance(found, Unjudged)] == [DROPPED] * 4
        kept = [one.record for one in store.page(count=10).items]
    assert len(kept) == 6
    assert {record.lot for record in kept} == {"L1"}
    assert sum(record.verdict is None for record in kept) == 4


def test_a_file_waits_for_its_pictures_to_be_judged(video):
    with Camera(str(video), CameraSettings(waiting=0)) as camera, Station(Brightness()) as one:
        done = film(camera, one, workers=1)
    assert (done.dropped, sum(done.counts.values())) == (0, 4)
