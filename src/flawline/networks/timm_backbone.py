"""Networks of timm as backbones: exported to ONNX once, kept in the cache, and from then on loaded like any other file.

PyTorch is imported only to export.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flawline.data.quiet import quiet_packages
from flawline.data.whole_file import replacing
from flawline.errors import DependencyError, ModelError
from flawline.networks.cache import offline
from flawline.networks.network import METADATA_KEY, Preparation
from flawline.networks.network_file import first_line
from flawline.networks.timm_name import INSTALL, PREFIX, TimmName, exported_path, parse_timm_name
from flawline.networks.timm_weights import HEADS, check_keys, checked_file, file_sha256

_FINEST = 8
_WAY_OUT = "give the weights by path: `weights=FILE.safetensors`"


def timm_backbone(text: str, weights: str | Path | None = None) -> Path:
    """Find the exported ONNX file of a network of timm; it is made where the cache does not have it.

    Args:
        text: as in `parse_timm_name`.
        weights: a .safetensors file with timm's own key names; the hub's weights by default.

    Raises:
        UsageError: the name is malformed.
        DependencyError: the extra is not installed.
        ModelError: timm does not know the network, the weights do not fit it, they cannot be fetched, or the exported
            network does not give what the original gives.
    """
    asked = parse_timm_name(text)
    file = None if weights is None else checked_file(Path(weights))
    path = exported_path(asked, None if file is None else file_sha256(file))
    if path.is_file():
        return path
    if file is None and offline():
        raise ModelError(
            f"the weights of {text} would have to be fetched, and FLAWLINE_OFFLINE is set",
            hint=_WAY_OUT,
            code="model-offline",
        )
    _import_extra()
    with quiet_packages():
        file = file or _fetched(asked)
        _export(asked, file, path)
    return path


def _import_extra() -> None:
    if offline():
        # Read by the hub's library when it is imported.
        os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        with quiet_packages():
            import onnx  # noqa: F401
            import timm  # noqa: F401
            import torch  # noqa: F401
    except ImportError as error:
        raise DependencyError(f"{PREFIX} backbones: {error}", hint=INSTALL) from error


def _fetched(asked: TimmName) -> Path:
    """Fetch the hub's weights in safetensors once; the hub's own library keeps them."""
    import timm
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.utils import disable_progress_bars

    _check_known(asked)
    found = timm.models.get_pretrained_cfg(asked.name)
    if found is None or not found.hf_hub_id:
        raise ModelError(f"timm names no weights on the hub for {asked.name}", hint=_WAY_OUT)
    if not sys.stderr.isatty():
        disable_progress_bars()
    file = "model.safetensors"
    failure: Exception | None = None
    try:
        # Asked first because the download itself tries for half a minute before it gives up.
        get_hf_file_metadata(hf_hub_url(found.hf_hub_id, file), timeout=5)
    except Exception as error:  # failures of the network and of the hub have no common class
        failure = error
    try:
        return Path(hf_hub_download(found.hf_hub_id, file, local_files_only=failure is not None))
    except Exception as error:
        raise ModelError(
            f"the weights of {asked.name} cannot be fetched: {first_line(failure or error)}",
            hint=_WAY_OUT,
            code="model-fetch",
        ) from error


def _check_known(asked: TimmName) -> None:
    import timm

    if timm.is_model(asked.name.partition(".")[0]):
        return
    near = difflib.get_close_matches(asked.name, timm.list_models(), 3)
    raise ModelError(
        f"timm has no network {asked.name!r}",
        hint=f"did you mean {', '.join(near)}?" if near else "timm.list_models() names them",
    )


def _export(asked: TimmName, weights: Path, path: Path) -> None:
    _check_known(asked)
    network = _features_network(asked, weights)
    preparation = _preparation(network, asked)
    maps = _whole_maps(network, preparation.size, weights)
    described = {
        METADATA_KEY: json.dumps(preparation.as_dict()),
        "flawline.name": asked.name,
        "flawline.source": f"timm {version('timm')}, weights sha256 {file_sha256(weights)}",
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            _write(network, maps, preparation, described, part)
    except OSError as error:
        raise ModelError(
            f"the exported network cannot be kept at {path}: {error.strerror or error}",
            hint="name another folder with FLAWLINE_CACHE",
            code="model-cache",
        ) from error


def _features_network(asked: TimmName, weights: Path) -> Any:
    """The network that gives its maps; what the file does not hold is NaN, so that no map can depend on it unseen."""
    import timm
    import torch

    from flawline.networks.torch_export import read_weights

    arguments = dict(asked.arguments)
    whole = _built(asked, lambda: timm.create_model(asked.name, pretrained=False, **arguments))
    found = read_weights(weights)
    expected = whole.state_dict()
    heads = _heads(whole)
    check_keys(list(expected), list(found), heads, asked.name, weights)
    filled = {}
    for key, value in expected.items():
        if key in found and not key.startswith(heads):
            filled[key] = found[key]
        else:
            unknown = value.is_floating_point() and not key.startswith(heads)
            filled[key] = torch.full_like(value, torch.nan) if unknown else value
    build = {
        "features_only": True,
        "pretrained": True,
        "pretrained_cfg_overlay": {"state_dict": filled},
    }
    return _built(asked, lambda: timm.create_model(asked.name, **build, **arguments)).eval()


def _built(asked: TimmName, build: Any) -> Any:
    try:
        return build()
    except Exception as error:  # timm and its networks raise what they like
        given = "&".join(f"{key}={value}" for key, value in asked.arguments.items())
        raise ModelError(
            f"timm cannot build {asked.name}{'?' * bool(given)}{given} as a backbone: {first_line(error)}",
            hint="check the arguments, and that the weights are of this very network",
        ) from error


def _heads(network: Any) -> tuple[str, ...]:
    named = network.pretrained_cfg.get("classifier") or ()
    own = (named,) if isinstance(named, str) else tuple(named)
    return tuple(f"{name}." for name in own or HEADS)


def _preparation(network: Any, asked: TimmName) -> Preparation:
    import timm

    stated = timm.data.resolve_model_data_config(network)
    size = asked.arguments.get("img_size", stated["input_size"][1:])
    height, width = (size, size) if isinstance(size, int) else size
    mean, std = ([round(255 * float(v), 6) for v in stated[key]] for key in ("mean", "std"))
    return Preparation((height, width), (mean[0], mean[1], mean[2]), (std[0], std[1], std[2]))


def _whole_maps(network: Any, size: tuple[int, int], weights: Path) -> dict[str, int]:
    """The maps that depend on nothing but the file, name -> index; of several of one stride the last."""
    import torch

    with torch.inference_mode():
        outputs = network(torch.zeros(1, 3, *size))
    strides = network.feature_info.reduction()
    whole = [i for i, output in enumerate(outputs) if bool(output.isfinite().all())]
    maps = {f"stride{strides[i]}": i for i in whole if strides[i] >= _FINEST}
    if maps:
        return maps
    raise ModelError(
        f"{weights.name} covers no map of stride {_FINEST} or coarser; the network's strides are "
        f"{', '.join(map(str, strides))}, covered are {', '.join(str(strides[i]) for i in whole) or 'none'}",
        hint="give a file with more stages and finite values",
        code="model-weights",
    )


def _write(
    network: Any,
    maps: Mapping[str, int],
    preparation: Preparation,
    described: Mapping[str, str],
    path: Path,
) -> None:
    from flawline.networks.torch_export import FREE, export_onnx

    side = max(preparation.size) + 64
    export_onnx(
        _with_embedding(network, list(maps.values())),
        path,
        outputs=[*maps, "embedding"],
        axes={"image": FREE},
        sizes=(preparation.size, (side, side)),
        metadata=described,
    )


def _with_embedding(network: Any, indices: list[int]) -> Any:
    import torch

    last_axis = str(getattr(network, "output_fmt", "")).endswith("NHWC")

    class Backbone(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: Any) -> tuple[Any, ...]:
            outputs = self.network(image)
            maps = [outputs[i].permute(0, 3, 1, 2) if last_axis else outputs[i] for i in indices]
            return (*maps, maps[-1].mean((2, 3)))

    return Backbone().eval()
