"""A GigE Vision camera on loopback: aravis' own, in a process of its own, so that a test can unplug it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

SERIAL = "FLAW1"
_PROGRAM = """
import sys
import gi
gi.require_version("Aravis", "0.8")
from gi.repository import Aravis
camera = Aravis.GvFakeCamera.new("127.0.0.1", sys.argv[1])
# Small pictures: a burst of packets that does not fit into the socket's memory is lost.
for register, size in ((Aravis.FAKE_CAMERA_REGISTER_WIDTH, 96), (Aravis.FAKE_CAMERA_REGISTER_HEIGHT, 64)):
    camera.get_fake_camera().write_register(register, size)
print(camera.is_running(), flush=True)
sys.stdin.read()
"""


@contextmanager
def fake_gige() -> Iterator[subprocess.Popen[str]]:
    """A camera of 96 x 64 grey pixels called Aravis-Fake-FLAW1 while the block runs."""
    try:
        import gi

        gi.require_version("Aravis", "0.8")
    except (ImportError, ValueError):
        pytest.skip("PyGObject and aravis are not installed: make aravis")
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, SERIAL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "True":
            pytest.skip("another GigE camera of this machine has the port of the standard")
        yield process
    finally:
        process.kill()
        process.communicate()
