"""Freely licensed sample pictures that ship inside scikit-image, scikit-learn and matplotlib."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[Any]
TRAINING: tuple[tuple[str, str], ...] = (
    ("skimage", "data/astronaut.png"), ("skimage", "data/brick.png"),
    ("skimage", "data/camera.png"), ("skimage", "data/cell.png"), ("skimage", "data/chelsea.png"),
    ("skimage", "data/clock_motion.png"), ("skimage", "data/coins.png"),
    ("skimage", "data/color.png"), ("skimage", "data/grass.png"), ("skimage", "data/gravel.png"),
    ("skimage", "data/hubble_deep_field.jpg"), ("skimage", "data/ihc.png"),
    ("skimage", "data/moon.png"), ("skimage", "data/motorcycle_left.png"),
    ("skimage", "data/page.png"), ("skimage", "data/retina.jpg"), ("skimage", "data/text.png"),
    ("sklearn", "datasets/images/china.jpg"),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    ("matplotlib", "mpl-data/sample_data/Minduka_Present_Blue_Pack.png"),
)  # fmt: skip
HELD_OUT: tuple[tuple[str, str], ...] = (
    ("skimage", "data/coffee.png"), ("skimage", "data/rocket.jpg"),
    ("sklearn", "datasets/images/flower.jpg"),
)  # fmt: skip


def load_scenes(names: tuple[tuple[str, str], ...]) -> list[Picture]:
    """The named pictures as uint8 RGB (H, W, 3)."""
    return [_load(package, name) for package, name in names]


def _load(package: str, name: str) -> Picture:
    # find_spec, not import: only the folder is wanted, and importing these packages takes seconds.
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{package} is not installed; its sample {name} is needed")
    picture = cv2.imread(str(Path(spec.origin).parent / name), cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError(f"{package} holds no readable {name}")
    return np.ascontiguousarray(picture[:, :, ::-1])


def scene_crop(rng: np.random.Generator, scenes: list[Picture], side: int) -> Picture:
    """A turned, scaled, mirrored and slightly sheared cut of a random scene, (side, side, 3)."""
    scene = scenes[rng.integers(len(scenes))]
    height, width = scene.shape[:2]
    zoom = float(np.exp(rng.uniform(np.log(0.6), np.log(3.0))))
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.6 else rng.integers(4) * np.pi / 2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
    turn = turn @ (np.eye(2) + rng.normal(0, 0.08, (2, 2)))
    turn[:, 0] *= rng.choice([-1, 1])
    centre = np.array([rng.uniform(0.15, 0.85) * width, rng.uniform(0.15, 0.85) * height])
    matrix = np.column_stack([turn, centre - turn @ np.array([side / 2, side / 2])])
    # AREA is not offered by warpAffine; shrinking at most 0.6x keeps bilinear aliasing small.
    return cv2.warpAffine(
        scene, matrix, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
