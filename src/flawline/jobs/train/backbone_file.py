"""Read the backbone of a recipe: its file, its record, and its preparation of pixels."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from flawline.networks.backbone import EMBEDDED, backbone_file
from flawline.networks.network import METADATA_KEY, Preparation, parse_preparation
from flawline.networks.network_file import file_preparation, with_metadata
from flawline.recipe import BackboneRecord

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BackboneFile:
    """A backbone: `model` is an ONNX file that states its own preparation, `record` tells where it is from."""

    model: bytes
    record: BackboneRecord
    preparation: Preparation


def load_backbone(
    name: str, *, preparation: str | None = None, weights: str | None = None
) -> BackboneFile:
    """Read a backbone: "flawline-small", the path of an ONNX file or "timm:NAME".

    A given preparation is written into the metadata of the file, so that the recipe's model states it.

    Raises:
        ModelError: the file is missing or unusable, or its preparation is not known.
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
        data = with_metadata(data, METADATA_KEY, json.dumps(stated.as_dict()))
    return BackboneFile(data, record, stated)
