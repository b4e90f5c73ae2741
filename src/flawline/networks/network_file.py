"""ONNX files as OpenVINO models, with what they say of themselves."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from flawline.errors import ModelError
from flawline.networks.network import METADATA_KEY, Preparation, preparation_from_json
from flawline.networks.network_trial import try_apart
from flawline.networks.onnx_check import KeepsWeightsApart, check_onnx
from flawline.networks.openvino_import import openvino

SUFFIX = ".onnx"
IN_RECIPE = "model.onnx"

# The length of a field of protocol buffers.
_LENGTH = rb"[\x80-\xff]{0,4}[\x00-\x7f]"


def file_preparation(path: Path) -> Preparation:
    """Read how pixels are prepared for a network.

    Raises:
        ModelError: the file is missing or is no network, or does not say.
    """
    data, name = file_content(path)
    return model_preparation(read_model(data, name), name)


def file_metadata(path: Path | bytes) -> Mapping[str, str]:
    """Read the metadata of a network's file, or of its content, by key; raises ModelError where it is none."""
    return model_metadata(read_model(*file_content(path)))


def file_content(path: Path | bytes, expected: str | None = None) -> tuple[bytes, str]:
    """Read a network's file and the name for messages.

    Raises:
        ModelError: it is missing or no ONNX file; or, with `expected`, its SHA-256 is another.
    """
    if isinstance(path, bytes):
        return path, IN_RECIPE
    if not path.is_file():
        raise ModelError(
            f"no model file at {path}", hint="give the path of an ONNX file", code="model-missing"
        )
    if path.suffix.lower() != SUFFIX:
        raise ModelError(
            f"{path.name} is not a network: expected {SUFFIX}, got {path.suffix or 'no suffix'}",
            hint="export the network to ONNX",
        )
    data = path.read_bytes()
    if expected is not None and (came := hashlib.sha256(data).hexdigest()) != expected:
        raise ModelError(
            f"the model was made with backbone_sha256 {expected or 'not stated'}, {path.stem} has {came}",
            hint="name the file that it was made with by `backbone`",
            code="model-backbone",
        )
    return data, path.name


def read_model(data: bytes, name: str) -> Any:
    """Read an ONNX file that holds all of its weights; raises ModelError for anything else."""
    try:
        grows = check_onnx(data)
    except KeepsWeightsApart as error:
        # OpenVINO would look for them in the working folder, and the hash would not cover them.
        raise ModelError(
            f"{name} {error}",
            hint="save the network as one file: onnx.save(onnx.load(path), one_file)",
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{name} ({len(data):,} bytes) cannot be read as a network: {error}",
            hint="expected an ONNX file",
        ) from error
    if grows:
        try_apart(data, name)
    kinds = openvino().frontend
    try:
        frontend = kinds.FrontEndManager().load_by_framework("onnx")
        return frontend.convert(frontend.load(BytesIO(data)))
    except (
        RuntimeError,
        kinds.GeneralFailure,
        kinds.NotImplementedFailure,
        kinds.OpConversionFailure,
        kinds.OpValidationFailure,
    ) as error:
        raise ModelError(
            f"{name} ({len(data):,} bytes) cannot be read as a network: {_unread(error)}",
            hint="expected an ONNX file",
        ) from error


def _unread(error: Exception) -> str:
    """Find the line that names what OpenVINO cannot read."""
    named = (line.strip("- ") for line in str(error).splitlines() if "No conversion rule" in line)
    return next(named, None) or last_line(error)


def model_metadata(model: Any) -> dict[str, str]:
    """Read the metadata of a model by key."""
    stated = model.get_rt_info(["framework"]).value if model.has_rt_info(["framework"]) else {}
    return {key: str(value) for key, value in stated.items()}


def with_metadata(data: bytes, key: str, value: str) -> bytes:
    """Set an entry of the metadata of an ONNX file.

    Without the package onnx, which is an extra: fields of protocol buffers may be appended. An entry is field 14 of the
    model, its key field 1 and its value field 2 (onnx.proto).
    """
    named = _bytes_field(1, key.encode())
    # OpenVINO reads the first entry of a key, others the last.
    if found := re.search(rb"\x72(" + _LENGTH + rb")(?=" + re.escape(named) + rb"\x12)", data):
        length = sum((byte & 127) << 7 * place for place, byte in enumerate(found[1]))
        data = data[: found.start()] + data[found.end() + length :]
    return data + _bytes_field(14, named + _bytes_field(2, value.encode()))


def _bytes_field(number: int, content: bytes) -> bytes:
    """Write a field of protocol buffers: a tag, the length in base 128, the content."""
    length, rest = bytearray([number << 3 | 2]), len(content)
    while rest > 127:
        length.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*length, rest]) + content


def model_preparation(model: Any, name: str) -> Preparation:
    """Read how pixels are prepared for a model; raises ModelError ("model-preparation") where its file does not say."""
    if not model.has_rt_info(["framework", METADATA_KEY]):
        raise ModelError(
            f"{name} does not say how pixels are prepared for it",
            hint='give it: `preparation=imagenet`, or `preparation="mean=128,std=128,size=224"` (0-255 scale, RGB)',
            code="model-preparation",
        )
    return preparation_from_json(str(model.get_rt_info(["framework", METADATA_KEY]).value))


def first_line(error: Exception) -> str:
    """Give the first line of an error's text that is not empty."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def last_line(error: Exception) -> str:
    """Give the last line of an error of OpenVINO; the lines before name places in its own code."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
