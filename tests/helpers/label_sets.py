"""Sets of pictures to label, for tests of pages."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from flawline.data.image import DEFAULT_IMAGE_LIMITS
from flawline.jobs.label.label_pictures import key_of
from flawline.jobs.label.mask_png import grey_png
from flawline.jobs.label.new_set import set_of_folder
from helpers.discs import disc, spoilt
from helpers.served_browser import House

CLASSES = ("scratch", "stain")
SIZE = (96, 96)


def write_parts(folder: Path, count: int = 6) -> Path:
    """Write discs, every second of them spoilt."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = (spoilt if number % 2 else disc)(700 + number)
        cv2.imwrite(str(folder / "images" / f"part_{number}.png"), pixels[..., ::-1])
    return folder


def label_set(state: Any, folder: Path, count: int = 6) -> str:
    """Make a set of discs in a folder of the server, and return its name."""
    parts = write_parts(folder, count)

    def make(wish: Any, place: Path) -> Any:
        return set_of_folder(wish, parts, place, DEFAULT_IMAGE_LIMITS)

    return str(state.labels.make("Discs", "eva", CLASSES, "discs", make))


def mark(*boxes: tuple[int, int, int, int, int]) -> np.ndarray:
    """Draw a mask with rectangles (class, top, left, bottom, right)."""
    mask = np.zeros(SIZE, np.uint8)
    for number, top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = number
    return mask


def key(number: int) -> str:
    """Return the key of a picture of a set."""
    return key_of(f"images/part_{number}.png")


def labelled(house: House) -> str:
    """Return a set of the house in which two people have drawn; it is made once."""
    state = house.state
    found = [one.id for one in state.labels.list() if one.title == "Discs"]
    if found:
        return found[0]
    number = label_set(state, state.settings.data / "discs")
    save = partial(state.labels.get(number).save, done=True)
    first, second = mark((1, 20, 20, 28, 60), (2, 60, 60, 75, 80)), mark((1, 20, 24, 28, 64))
    save(key(1), grey_png(first), who="eva", base=0)
    save(key(1), grey_png(second), who="ben", base=0, own=True)
    save(key(0), grey_png(mark()), who="eva", base=0)
    return number
