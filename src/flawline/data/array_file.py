"""Write and read models: a zip of plain arrays and a JSON manifest with their hashes. Loading executes nothing."""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.json_file import parse_json
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
# What numpy writes for numbers, and nothing else: no text is evaluated and no type looked up.
_HEADER = re.compile(
    rb"\{'descr': '([<|][biuf][1248])', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,15}, ?)*(?:\d{1,15})?)\), \} *\n"
)


def write_arrays(
    path: Path, kind: str, manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Path:
    """Write a model of a `kind`; the same content gives the same bytes, and the file is replaced only when complete."""
    contents = {f"{name}.npy": npy_bytes(array) for name, array in sorted(arrays.items())}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    text = json.dumps({"kind": kind, **manifest, "sha256": hashes}, indent=1)
    return write_stored_zip(path, {_MANIFEST: text.encode(), **contents})


def read_arrays(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a model of a `kind`: its manifest and its arrays by name, which cannot be written to.

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
            manifest = parse_json(archive.read(_MANIFEST))
            if manifest["kind"] != kind:
                raise ValueError(f"it is a model of kind {manifest['kind']!r}")
            hashes = manifest.pop("sha256")
            contents = {name: archive.read(name) for name in hashes}
        for name, data in contents.items():
            if hashlib.sha256(data).hexdigest() != hashes[name]:
                raise ValueError(f"{name} does not have the hash in the manifest")
        arrays = {name.removesuffix(".npy"): npy_array(data) for name, data in contents.items()}
    except _DAMAGE as error:
        raise ModelError(
            f"{path.name} cannot be used as a {kind}: {error}",
            hint=f"expected a file that Flawline wrote as a {kind}, unaltered",
            code="model-damaged",
        ) from error
    return manifest, arrays


def write_stored_zip(path: Path, contents: Mapping[str, bytes]) -> Path:
    """Write files by name into a zip: unpacked, without dates, the same bytes on every system."""
    with replacing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for name, data in contents.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            archive.writestr(info, data)
    return path


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Convert an array of numbers to the content of a little-endian .npy file (NPY 1.0); ValueError for objects."""
    buffer = io.BytesIO()
    np.save(buffer, array.astype(array.dtype.newbyteorder("<"), copy=False), allow_pickle=False)
    return buffer.getvalue()


def npy_array(data: bytes) -> NDArray[Any]:
    """Read the array of numbers in a .npy file, read-only and without a copy.

    Raises:
        ValueError: `data` is cut short, or holds anything other than bool, int, uint or float numbers.
    """
    start = 10 + int.from_bytes(data[8:10], "little")
    header = _HEADER.fullmatch(data[10:start])
    if data[:8] != b"\x93NUMPY\x01\x00" or header is None:
        raise ValueError("expected numbers in NPY format 1.0, unpickled (allow_pickle=False)")
    kind = np.dtype(header[1].decode())
    shape = tuple(int(side) for side in header[3].replace(b",", b" ").split())
    if len(data) - start != math.prod(shape) * kind.itemsize:
        raise ValueError(f"expected an array of shape {shape}, got {len(data) - start} bytes")
    flat = np.frombuffer(data, kind, offset=start)
    return flat.reshape(shape, order="F" if header[2] == b"True" else "C")
