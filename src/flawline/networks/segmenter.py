"""A trained segmenter on OpenVINO: the probability of each class at every pixel of a picture of any size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.view.framing import Framing, Size
from flawline.core.view.tiling import WindowPlace, cut, stitch, upsample
from flawline.data.json_file import parse_json
from flawline.errors import ModelError, UsageError
from flawline.networks.network import Network
from flawline.networks.network_file import file_metadata
from flawline.networks.openvino_runtime import compile_network, prepare_network, ready_network

OUTPUT = "logits"
CLASSES_KEY = "flawline.classes"
FRAMING_KEY = "flawline.framing"
_WAY_OUT = "give the file that training a segmenter wrote"


@dataclass(frozen=True, slots=True, eq=False)
class Segmenter:
    """A network of logits, the names of its classes (background first), and how pictures are brought to windows.

    With `flips` each window is looked at four times, as it is and mirrored both ways, and the probabilities are
    averaged (test-time augmentation).
    """

    network: Network
    classes: tuple[str, ...]
    framing: Framing
    flips: bool = False

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities float32 (C, H, W) for a picture uint8 RGB (H, W, 3); they add up to 1 at each pixel."""
        places, shares = [], []
        for window in cut(pixels, self.framing):
            places.append(window.place)
            shares.append(self._shares(window.pixels))
        return whole_picture(places, shares, self.framing, (pixels.shape[0], pixels.shape[1]))

    def _shares(self, window: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = softmax(self.network(window)[OUTPUT])
        if not self.flips:
            return found
        for axes in ((0,), (1,), (0, 1)):
            mirrored = self.network(np.ascontiguousarray(np.flip(window, axes)))[OUTPUT]
            found += np.flip(softmax(mirrored), tuple(axis + 1 for axis in axes))
        return found / np.float32(4)


def open_segmenter(
    path: Path | bytes,
    *,
    framing: Framing | None = None,
    flips: bool = False,
    precision: str = "auto",
    threads: int = 0,
    keep: bool = False,
) -> Segmenter:
    """Load a segmenter that Flawline exported.

    Args:
        path: the ONNX file, or its content.
        framing: other windows than those that it was trained for; the cell is 1 pixel.
        flips: average over mirrored windows, for four times the work.
        precision: "f32", "bf16" or "auto".
        threads: of the CPU, 0 for all.
        keep: the compiled network for the next start.

    Raises:
        ModelError: the file is missing, is no network, or does not say which classes it knows.
    """
    chosen = framing or _stated_framing(path)
    prepared = prepare_network(path, outputs=(OUTPUT,), size=chosen.window, precision=precision)
    classes = _told(prepared.metadata, CLASSES_KEY, prepared.name)
    known = prepared.shapes[OUTPUT][0]
    if not isinstance(classes, list) or len(classes) != known:
        raise ModelError(
            f"{prepared.name} gives {known} classes and names {classes}", hint=_WAY_OUT
        )
    network = ready_network(prepared, compile_network(prepared, threads, keep=keep))
    return Segmenter(network, tuple(classes), replace(chosen, cell=1), flips)


def whole_picture(
    places: Sequence[WindowPlace],
    shares: Sequence[NDArray[np.float32]],
    framing: Framing,
    size: Size,
) -> NDArray[np.float32]:
    """Probabilities (C, H, W) of a picture of `size` out of those of its windows, (C, h, w) each."""
    if len(places) == 1:
        height, width = framing.window if framing.scale == "fit" else size
        joined = shares[0][:, :height, :width]
    else:
        joined = np.stack(
            [_stitched(places, one, framing, size) for one in zip(*shares, strict=True)]
        )
    if joined.shape[1:] == size:
        return np.ascontiguousarray(joined)
    return np.stack([upsample(one, size, framing) for one in joined])


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities along the first axis."""
    powers = np.exp(logits - logits.max(0))
    return np.asarray(powers / powers.sum(0), np.float32)


def _stitched(
    places: Iterable[WindowPlace], maps: Iterable[NDArray[np.float32]], framing: Framing, size: Size
) -> NDArray[np.float32]:
    return stitch(zip(places, maps, strict=True), framing, size)


def _stated_framing(path: Path | bytes) -> Framing:
    name = "model" if isinstance(path, bytes) else path.stem
    settings = _told(file_metadata(path), FRAMING_KEY, name)
    try:
        return Framing.from_settings(settings)
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise ModelError(f"{name} states no usable windows: {error}", hint=_WAY_OUT) from error


def _told(metadata: Mapping[str, str], key: str, name: str) -> Any:
    """What the file says under a key."""
    try:
        return parse_json(metadata[key])
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"{name} does not say {key}: it is no segmenter that Flawline exported",
            hint=_WAY_OUT,
        ) from error
