"""GenICam cameras (GigE Vision, USB3 Vision) through aravis: what `cv2.VideoCapture` is for others."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.errors import DependencyError, SourceError

PREFIX = "genicam:"
BUFFERS = 8
WAIT = 0.1
"""Seconds for which `read` waits for a picture, so that whoever ends the run is heard."""
# The names of Bayer patterns by their first two pixels, as GenICam has them, and the codes of OpenCV for these.
_BAYER = {
    "BayerRG8": cv2.COLOR_BayerRGGB2BGR,
    "BayerGB8": cv2.COLOR_BayerGBRG2BGR,
    "BayerGR8": cv2.COLOR_BayerGRBG2BGR,
    "BayerBG8": cv2.COLOR_BayerBGGR2BGR,
}
_DEEP = ("Mono10", "Mono12", "Mono14", "Mono16")
_FORMATS = ("Mono8", *_DEEP, "RGB8", "BGR8", *_BAYER)


class GenicamCapture:
    """A GenICam camera that sends pictures by its own settings: exposure, trigger, pixel format.

    Raises:
        DependencyError: PyGObject, aravis or its description for PyGObject is not installed.
    """

    def __init__(self, name: str) -> None:
        """Open a camera by its name as `arv-tool-0.8` lists it, or its address; the first one where it is empty."""
        self._aravis = _library()
        self._lost = False
        self._camera: Any = None
        self._stream: Any = None
        try:
            self._camera = self._aravis.Camera.new(name or None)
            self._camera.get_device().connect("control-lost", self._control_lost)
            if self._camera.is_gv_device():
                # Packet sockets need root, and miss what comes over loopback.
                self._camera.gv_set_stream_options(
                    self._aravis.GvStreamOption.PACKET_SOCKET_DISABLED
                )
            self._stream = self._camera.create_stream(None, None)
            size = self._camera.get_payload()
            for _ in range(BUFFERS):
                self._stream.push_buffer(self._aravis.Buffer.new_allocate(size))
            self._camera.start_acquisition()
        except _errors():
            self.release()

    def isOpened(self) -> bool:
        """Whether there is such a camera, and nobody else controls it."""
        return self._camera is not None and not self._lost

    def read(self) -> tuple[bool, NDArray[Any] | None]:
        """Return whether the camera is there, and the next picture: BGR or grey, None where none came yet.

        Raises:
            SourceError: ("pixel-format") the camera sends pixels of another format.
        """
        if not self.isOpened():
            return False, None
        buffer = self._stream.timeout_pop_buffer(int(1e6 * WAIT))
        if buffer is None:
            return self.isOpened(), None
        try:
            # One that lacks packets is no picture of a part; the next one is waited for.
            if buffer.get_status() != self._aravis.BufferStatus.SUCCESS:
                return True, None
            form = self._camera.get_pixel_format_as_string()
            size = (buffer.get_image_height(), buffer.get_image_width())
            return True, pixels_of(buffer.get_data(), form, size)
        except _errors():
            return False, None
        finally:
            self._stream.push_buffer(buffer)

    def get(self, property: int) -> float:
        """Return exposure (us) or gain as the camera states it; -1 for what it does not."""
        try:
            if property == cv2.CAP_PROP_EXPOSURE and self._camera.is_exposure_time_available():
                return float(self._camera.get_exposure_time())
            if property == cv2.CAP_PROP_GAIN and self._camera.is_gain_available():
                return float(self._camera.get_gain())
        except _errors():
            pass
        return -1.0

    def release(self) -> None:
        """Stop the camera and leave it to others."""
        try:
            if self._camera is not None and not self._lost:
                self._camera.stop_acquisition()
        except _errors():
            pass
        self._stream = self._camera = None

    def _control_lost(self, device: object) -> None:
        self._lost = True


def pixels_of(data: bytes, form: str, size: tuple[int, int]) -> NDArray[Any]:
    """Return the pixels of a buffer: BGR of 8 bits, or grey of 8 or 16 bits.

    Args:
        data: as the camera sent it.
        form: the name of its pixel format (SFNC 2.7, PixelFormat), such as "BayerRG8".
        size: height and width, px.

    Raises:
        SourceError: ("pixel-format") another format.
    """
    height, width = size
    if form in _DEEP:
        return np.frombuffer(data, "<u2", height * width).reshape(size).copy()
    if form in ("RGB8", "BGR8"):
        pixels = np.frombuffer(data, np.uint8, 3 * height * width).reshape(height, width, 3)
        return np.ascontiguousarray(pixels[..., ::-1]) if form == "RGB8" else pixels.copy()
    if form not in _FORMATS:
        raise SourceError(
            f"the camera sends pixels of {form}, expected {', '.join(_FORMATS)}",
            hint="set PixelFormat of the camera to one of these",
            code="pixel-format",
        )
    grey = np.frombuffer(data, np.uint8, height * width).reshape(size)
    return grey.copy() if form == "Mono8" else cv2.cvtColor(grey, _BAYER[form])


def _library() -> Any:
    try:
        import_module("gi").require_version("Aravis", "0.8")
        return import_module("gi.repository.Aravis")
    except (ImportError, ValueError) as error:
        raise DependencyError(
            "GenICam cameras need PyGObject and aravis 0.8, which are not installed",
            hint="apt-get install gir1.2-aravis-0.8, and pip install 'flawline[genicam]'",
        ) from error


def _errors() -> tuple[type[Exception], ...]:
    return (import_module("gi.repository.GLib").Error,)
