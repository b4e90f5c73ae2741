"""Weights files for networks of timm: safetensors alone, and those of the very network alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flawline.errors import ModelError

HEADS = ("fc", "head", "classifier")


def checked_file(path: Path) -> Path:
    if path.suffix.lower() != ".safetensors":
        raise ModelError(
            f"{path.name} is not read: expected .safetensors, got {path.suffix or 'no suffix'}; "
            "the other formats are pickles, and loading one can run any code",
            hint="convert it where it is trusted: safetensors.torch.save_file(state_dict, 'weights.safetensors')",
            code="model-weights",
        )
    if not path.is_file():
        raise ModelError(
            f"no weights file at {path}",
            hint="give the path of a .safetensors file",
            code="model-missing",
        )
    return path


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_keys(
    expected: list[str], found: list[str], heads: tuple[str, ...], name: str, weights: Path
) -> None:
    """Check that a file lacks the head and the end of the network at most, and that only its head may be another."""
    known, present = set(expected), set(found)
    foreign = (*heads, *(f"{name}.{part}" for name in HEADS for part in ("weight", "bias")))
    unknown = [key for key in found if key not in known and not key.startswith(foreign)]
    body = [key for key in expected if not key.startswith(heads)]
    body = [key for key in body if not key.endswith("num_batches_tracked")]
    missing = [key for key in body if key not in present]
    tail = body[body.index(missing[0]) :] if missing else []
    if not unknown and missing == tail and len(missing) < len(body):
        return
    problems = [_counted(unknown, "unknown"), _counted(missing, "missing")]
    raise ModelError(
        f"{weights.name} does not hold the weights of {name}: of {len(body)} keys, "
        f"{' and '.join(text for text in problems if text)}",
        hint="give the file of this very network, with timm's own key names; only a classifier head and the last "
        "stages may be absent",
        code="model-weights",
    )


def _counted(keys: list[str], what: str) -> str:
    return f"{len(keys)} {what} ({', '.join(keys[:3])}{', ...' * (len(keys) > 3)})" if keys else ""
