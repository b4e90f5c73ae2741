"""Build segmentation networks by name."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch

from flawline.data.quiet import quiet_packages
from flawline.errors import ModelError, UsageError
from flawline.jobs.train.segment.light import EmbeddedEncoder, LightUNet
from flawline.jobs.train.segment.segment_settings import NetworkSettings
from flawline.jobs.train.segment.unet_original import OriginalUNet
from flawline.networks.backbone import embedded_backbone
from flawline.networks.cache import offline
from flawline.networks.network import PRESETS, Preparation, parse_preparation
from flawline.networks.network_file import file_preparation
from flawline.networks.timm_name import PREFIX, TimmName, parse_timm_name
from flawline.networks.timm_weights import check_keys, checked_file, file_sha256
from flawline.networks.torch_export import read_weights

LIGHT, ORIGINAL = "light", "unet-original"
ALIASES = {"unet++": "unetplusplus", "deeplabv3+": "deeplabv3plus"}
ENCODER = "resnet18"
_DEPTH = 4


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A network with random or pretrained weights.

    `preparation` is for pictures of any size. Both sides of a picture are multiples of `multiple`. `record` names the
    network and the weights that the encoder began with, as plain values. With `unfold` the network needs prepared
    pictures before it is trained (`LightUNet.unfold`).
    """

    network: Any
    preparation: Preparation
    multiple: int
    record: Mapping[str, Any]
    unfold: bool = False


def network_names() -> tuple[str, ...]:
    """List all names that `build_network` knows, without aliases."""
    return LIGHT, ORIGINAL, *sorted(smp.MODEL_ARCHITECTURES_MAPPING)


def build_network(settings: NetworkSettings, classes: int, *, seed: int = 0) -> Built:
    """Build a network for `classes` classes, background included; the same seed gives the same random weights.

    Raises:
        UsageError: a malformed name, or an encoder or weights for a network that has none.
        ModelError: an unknown network or encoder, weights that do not fit or cannot be fetched.
    """
    with torch.random.fork_rng(devices=[]), quiet_packages():
        torch.manual_seed(seed)
        if settings.name == ORIGINAL:
            return _original(settings, classes)
        if settings.name == LIGHT and settings.encoder is None:
            return _light(settings, classes)
        return _of_smp(settings, classes)


def _original(settings: NetworkSettings, classes: int) -> Built:
    if settings.encoder is not None or settings.weights not in (None, "none"):
        raise UsageError(
            f"{ORIGINAL} has no encoder to choose and no weights to begin with",
            hint='use "unet" with an encoder',
        )
    network = OriginalUNet(classes)
    preparation = parse_preparation(settings.preparation or "tensorflow")
    return Built(
        network, preparation, network.multiple, _record(settings, network, None, {"from": "none"})
    )


def _light(settings: NetworkSettings, classes: int) -> Built:
    if settings.weights not in (None, "none"):
        raise UsageError(
            f"{LIGHT} on the embedded backbone has its own weights, got {settings.weights!r}",
            hint="name an encoder for weights of your own",
        )
    encoder = EmbeddedEncoder()
    network = LightUNet(classes, encoder, encoder.channels)
    path = embedded_backbone()
    weights = {"from": "none"}
    if settings.weights is None:
        encoder.load_folded(path)
        weights = {"from": "embedded", "sha256": file_sha256(path)}
    preparation = (
        parse_preparation(settings.preparation) if settings.preparation else file_preparation(path)
    )
    record = _record(settings, network, path.stem, weights)
    return Built(network, preparation, network.multiple, record, settings.weights is None)


def _of_smp(settings: NetworkSettings, classes: int) -> Built:
    name = ALIASES.get(settings.name, settings.name)
    if name != LIGHT and name not in smp.MODEL_ARCHITECTURES_MAPPING:
        near = difflib.get_close_matches(name, network_names(), 3)
        raise ModelError(
            f"no network {settings.name!r}",
            hint=f"did you mean {', '.join(near)}?"
            if near
            else f"there are {', '.join(network_names())}",
        )
    asked = _encoder(settings.encoder or ENCODER)
    hub, file = _hub_or_file(settings.weights)
    if hub is not None and offline():
        raise ModelError(
            f"the weights {hub!r} of {asked.name} would have to be fetched, and FLAWLINE_OFFLINE is set",
            hint="give the weights by path: FILE.safetensors",
            code="model-offline",
        )
    arguments = dict(asked.arguments)
    try:
        if name == LIGHT:
            encoder = smp.encoders.get_encoder(
                asked.name, in_channels=3, depth=_DEPTH, weights=hub, **arguments
            )
            network: Any = LightUNet(classes, encoder, encoder.out_channels[-4:])
            multiple = network.multiple
        else:
            network = smp.create_model(
                name, asked.name, encoder_weights=hub, classes=classes, **arguments
            )
            multiple = 32
    except Exception as error:  # both packages and the hub raise what they like
        raise _not_built(settings, asked, hub, error) from error
    weights: dict[str, Any] = {"from": "none"}
    if hub is not None:
        weights = {"from": "hub", "name": hub, "encoder_sha256": state_sha256(network.encoder)}
    if file is not None:
        weights = _load_encoder(network.encoder, file, asked)
    preparation = (
        parse_preparation(settings.preparation) if settings.preparation else _preparation(asked)
    )
    return Built(network, preparation, multiple, _record(settings, network, asked.name, weights))


