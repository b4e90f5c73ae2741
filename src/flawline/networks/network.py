"""A network as the rest of Flawline sees it: pixels in, named arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from flawline.data.json_file import parse_json
from flawline.errors import ModelError

METADATA_KEY = "flawline.preparation"


@dataclass(frozen=True, slots=True)
class Preparation:
    """What a network expects: RGB pixels of `size` (height, width), each channel `(x - mean) / std`.

    `mean` and `std` are on the 0-255 scale of the pixels.
    """

    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def as_dict(self) -> dict[str, Any]:
        """Convert to the JSON object that a model file carries under `flawline.preparation`."""
        return {
            "colour": "rgb",
            "layout": "NCHW",
            "scale": "0-255",
            "mean": list(self.mean),
            "std": list(self.std),
            "size": list(self.size),
        }


PRESETS: Mapping[str, Preparation] = {
    "imagenet": Preparation((224, 224), (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "tensorflow": Preparation((224, 224), (127.5,) * 3, (127.5,) * 3),
}

_GRAMMAR = (
    'expected a preset ("imagenet", "tensorflow") or "mean=M,std=S,size=PIXELS" on the 0-255 scale, '
    'where M and S are one number or three joined by "/"'
)


class Network(Protocol):
    """One loaded network. Calling it is safe from several threads, and a result never depends on other calls."""

    name: str
    sha256: str
    preparation: Preparation
    precision: str
    outputs: Mapping[str, int]
    """Channels of each output by name, in the order of the file."""

    def __call__(self, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Run uint8 RGB (height, width, 3) of the prepared size; returns (C, h, w) maps and (C,) vectors."""
        ...


def parse_preparation(text: str) -> Preparation:
    """Read a preparation that a person wrote: a preset's name or `mean=128,std=128,size=224`.

    Raises:
        ModelError: when the text is neither.
    """
    if text in PRESETS:
        return PRESETS[text]
    parts = dict(part.partition("=")[::2] for part in text.replace(" ", "").split(","))
    if set(parts) - {"mean", "std", "size"} or not {"mean", "std"} <= set(parts):
        raise _unknown_preparation(text)
    try:
        size = int(parts.get("size", "224"))
        return _checked(
            (size, size), _three(parts["mean"].split("/")), _three(parts["std"].split("/"))
        )
    except ValueError as error:
        raise _unknown_preparation(text) from error


def with_size(preparation: Preparation, size: int | tuple[int, int]) -> Preparation:
    """Change the input of a preparation to (height, width) pixels, or a square one.

    Raises:
        ModelError: when a side is not within 1 to 16384.
    """
    sides = (size, size) if isinstance(size, int) else size
    try:
        return _checked(sides, preparation.mean, preparation.std)
    except ValueError as error:
        raise ModelError(str(error), hint="give another size", code="model-preparation") from error


def preparation_from_json(text: str) -> Preparation:
    """Read the preparation that a model file carries.

    Raises:
        ModelError: when the JSON lacks a field or asks for another colour order, layout or scale than RGB, NCHW, 0-255.
    """
    try:
        value = parse_json(text)
        fixed = (
            value.get("colour", "rgb"),
            value.get("layout", "NCHW"),
            value.get("scale", "0-255"),
        )
        if fixed != ("rgb", "NCHW", "0-255"):
            raise ValueError(
                f"colour, layout and scale are {fixed}, expected ('rgb', 'NCHW', '0-255')"
            )
        height, width = value["size"]
        return _checked((int(height), int(width)), _three(value["mean"]), _three(value["std"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"the model file's {METADATA_KEY} metadata cannot be used: {error}",
            hint="write it as Preparation.as_dict() gives it, or pass `preparation`",
        ) from error


def _three(values: list[Any]) -> tuple[float, float, float]:
    numbers = [float(value) for value in values]
    if len(numbers) == 1:
        numbers = numbers * 3
    red, green, blue = numbers
    return red, green, blue


def _checked(
    size: tuple[int, int], mean: tuple[float, float, float], std: tuple[float, float, float]
) -> Preparation:
    if min(size) < 1 or max(size) > 16384:
        raise ValueError(f"size {size} is not within 1 to 16384 pixels")
    if not all(np.isfinite((*mean, *std))) or min(std) <= 0:
        raise ValueError("mean must be finite and std above 0")
    return Preparation(size, mean, std)


def _unknown_preparation(text: str) -> ModelError:
    return ModelError(
        f"preparation {text!r} is not understood: {_GRAMMAR}", code="model-preparation"
    )
