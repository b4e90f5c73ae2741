"""A server with what every page shows: judged parts of two lots, doubtful ones, decisions, an alert."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from helpers.discs import disc, spoilt
from helpers.served_browser import House, serving

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


def png(pixels: Any) -> bytes:
    """Encode RGB pixels."""
    ok, data = cv2.imencode(".png", pixels[..., ::-1])
    assert ok
    return bytes(data.tobytes())


def faint(seed: int) -> np.ndarray:
    """A disc with a faint spot: more than usual, and less than a spoilt one."""
    return cv2.addWeighted(disc(1000 + seed), 0.94, spoilt(1000 + seed, size=8), 0.06, 0)


@contextmanager
def served_house(folder: Path, recipe: Path, *, fill: bool = True) -> Iterator[House]:
    """Serve the product "disc" on a folder of its own, full or empty."""
    from flawline.server.settings import ServeSettings

    def settings(port: int, name: str) -> ServeSettings:
        return ServeSettings(folder / "house", recipes=(recipe,), hosts=(name,), port=port)

    with serving(settings) as house:
        if fill:
            fill_house(house.state)
        yield house


@contextmanager
def served_empty(folder: Path) -> Iterator[House]:
    """Serve a folder that nobody has used yet, without a recipe."""
    from flawline.server.settings import ServeSettings

    def settings(port: int, name: str) -> ServeSettings:
        return ServeSettings(folder / "empty", hosts=(name,), port=port)

    with serving(settings) as house:
        yield house


def fill_house(state: Any) -> None:
    """Judge 28 discs, one a minute: 20 good, 4 spoilt, 4 faint; decide about one, and raise an alert."""
    from flawline.data.frame import Frame
    from flawline.records.alerts import RaisedAlert
    from flawline.server.routes.inspect import judge

    for number in range(28):
        kinds = {6: spoilt, 3: faint}
        pixels = kinds.get(number % 7, disc)(500 + number)
        captured = START + timedelta(minutes=number)
        known = {"lot": f"L{1 + number // 14}", "part": f"{number:04}", "station": "A"}
        frame = Frame(png(pixels), f"part_{number:04}.png", captured, key=f"f{number}", **known)
        judge(state, "disc", frame)
    state.products.get("disc").station.flush()
    now = datetime.now(UTC)
    rejected = [one.id for one in state.store.page(count=50).items if one.verdict == "reject"]
    state.store.decide(rejected[-1], "accept", who="eva", why="a reflection", when=now)
    state.store.alerts.add(
        [
            RaisedAlert(
                key="score-2-above",
                series="score",
                panel="individuals",
                rule=2,
                side="above",
                inspection=rejected[0],
                point="0027",
                since="0019",
                text="the score lies above the centre nine times in a row",
                meaning="the process has shifted",
                action="look at the pictures since 0019",
                raised=START + timedelta(minutes=27),
            )
        ]
    )
