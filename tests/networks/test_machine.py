from __future__ import annotations

from flawline.compiled import MEASURE, kernel
from flawline.networks.machine import describe_machine


def test_it_says_by_what_defects_are_measured(monkeypatch) -> None:
    assert describe_machine()["machine"]["defects are measured by"] == kernel(MEASURE).state
    monkeypatch.setenv("FLAWLINE_NATIVE", "0")
    told = describe_machine()["machine"]["defects are measured by"]
    assert told == "NumPy: turned off by FLAWLINE_NATIVE=0"
