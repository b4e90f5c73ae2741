"""A server with what every page shows: judged parts of two lots, doubtful ones, decisions, an alert."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2

from helpers.discs import disc, spoilt
from helpers.served_browser import House, serving

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


def png(pixels: Any) -> bytes:
    """Encode RGB pixels."""
    ok, data = cv2.imencode(".png", pixels[..., ::-1])
    assert ok
    return bytes(data.tobytes())


def with_doubts(recipe: Path, folder: Path) -> Path:
    """Write a recipe that rejects later than it reviews, as people set it, so that some parts are doubtful."""
    from flawline.recipe import read_recipe, write_recipe
    from flawline.recipe.recipe import recipe_with

    read = read_recipe(recipe)
    limit = read.settings.threshold
    assert limit is not None
    edited = replace(read.settings, threshold=replace(limit, reject=1.6 * limit.review))
    folder.mkdir(parents=True, exist_ok=True)
    return write_recipe(recipe_with(read, settings=edited), folder / "doubting.flaw")


@contextmanager
def served_house(folder: Path, recipe: Path, *, fill: bool = True) -> Iterator[House]:
    """Serve the product "disc" on a folder of its own, full or empty."""
    from flawline.server.settings import ServeSettings

    doubting = with_doubts(recipe, folder)

    def settings(port: int, name: str) -> ServeSettings:
        return ServeSettings(folder / "house", recipes=(doubting,), hosts=(name,), port=port)

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
    """Judge 28 discs, one a minute, four of them spoilt and four doubtful; decide about one, and raise an alert."""
    from flawline.data.frame import Frame
    from flawline.records.alerts import RaisedAlert
    from flawline.server.routes.inspect import judge

    for number in range(28):
        pixels = (spoilt if number % 7 == 6 else disc)(500 + number)
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