def _encoder(text: str) -> TimmName:
    """Translate the name of an encoder to that of smp; those of timm begin with "tu-" there."""
    if not text.startswith(PREFIX):
        if text.startswith("tu-") or text in smp.encoders.get_encoder_names():
            return TimmName(text, {})
        near = difflib.get_close_matches(text, smp.encoders.get_encoder_names(), 3)
        meant = f"did you mean {', '.join(near)}? " if near else ""
        raise ModelError(f"no encoder {text!r}", hint=f"{meant}Those of timm are named timm:NAME")
    asked = parse_timm_name(text)
    return TimmName(f"tu-{asked.name}", asked.arguments)


def _preparation(asked: TimmName) -> Preparation:
    """Choose the preparation: that of ImageNet, unless timm states another one for its network."""
    usual = PRESETS["imagenet"]
    stated = timm.models.get_pretrained_cfg(asked.name.removeprefix("tu-"))
    if not asked.name.startswith("tu-") or stated is None:
        return usual
    (a, b, c), (d, e, f) = (
        (round(255 * float(value), 6) for value in values) for values in (stated.mean, stated.std)
    )
    return replace(usual, mean=(a, b, c), std=(d, e, f))


def _hub_or_file(weights: str | None) -> tuple[str | None, Path | None]:
    """Tell the name of weights on the hub from a file of weights; both None without weights."""
    if weights is None or weights == "none":
        return None, None
    # Neither a suffix nor a separator: a name, as smp gives them.
    if weights.replace("-", "").replace("_", "").replace("+", "").isalnum():
        return weights, None
    return None, checked_file(Path(weights))


def _load_encoder(encoder: Any, path: Path, asked: TimmName) -> dict[str, Any]:
    """Load the weights of a file; the last stages may be missing in it and then stay random."""
    stored = read_weights(path)
    body = encoder.model if asked.name.startswith("tu-") else encoder
    expected = body.state_dict()
    used = {key: value for key, value in stored.items() if key in expected}
    check_keys(list(expected), list(used), (), asked.name, path)
    wrong = [key for key, value in used.items() if value.shape != expected[key].shape]
    if wrong:
        raise ModelError(
            f"{path.name} does not fit {asked.name}: {wrong[0]} is {tuple(used[wrong[0]].shape)}, "
            f"expected {tuple(expected[wrong[0]].shape)}",
            hint="give the file of this very network",
            code="model-weights",
        )
    body.load_state_dict(used, strict=False)
    missing = sorted(
        {
            key.rpartition(".")[0]
            for key in expected.keys() - used.keys()
            if not key.endswith("tracked")
        }
    )
    return {
        "from": "file",
        "name": path.name,
        "sha256": file_sha256(path),
        "left_random": missing,
        "not_used": len(stored) - len(used),
    }


def _record(
    settings: NetworkSettings, network: Any, encoder: str | None, weights: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "network": settings.name,
        "encoder": encoder,
        "encoder_weights": dict(weights),
        "parameters": sum(part.numel() for part in network.parameters()),
    }


def state_sha256(module: Any) -> str:
    """Hash all weights of a module."""
    digest = hashlib.sha256()
    for key, value in module.state_dict().items():
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _not_built(
    settings: NetworkSettings, asked: TimmName, hub: str | None, error: Exception
) -> ModelError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = lines[0] if lines else type(error).__name__
    if hub is not None:
        return ModelError(
            f"{settings.name} on {asked.name} with the weights {hub!r}: {reason}",
            hint="give the weights by path: FILE.safetensors",
            code="model-fetch",
        )
    return ModelError(
        f"{settings.name} cannot be built on {asked.name}: {reason}", hint="choose another encoder"
    )
