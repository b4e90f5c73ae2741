"""Settings of the training of a segmenter."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flawline.core.view.framing import STEP, Framing
from flawline.errors import UsageError

DECISIONS = ("mean-iou", "mean-dice")
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "f32", "bf16")
RESOLUTIONS = ("full", "fit")


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Settings of augmentation; 0 or False leaves a step out.

    `flips` mirrors both ways. `rotation` is the largest rotation in degrees, `zoom` the largest change of scale (0.2:
    1/1.2 to 1.2 times), `elastic` the deviation of a smooth displacement in pixels, `light` (illumination) that of
    gain, offset and gamma (0.2: a fifth), `noise` the largest deviation of Gaussian noise in grey levels. `paste` is
    the share of patches that get a defect of another picture on their good area.
    """

    flips: bool = True
    rotation: float = 10.0
    zoom: float = 0.2
    elastic: float = 2.0
    light: float = 0.15
    noise: float = 6.0
    paste: float = 0.3

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        for name in ("rotation", "zoom", "elastic", "light", "noise", "paste"):
            value = getattr(self, name)
            most = 1.0 if name in ("light", "paste") else math.inf
            if not (math.isfinite(value) and 0 <= value <= most):
                raise UsageError(f"augmentation {name} is from 0 to {most:g}, got {value}")


NO_AUGMENTATION = Augmentation(False, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Settings of the network and its first weights.

    `name` is "light", "unet-original", or an architecture of segmentation-models-pytorch such as "unet", "unet++",
    "fpn", "deeplabv3+", "segformer". `encoder` is one of that package, or "timm:NAME" with arguments as in
    `flawline.networks.timm_name`; None is the embedded backbone for "light" and "resnet18" for the others. `weights`
    are those of the encoder: None (random; for "light" on the embedded backbone its own), "none", a .safetensors file,
    or the name of weights on the hub such as "imagenet". `preparation` is as in `flawline.networks.network`; by default
    that of the embedded backbone, of timm's network, or of ImageNet, and for "unet-original" -1 to 1.
    """

    name: str = "light"
    encoder: str | None = None
    weights: str | None = None
    preparation: str | None = None


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """Settings of the training of a segmenter.

    `loss` is a sum such as "balanced+dice" or "focal+0.5*lovasz" (`flawline.jobs.train.segment.losses`). `patch` is
    (height, width) in pixels; `resolution` "full" cuts patches out of pictures as they are, "fit" shrinks each whole
    picture to one patch. `around_defects` is the share of patches that are placed around a defect, every class equally
    often. An epoch has `patches` patches, None for as many as there are pictures, and more where `minutes` are given
    and validation would take over a tenth of them. `batch` patches make one step, in `accumulate` equal parts. Training
    ends after `epochs`, after `minutes` or when the decision metric has not risen for `patience` epochs, whichever
    comes first. `rate` is the highest learning rate, reached after a share `warm_up`; a pretrained encoder learns at
    `encoder_rate` times that, so that its knowledge outlasts the first steps. `average` is the decay of the moving
    average of the weights (EMA); the averaged weights are validated and stored. `workers` are threads that cut patches
    ahead; with 0 all cores cut them between steps.
    """

    network: NetworkSettings = field(default_factory=NetworkSettings)
    loss: str = "balanced+dice"
    patch: tuple[int, int] = (256, 256)
    resolution: Literal["full", "fit"] = "full"
    around_defects: float = 0.7
    augmentation: Augmentation = field(default_factory=Augmentation)
    patches: int | None = None
    batch: int = 8
    accumulate: int = 1
    epochs: int | None = 40
    minutes: float | None = None
    patience: int | None = None
    rate: float = 1e-3
    encoder_rate: float = 0.2
    weight_decay: float = 1e-2
    warm_up: float = 0.05
    average: float = 0.995
    decision: str = "mean-iou"
    precision: str = "auto"
    device: str = "auto"
    workers: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values out of range before any picture is read."""
        for what, value, known in (
            ("decision", self.decision, DECISIONS),
            ("device", self.device, DEVICES),
            ("precision", self.precision, PRECISIONS),
            ("resolution", self.resolution, RESOLUTIONS),
        ):
            if value not in known:
                raise UsageError(f"{what} {value!r} is not one of {', '.join(known)}")
        _check_numbers(self)
        _ = self.framing

    @property
    def framing(self) -> Framing:
        """Framing of whole pictures: windows of the size of a patch that overlap by a quarter."""
        scale: float | Literal["fit"] = "fit" if self.resolution == "fit" else 1.0
        return Framing(self.patch, scale, STEP * (min(self.patch) // (4 * STEP)), cell=1)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return dataclasses.asdict(self) | {"patch": list(self.patch)}


def settings_from_dict(values: Mapping[str, Any]) -> SegmentSettings:
    """Restore settings from `SegmentSettings.as_dict`."""
    given = dict(values)
    height, width = given.pop("patch")
    return SegmentSettings(
        network=NetworkSettings(**given.pop("network")),
        augmentation=Augmentation(**given.pop("augmentation")),
        patch=(height, width),
        **given,
    )


def _check_numbers(settings: SegmentSettings) -> None:
    for name, low, high in (
        ("around_defects", 0, 1),
        ("warm_up", 0, 1),
        ("encoder_rate", 0, math.inf),
        ("average", 0, 1),
        ("weight_decay", 0, math.inf),
        ("workers", 0, 64),
        ("seed", 0, 2**63),
    ):
        value = getattr(settings, name)
        if not low <= value <= high:
            raise UsageError(f"{name} is from {low} to {high:g}, got {value}")
    for name in ("patches", "batch", "accumulate", "epochs", "minutes", "patience", "rate"):
        value = getattr(settings, name)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise UsageError(f"{name} is above 0, got {value}")
    if settings.epochs is None and settings.minutes is None:
        raise UsageError("training without an end", hint="give a number of epochs or of minutes")
    if settings.batch % settings.accumulate or settings.batch == settings.accumulate:
        raise UsageError(
            f"a batch of {settings.batch} cannot be divided into {settings.accumulate} of at least 2 patches",
            hint="batch norm needs two patches at a time",
        )
