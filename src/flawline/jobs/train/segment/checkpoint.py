"""Store a training: tensors in safetensors, everything else as JSON in the same file. Loading executes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from flawline.data.whole_file import replacing
from flawline.errors import ModelError

CHECKPOINT, BEST = "checkpoint.safetensors", "best.safetensors"
_VALUES_KEY = "flawline.jobs.train"


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """Content of a file: tensors by name, and plain `values`."""

    tensors: Mapping[str, Any]
    values: Mapping[str, Any]


def of_groups(groups: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> Saved:
    """Join groups of tensors under names "group.tensor"."""
    tensors = {
        f"{group}.{name}": tensor
        for group, named in groups.items()
        for name, tensor in named.items()
    }
    return Saved(tensors, json.loads(json.dumps(values, allow_nan=False)))


def copied(groups: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> Saved:
    """Join groups of tensors as in `of_groups`, with a copy of each tensor, so that later changes do not matter."""
    saved = of_groups(groups, values)
    return Saved(
        {
            name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, tensor in saved.tensors.items()
        },
        saved.values,
    )


def write_saved(path: Path, saved: Saved) -> None:
    """Write a file of a training; an earlier one is replaced only when the new one is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        save_file(dict(saved.tensors), part, metadata={_VALUES_KEY: json.dumps(saved.values)})


def read_saved(path: Path) -> Saved:
    """Read a file of a training.

    Raises:
        ModelError: it is missing, damaged, or another kind of file.
    """
    if not path.is_file():
        raise ModelError(
            f"no training at {path}",
            hint="give the folder of a training that has finished an epoch",
            code="model-missing",
        )
    try:
        with safe_open(path, "pt") as file:
            values = json.loads((file.metadata() or {})[_VALUES_KEY])
            return Saved({name: file.get_tensor(name) for name in file.keys()}, values)  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"{path.name} cannot be used as a training: {error}",
            hint="expected a file that a training of Flawline wrote, unaltered; train anew without `resume`",
            code="model-damaged",
        ) from error


def group_of(saved: Saved, group: str) -> dict[str, Any]:
    """Select the tensors of one group by name."""
    start = f"{group}."
    return {k.removeprefix(start): v for k, v in saved.tensors.items() if k.startswith(start)}


def optimizer_tensors(optimizer: Any) -> dict[str, Any]:
    """Collect the state of an optimizer, by "number of parameter/name"."""
    return {
        f"{number}/{name}": value
        for number, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
    }


def restore_optimizer(optimizer: Any, tensors: Mapping[str, Any]) -> None:
    """Restore the state from `optimizer_tensors`, in the memory layout of the parameters."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        number, name = key.split("/")
        like = parameters[int(number)]
        # A fused step walks through memory: moments in another layout would belong to other weights.
        moment = (
            torch.empty_like(like).copy_(value)
            if value.shape == like.shape
            else value.to(like.device)
        )
        state.setdefault(int(number), {})[name] = moment
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
