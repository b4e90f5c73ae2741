from __future__ import annotations

from flawline.core.measure.native.library import kernel
from flawline.models.machine import describe_machine


def test_it_says_by_what_defects_are_measured(monkeypatch) -> None:
    assert describe_machine()["machine"]["defects are measured by"] == kernel().state
    monkeypatch.setenv("FLAWLINE_NATIVE", "0")
    told = describe_machine()["machine"]["defects are measured by"]
    assert told == "NumPy: turned off by FLAWLINE_NATIVE=0"
