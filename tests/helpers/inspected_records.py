"""Records for tests, each different, and the same every time."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flawline.records.record import DefectRecord, Record

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
RECIPE, SPEC = "a" * 64, "b" * 64


def record(number: int, **changes: Any) -> Record:
    """Inspection `number`: one a second, ten a lot, every seventh rejected with two stains."""
    bad = number % 7 == 3
    stains = tuple(
        DefectRecord("stain", (5 * k, 7, 4, 3), {"area": 10.0 + number + k, "peak": 0.9})
        for k in range(2 if bad else 0)
    )
    made = Record(
        image=f"cam1/{number:06}.png",
        judged=START + timedelta(seconds=number + 0.25),
        verdict="reject" if bad else "accept",
        reasons=("the score lies above the threshold",) if bad else (),
        captured=START + timedelta(seconds=number),
        picture=hashlib.sha256(b"%d" % number).hexdigest(),
        size=(480, 640),
        score=number / 8,
        p_value=1 / (number + 1),
        recipe=RECIPE,
        spec=SPEC,
        part=f"P{number:06}",
        station="s1",
        step="coating",
        lot=f"L{number // 10}",
        measures={"NumberOfStains": float(len(stains)), "LargestStainArea": number * 1.5},
        defects=stains,
        further={"weather": "fine"},
    )
    return replace(made, **changes)
