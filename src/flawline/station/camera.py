"""A camera as a feed: a USB or GenICam camera, a network stream or a video file; a camera may go away."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.frame import Frame
from flawline.errors import FlawlineError, SourceError, UsageError
from flawline.station.genicam import PREFIX as GENICAM
from flawline.station.genicam import GenicamCapture
from flawline.station.triggers import Asked, Triggers

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
    """Open a camera by its number, an address such as rtsp://... or genicam:NAME, or a video file."""
    if url.startswith(GENICAM):
        return GenicamCapture(url.removeprefix(GENICAM))
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
        triggers: Triggers | None = None,
        opener: Callable[[str], Capture] = open_capture,
    ) -> None:
        """Open the camera.

        Args:
            url: the camera's number ("0" is the first), its address, genicam:NAME, or a video file.
            settings: which pictures are taken.
            triggers: who asks for pictures; None for those that the settings say.
            opener: opens the camera.

        Raises:
            UsageError: triggers with a video file or with `every`.
            SourceError: ("camera-missing") there is no such camera, or it sends nothing.
        """
        self.settings = settings or CameraSettings()
        self.is_file = self.waits = Path(url).is_file()
        self.waiting = self.settings.waiting
        self.since: float | None = None
        self.name = Path(url).stem if self.is_file else camera_name(url)
        self._url, self._opener, self._triggers = url, opener, triggers
        if triggers is not None and (self.is_file or self.settings.every):
            raise UsageError(
                "a trigger says when a picture is taken, and so does a video file or `every`",
                hint="leave one of them out",
            )
        found = self._opened()
        if found is None:
            raise SourceError(
                f"expected a camera or a video file at {self.name}, which sends no picture",
                hint="give the number of a camera (0, 1, ...), an address such as rtsp://HOST/PATH, genicam:NAME, or a "
                "video file",
                code="camera-missing",
            )
        self._capture: Capture | None = found

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None:
        if self._triggers is not None:
            self._triggers.stop()
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
        if self._triggers is not None:
            self._triggers.start(say)
        number, due, again, away = 0, -float("inf"), 0.0, False
        while not stop():
            yield from self._untaken(away)
            begun = time.monotonic()
            there, pixels = self._read()
            if not there:
                if self.is_file:
                    return
                if not away:
                    say(f"the camera {self.name} is away; waiting")
                    self._close()
                    away = True
                if begun >= again:
                    self._capture, again = self._opened(), time.monotonic() + RETRY
                if self._capture is None:
                    time.sleep(TICK)
                else:
                    say(f"the camera {self.name} is back")
                    away = False
                continue
            # Every picture is read, so that the one that is taken is not an old one out of a buffer.
            if pixels is None or (not self.is_file and begun < due):
                continue
            asked = None if self._triggers is None else self._triggers.take(begun)
            if self._triggers is not None and asked is None:
                continue
            due = begun + self.settings.every
            self.since = None if asked is None else asked.since
            yield self._frame(pixels, number, asked)
            number += 1
            if number == self.settings.count:
                return

    def named(self, frame: Frame) -> Frame:
        """Return the frame: nothing more is read in the picture."""
        return frame

    def done(self, frame: Frame) -> None:
        """Do nothing: a camera wants no answer."""

    def _untaken(self, away: bool) -> Iterator[Frame]:
        """Yield a frame for each trigger without a picture, so that its part is recorded as not judged."""
        if self._triggers is None:
            return
        while away and (asked := self._triggers.take(time.monotonic())) is not None:
            error = SourceError(
                "the camera was away when its trigger came",
                hint="look at the camera's cable and power",
                code="camera-missing",
            )
            self._triggers.refuse(asked.fields, error)
        for asked in self._triggers.refused():
            assert asked.error is not None
            self.since = asked.since
            now = datetime.now(UTC)
            yield Frame(
                partial(_refused, asked.error),
                f"trigger-{now:%Y%m%dT%H%M%S.%fZ}",
                **{"captured": now, "further": {"camera": self.name}, **asked.fields},
            )

    def _read(self) -> tuple[bool, NDArray[Any] | None]:
        """Return whether the camera is there, and the next picture, RGB or grey; None where none came yet."""
        if self._capture is None:
            return False, None
        there, pixels = self._capture.read()
        if pixels is None or not there:
            # OpenCV has no picture where there is none; a GenICam camera may wait for its trigger.
            return there and self._url.startswith(GENICAM), None
        return True, np.ascontiguousarray(pixels[..., ::-1] if pixels.ndim == 3 else pixels)

    def _frame(self, pixels: NDArray[Any], number: int, asked: Asked | None) -> Frame:
        if self.is_file:
            return Frame(pixels, f"{self.name}-{number:06d}.png")
        captured = datetime.now(UTC)
        given: dict[str, Any] = {"captured": captured, **(asked.fields if asked else {})}
        return Frame(
            pixels,
            f"camera-{captured:%Y%m%dT%H%M%S.%fZ}.png",
            further={"camera": self.name, **self._stated()},
            **given,
        )

    def _stated(self) -> Mapping[str, str]:
        """Return what the camera states of itself; OpenCV gives 0 or -1 for what it does not know."""
        assert self._capture is not None
        stated = {name: self._capture.get(number) for name, number in _TOLD.items()}
        return {name: f"{value:g}" for name, value in stated.items() if value not in (0, -1)}

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


def _refused(error: FlawlineError) -> bytes:
    raise error
