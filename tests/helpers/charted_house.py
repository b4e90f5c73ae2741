"""A server with a process that moves: 80 parts of one product, a picture each, one far away and a level that moves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from flawline.records.alerts import RaisedAlert
from flawline.records.record import DefectRecord, Record
from helpers.full_house import disc, png, spoilt
from helpers.served_browser import House, serving

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
COUNT, ODD, MOVED = 80, 30, 60
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@contextmanager
def charted_house(folder: Path) -> Iterator[House]:
    """Serve records without a recipe."""
    from flawline.server.settings import ServeSettings

    def settings(port: int, name: str) -> ServeSettings:
        return ServeSettings(folder / "charted", hosts=(name,), port=port)

    with serving(settings) as house:
        fill_charts(house.state)
        yield house


def fill_charts(state: Any, **changes: Any) -> None:
    """Write the parts, and raise an alert about the level."""
    pictures = [state.pictures.put(png(draw(seed))) for seed in range(4) for draw in (disc, spoilt)]
    random = np.random.default_rng(7)
    state.store.add([_record(number, random, pictures, changes) for number in range(COUNT)])
    state.store.alerts.add(
        [
            RaisedAlert(
                key="brightness/individuals/rule-2/above/70",
                series="brightness",
                panel="individuals",
                rule=2,
                side="above",
                inspection=70,
                point="0069",
                since="0061",
                text="9 points in a row lie above the centre since part 0061",
                meaning="the process has moved to another level",
                action="ask what was changed",
                raised=START + timedelta(hours=1, minutes=10),
            )
        ]
    )


def _record(number: int, random: Any, pictures: list[str], changes: dict[str, Any]) -> Record:
    odd = number == ODD
    level = 100.0 + (3.0 if number >= MOVED else 0.0)
    picture = pictures[2 * (number % 4) + odd]
    stains = (DefectRecord("stain", (8, 9, 12, 10), {"area": 96.0}),) if odd else ()
    return Record(
        **{
            "image": f"cam/{number:04}.png",
            "judged": START + timedelta(minutes=number, seconds=1),
            "captured": START + timedelta(minutes=number),
            "verdict": "reject" if odd else "accept",
            "reasons": ("score 9 is above the limit 4",) if odd else (),
            "picture": picture,
            "size": (64, 64),
            "score": 9.0 if odd else 2 + (number * 7 % 5) / 10,
            "part": f"{number:04}",
            "lot": f"L{number // 20}",
            "product": "plate",
            "station": "A",
            "recipe": hashlib.sha256(b"r").hexdigest(),
            "measures": {
                "brightness": float(random.normal(level, 1.0)),
                "largest_area": 96.0 if odd else float(random.uniform(0, 9)),
                "length": 50 + (number * 7 % 5) / 40,
            },
            "defects": stains,
            **changes,
        }
    )
