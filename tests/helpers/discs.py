"""Small parts for tests of training and inspecting: discs with noise, and ways to spoil them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from flawline.data.source import open_source
from flawline.jobs.train.anomaly_settings import AnomalySettings
from flawline.jobs.train.train_anomaly import AnomalyTraining, train_anomaly
from flawline.jobs.train.view import ViewSettings

SIDE = 96


def disc(seed: int, side: int = SIDE) -> np.ndarray:
    """A good part, uint8 (side, side, 3)."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(70, 4, (side, side, 3)) + rng.normal(0, 1)
    pixels[:, :, 0] += np.linspace(0, 40, side)
    middle = (side // 2, side // 2)
    face = rng.normal(0, 4, (side, side, 1)) + np.array([150.0, 140, 130])
    inside = np.zeros((side, side), np.uint8)
    cv2.circle(inside, middle, side // 3, 1, -1)
    return np.clip(np.where(inside[..., None] > 0, face, pixels), 0, 255).astype(np.uint8)


def spoilt(
    seed: int, left: int | None = None, top: int | None = None, size: int = 16
) -> np.ndarray:
    """A bad part: black and white squares on it, at a place of its own."""
    pixels = disc(seed)
    left = 26 + seed * 7 % 23 if left is None else left
    top = 26 + seed * 5 % 19 if top is None else top
    squares = np.indices((size, size)).sum(axis=0) // 8 % 2 * 255
    pixels[top : top + size, left : left + size] = squares[..., None]
    return pixels


def faint(seed: int) -> np.ndarray:
    """A disc with a faint spot: more than usual, and less than a spoilt one."""
    return cv2.addWeighted(disc(1000 + seed), 0.94, spoilt(1000 + seed, size=8), 0.06, 0)


def write(path: Path, pixels: np.ndarray) -> Path:
    """Write RGB pixels; the file is complete when it has its name, as a watched folder wants it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(path.suffix, pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    assert done
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_bytes(data.tobytes())
    return unfinished.replace(path)


def write_discs(folder: Path, good: int = 10, bad: int = 0, first: int = 0) -> Path:
    """folder/good/0.png ... and folder/bad/0.png ...; returns `folder`."""
    for index in range(first, first + good):
        write(folder / "good" / f"{index}.png", disc(index))
    for index in range(first, first + bad):
        write(folder / "bad" / f"{index}.png", spoilt(1000 + index))
    return folder


def train(
    location: Path, network: Path | str, *, track: Any = None, **more: Any
) -> AnomalyTraining:
    """Train on a source with a small network, in windows of 64 px, with three parts in ten held out, untested."""
    more.setdefault("view", ViewSettings(window=(64, 64)))
    settings = AnomalySettings(
        **{
            "part": "disc",
            "backbone": str(network),
            "precision": "f32",
            "held_out": 0.3,
            "self_test": "off",
            **more,
        }
    )
    with open_source(location) as source:
        if track is None:
            return train_anomaly(source, settings)
        return train_anomaly(source, settings, track=track)


def heard(titles: list[str]) -> Callable[..., Iterable[Any]]:
    """A track that writes down what work was begun."""

    def track(items: Iterable[Any], *, title: str, total: int | None) -> Iterable[Any]:
        titles.append(title)
        yield from items

    return track


def roles(trained: Any) -> dict[str, str]:
    """What each picture was used for, by its name."""
    return {picture.name: picture.role for picture in trained.recipe.manifest.pictures}
