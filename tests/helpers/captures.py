"""A camera that sends what a test gives it."""

from __future__ import annotations

import cv2


class FakeCapture:
    """A camera that sends these pictures (BGR), and then nothing more."""

    def __init__(self, pictures, opened=True):
        self.pictures, self.opened, self.released = list(pictures), opened, False

    def isOpened(self):
        return self.opened

    def read(self):
        return (True, self.pictures.pop(0)) if self.pictures else (False, None)

    def get(self, number):
        return {cv2.CAP_PROP_EXPOSURE: 0.008, cv2.CAP_PROP_GAIN: 0.0}.get(number, -1.0)

    def release(self):
        self.released = True
