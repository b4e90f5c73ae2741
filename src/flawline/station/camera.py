"""A camera as a feed: pictures of a USB camera, a network stream or a video file, with a camera that may go away."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.frame import Frame
from flawline.errors import SourceError, UsageError

RETRY = 2.0
"""Seconds between two tries to reach a camera that went away."""
TICK = 0.1
_TIMEOUT_MS = 5000
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")
# What OpenCV calls a property of the camera, and how a frame names it.
_TOLD = {
    "exposure": cv2.CAP_PROP_EXPOSURE,
    "gain": cv2.CAP_PROP_GAIN,
    "focus": cv2.CAP_PROP_FOCUS,
}


class Capture(Protocol):
    """What is asked of `cv2.VideoCapture`."""

    def isOpened(self) -> bool: ...
    def read(self) -> tuple[bool, Any]: ...
    def get(self, property: int) -> float: ...
    def release(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """Which pictures of a camera are taken.

    `every` is the time between two of them in seconds, 0 for every picture that the camera sends, as one with a
    trigger of its own does. `count` ends after so many, 0 for no end. `waiting` pictures may wait to be judged.

    Raises:
        UsageError: a setting is out of range.
    """

    every: float = 0.0
    count: int = 0
    waiting: int = 8

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 <= self.every <= 86_400:
            raise UsageError(f"expected `every` from 0 to 86400 seconds, got {self.every}")
        for name in ("count", "waiting"):
            if getattr(self, name) < 0:
                raise UsageError(f"expected `{name}` of 0 or more, got {getattr(self, name)}")


def open_capture(url: str) -> Capture:
    """Open a camera by its number, an address such as rtsp://..., or a video file."""
    if url.isdecimal():
        return cv2.VideoCapture(int(url))
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC]
    if "://" in url:
        return cv2.VideoCapture(url, cv2.CAP_FFMPEG, [*limits, _TIMEOUT_MS])
    return cv2.VideoCapture(url)


def camera_name(url: str) -> str:
    """Name a camera for people, without its password."""
    return _PASSWORD.sub(r"\1@", url)


class Camera:
    """Yields frames of a camera; use as a context manager.

    A picture carries the time at which it came, and the camera's exposure, gain and focus where it states them. A
    video file has no times; its pictures are named by their number, so that the records have each once.
    """

    def __init__(
        self,
        url: str,
        settings: CameraSettings | None = None,
        *,
        opener: Callable[[str], Capture] = open_capture,
    ) -> None:
        """Open the camera.

        Args:
            url: the camera's number ("0" is the first), its address, or a video file.
            settings: which pictures are taken.
            opener: opens the camera.

        Raises:
            SourceError: ("camera-missing") there is no such camera, or it sends nothing.
        """
        self.settings = settings or CameraSettings()
        self.is_file = self.waits = Path(url).is_file()
        self.waiting = self.settings.waiting
        self.since: float | None = None
        self.name = Path(url).stem if self.is_file else camera_name(url)
        self._url, self._opener = url, opener
        found = self._opened()
        if found is None:
            raise SourceError(
                f"expected a camera or a video file at {self.name}, which sends no picture",
                hint="give the number of a camera (0, 1, ...), an address such as rtsp://HOST/PATH, or a video file",
                code="camera-missing",
            )
        self._capture: Capture | None = found

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def frames(
        self,
        stop: Callable[[], bool] = lambda: False,
        say: Callable[[str], None] = lambda text: None,
    ) -> Iterator[Frame]:
        """Yield frames until `stop` says so, the file ends or `count` is reached.

        Args:
            stop: asked between two pictures.
            say: writes a line for people when the camera goes away or comes back.
        """
        number, due = 0, -float("inf")
        while not stop():
            pixels = self._read()
            if pixels is None:
                if self.is_file or not self._returned(stop, say):
                    return
                continue
            now = time.monotonic()
            # Every picture is read, so that the one that is taken is not an old one out of a buffer.
            if not self.is_file and now < due:
                continue
            due = now + self.settings.every
            yield self._frame(pixels, number)
            number += 1
            if number == self.settings.count:
                return

    def named(self, frame: Frame) -> Frame:
        """Return the frame: nothing more is read in the picture."""
        return frame

    def done(self, frame: Frame) -> None:
        """Do nothing: a camera wants no answer."""

    def _read(self) -> NDArray[np.uint8] | None:
        """Read the next picture, RGB; None where there is none."""
        if self._capture is None:
            return None
        there, pixels = self._capture.read()
        if not there or pixels is None:
            return None
        return np.ascontiguousarray(pixels[..., ::-1] if pixels.ndim == 3 else pixels)

    def _frame(self, pixels: NDArray[np.uint8], number: int) -> Frame:
        if self.is_file:
            return Frame(pixels, f"{self.name}-{number:06d}.png")
        captured = datetime.now(UTC)
        return Frame(
            pixels,
            f"camera-{captured:%Y%m%dT%H%M%S.%fZ}.png",
            captured,
            further={"camera": self.name, **self._stated()},
        )

    def _stated(self) -> Mapping[str, str]:
        """Return what the camera states of itself; OpenCV gives 0 or -1 for what it does not know."""
        assert self._capture is not None
        stated = {name: self._capture.get(number) for name, number in _TOLD.items()}
        return {name: f"{value:g}" for name, value in stated.items() if value not in (0, -1)}

    def _returned(self, stop: Callable[[], bool], say: Callable[[str], None]) -> bool:
        """Wait until a camera that went away is back; False where `stop` came first."""
        self._close()
        say(f"the camera {self.name} is away; waiting")
        while not stop():
            self._capture = self._opened()
            if self._capture is not None:
                say(f"the camera {self.name} is back")
                return True
            again = time.monotonic() + RETRY
            while not stop() and time.monotonic() < again:
                time.sleep(TICK)
        return False

    def _opened(self) -> Capture | None:
        try:
            capture = self._opener(self._url)
        except cv2.error:
            return None
        if capture.isOpened():
            return capture
        capture.release()
        return None

    def _close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None
