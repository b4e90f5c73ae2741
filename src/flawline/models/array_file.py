"""A model on disk: a zip of plain arrays and a JSON manifest with their hashes. Loading executes nothing."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.whole_file import replacing
from flawline.errors import ModelError

_MANIFEST = "manifest.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MAX_BYTES = 4 * 2**30
_DAMAGE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def write_arrays(
    path: Path, kind: str, manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Path:
    """Write a model of a `kind`; the same content gives the same bytes, and the file is replaced only when complete."""
    contents = {f"{name}.npy": _npy(array) for name, array in sorted(arrays.items())}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    text = json.dumps({"kind": kind, **manifest, "sha256": hashes}, indent=1)
    with replacing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_MANIFEST, _EPOCH), text)
        for name, data in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return path


def read_arrays(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a model of a `kind`: its manifest and its arrays by name.

    Raises:
        ModelError: the file is missing, damaged, altered, or a model of another kind.
    """
    if not path.is_file():
        raise ModelError(
            f"no {kind} at {path}", hint=f"give the file of a {kind}", code="model-missing"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MAX_BYTES:
                raise ValueError("it unpacks to more than 4 GiB")
            manifest = json.loads(archive.read(_MANIFEST))
            if manifest["kind"] != kind:
                raise ValueError(f"it is a model of kind {manifest['kind']!r}")
            hashes = manifest.pop("sha256")
            contents = {name: archive.read(name) for name in hashes}
        for name, data in contents.items():
            if hashlib.sha256(data).hexdigest() != hashes[name]:
                raise ValueError(f"{name} does not have the hash in the manifest")
        arrays = {
            name.removesuffix(".npy"): np.load(io.BytesIO(data), allow_pickle=False)
            for name, data in contents.items()
        }
    except _DAMAGE as error:
        raise ModelError(
            f"{path.name} cannot be used as a {kind}: {error}",
            hint=f"expected a file that Flawline wrote as a {kind}, unaltered",
            code="model-damaged",
        ) from error
    return manifest, arrays


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
