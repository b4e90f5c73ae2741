"""The backbone of a recipe: its file, what it is, and how pixels are prepared for it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from flawline.networks.backbone import EMBEDDED, backbone_file
from flawline.networks.network import METADATA_KEY, Preparation, parse_preparation
from flawline.networks.onnx_writer import metadata_entry
from flawline.networks.openvino_runtime import file_preparation
from flawline.recipe import BackboneRecord

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BackboneFile:
    """`model` is an ONNX file that states its own preparation; `record` says where it came from."""

    model: bytes
    record: BackboneRecord
    preparation: Preparation


def load_backbone(
    name: str, *, preparation: str | None = None, weights: str | None = None
) -> BackboneFile:
    """Read a backbone: "flawline-small", the path of an ONNX file or "timm:NAME".

    A preparation that is given, or that the file lacks, is written into its metadata, so that the recipe's model says
    for itself how pixels are prepared.

    Raises:
        ModelError: the file is missing or unusable, or nobody says how pixels are prepared for it.
    """
    path = backbone_file(name, weights)
    data = path.read_bytes() if path.is_file() else b""
    stated = file_preparation(path) if preparation is None else parse_preparation(preparation)
    record = BackboneRecord(
        name=name if name == EMBEDDED or name.startswith("timm:") else path.stem,
        sha256=hashlib.sha256(data).hexdigest(),
        licence="Apache-2.0" if name == EMBEDDED else _UNKNOWN,
        preparation=stated.as_dict(),
    )
    if preparation is not None:
        data += metadata_entry(METADATA_KEY, json.dumps(stated.as_dict()))
    return BackboneFile(data, record, stated)
