"""GenICam: aravis' fake GigE camera on loopback, and pixel formats."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from flawline.errors import DependencyError, SourceError
from flawline.station import camera as module
from flawline.station import genicam
from flawline.station.camera import Camera, CameraSettings
from helpers.fake_gige import SERIAL, fake_gige


def test_a_gige_camera_sends_pictures_and_its_cable_is_pulled(monkeypatch):
    monkeypatch.setattr(module, "RETRY", 0.0)
    with fake_gige() as process:
        said, frames = [], []
        with Camera(f"genicam:Aravis-Fake-{SERIAL}", CameraSettings()) as camera:
            for frame in camera.frames(stop=lambda: bool(said), say=said.append):
                frames.append(frame)
                if len(frames) == 3:
                    process.kill()
    assert len(frames) >= 3
    assert said[0] == f"the camera genicam:Aravis-Fake-{SERIAL} is away; waiting"
    assert all(frame.picture.shape == (64, 96) for frame in frames)
    assert frames[0].picture.dtype == np.uint8
    assert dict(frames[0].further) == {"camera": camera.name, "exposure": "10000"}


@pytest.mark.parametrize("form", ["RGB8", "BGR8", "BayerRG8", "BayerGB8", "BayerGR8", "BayerBG8"])
def test_colours_stay_what_they_are(form):
    """A red field: the letters of a Bayer pattern are its first two pixels (GenICam PFNC, 2.3)."""
    red = np.zeros((8, 10, 3), np.uint8)
    red[..., 2] = 200
    if form.startswith("Bayer"):
        first, second = form[5], form[6]
        last = {"RG": "GB", "GB": "RG", "GR": "BG", "BG": "GR"}[first + second]
        cell = [[first, second], list(last)]
        data = np.array([[200 * (cell[y % 2][x % 2] == "R") for x in range(10)] for y in range(8)])
    else:
        data = red if form == "BGR8" else red[..., ::-1]
    pixels = genicam.pixels_of(data.astype(np.uint8).tobytes(), form, (8, 10))
    assert pixels[4, 5].tolist() == [0, 0, 200]


def test_grey_of_eight_and_more_bits():
    grey = np.arange(80, dtype=np.uint8).reshape(8, 10)
    assert (genicam.pixels_of(grey.tobytes(), "Mono8", (8, 10)) == grey).all()
    deep = 50 * grey.astype("<u2")
    found = genicam.pixels_of(deep.tobytes(), "Mono12", (8, 10))
    assert (found == deep).all()
    assert found.dtype == np.uint16


def test_a_format_that_is_not_read_is_named_with_those_that_are():
    with pytest.raises(SourceError, match="pixels of YUV422_8, expected Mono8") as caught:
        genicam.pixels_of(b"", "YUV422_8", (8, 10))
    assert caught.value.code == "pixel-format"


def test_without_aravis_the_way_out_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "gi", None)
    with pytest.raises(DependencyError, match="GenICam cameras need") as caught:
        Camera("genicam:")
    assert "gir1.2-aravis-0.8" in caught.value.hint
