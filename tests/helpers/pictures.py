"""Pictures for tests, drawn on the spot."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

from flawline.types import Picture


def as_picture(pixels: np.ndarray, channels: int = 3, file_bytes: int = 1000) -> Picture:
    """Wrap uint8 pixels (h, w, 3), or (h, w) as a grey picture, as if they had been decoded."""
    if pixels.ndim == 2:
        pixels, channels = np.repeat(pixels[..., None], 3, axis=2), 1
    height, width = pixels.shape[:2]
    mode = "RGB" if channels == 3 else "L"
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    return Picture(pixels, width, height, mode, "PNG", channels, file_bytes, digest)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Uniform colour noise, uint8 (height, width, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def stripes(side: int, degrees: float, period: float = 16) -> np.ndarray:
    """Grey sine stripes whose gradient points to `degrees`, uint8 (side, side)."""
    y, x = np.mgrid[:side, :side]
    angle = np.deg2rad(degrees)
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    return np.rint(127.5 + 100 * wave).astype(np.uint8)


def parts(folder, good: int = 12, bad: int = 2, side: int = 64) -> None:
    """A labelled folder of noisy discs; bad ones have a bright blob."""
    for label, count in (("good", good), ("bad", bad)):
        (folder / label).mkdir(parents=True)
        for index in range(count):
            rng = np.random.default_rng([index, label == "bad"])
            pixels = rng.normal(90, 6, (side, side, 3))
            cv2.circle(pixels, (side // 2, side // 2), side // 3, (150, 150, 150), -1)
            if label == "bad":
                x, y = rng.integers(side // 3, side - side // 3, 2).tolist()
                cv2.circle(pixels, (x, y), side // 10, (250, 250, 250), -1)
            picture = np.clip(pixels, 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / label / f"part_{index}.png"), picture)
