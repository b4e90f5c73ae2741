"""Frames of samples."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from flawline.data.frame import Frame, frame_of
from flawline.data.process import DIMENSIONS, PROCESS
from flawline.errors import ManifestError, UsageError
from flawline.types import Sample


def test_a_picture_alone_is_a_frame():
    frame = Frame(np.zeros((4, 4), np.uint8))
    assert (frame.name, frame.captured, frame.part, frame.key) == ("", None, None, None)
    assert {getattr(frame, name) for name in PROCESS} == {None}


def test_columns_of_a_source_fill_the_fields_of_their_names():
    known = {"lot": 7, "captured": "2026-03-01T06:00:00Z", "weather": "fine", "tool": None}
    frame = frame_of(
        Sample("a.png", "good", group="A", metadata=known), b"x", {"lot": "0", "tool": "t"}
    )
    assert (frame.lot, frame.tool, frame.part, frame.label) == ("7", "t", "A", "good")
    assert frame.captured == datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert frame.further == {"weather": "fine"}
    for name in DIMENSIONS:
        assert getattr(frame_of(Sample("a", metadata={name: "v"}), b""), name) == "v"
    assert frame_of(Sample("a", group="A", metadata={"part": "P"}), b"").part == "P"
    assert frame_of(Sample("a", group="A", metadata={"part": ""}), b"").part == "A"
    assert frame_of(Sample("a", metadata={"captured": " "}), b"").captured is None


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(UsageError, match="zone"):
        Frame(b"", captured=datetime(2026, 3, 1))
    with pytest.raises(ManifestError, match=r"a\.png.*zone"):
        frame_of(Sample("a.png", metadata={"captured": "2026-03-01 06:00"}), b"")
