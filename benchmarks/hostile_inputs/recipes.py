"""Recipes with right hashes and wrong content, and hostile containers of recipes."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hostile_inputs.case import (
    ANSWERED,
    REFUSED,
    Case,
    Shared,
    inspect_with,
    seal,
    sealed,
    write_recipe_folder,
)


def with_array(name: str, change: Callable[[Any], Any], folder: Path, shared: Shared) -> list[str]:
    """One array changed, or left out where `change` gives None."""
    file = next(n for n in shared.files if n.endswith(f"_{name}.npy"))
    new = change(np.load(io.BytesIO(shared.files[file])))
    files = {n: d for n, d in shared.files.items() if n != file}
    if isinstance(new, bytes):
        files[file] = new
    elif new is not None:
        buffer = io.BytesIO()
        np.save(buffer, new, allow_pickle=True)
        files[file] = buffer.getvalue()
    return inspect_with(write_recipe_folder(folder, sealed(files)), shared)


def header(shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    """An .npy file that states a shape and holds nothing."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


ARRAYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "missing": ("directions", lambda a: None),
    "no row": ("directions", lambda a: a[:0]),
    "half": ("directions", lambda a: a[: len(a) // 2]),
    "flat": ("directions", lambda a: a.ravel()),
    "turned": ("directions", lambda a: np.ascontiguousarray(a.T)),
    "NaN": ("mean", lambda a: a * np.nan),
    "infinity": ("mean", lambda a: a + np.inf),
    "true and false": ("mean", lambda a: a > 0),
    "of 1e30": ("directions", lambda a: np.full_like(a, 1e30)),
    "a pickle": ("mean", lambda a: np.array([os.getcwd], dtype=object)),
    "texts": ("mean", lambda a: np.array(["a", "b"])),
    "a terabyte stated": ("mean", lambda a: header((1 << 38,))),
    "bytes beyond 64 bits stated": ("mean", lambda a: header((1 << 40, 1 << 40))),
    "no header": ("mean", lambda a: b"\x93NUMPY\x01\x00\xff\xff"),
    "calibration falls": ("scores", lambda a: -np.arange(len(a), dtype=float)),
    "calibration empty": ("scores", lambda a: a[:0]),
    "calibration of two sides": ("peaks", lambda a: a[None]),
}


def manifest(change: Callable[[dict[str, Any]], None], folder: Path, shared: Shared) -> list[str]:
    """The manifest changed and sealed."""
    return inspect_with(write_recipe_folder(folder, sealed(shared.files, change)), shared)


def put(*path_and_value: Any) -> Callable[[dict[str, Any]], None]:
    """Set a value of a manifest by its path."""
    *path, value = path_and_value

    def change(document: dict[str, Any]) -> None:
        for name in path[:-1]:
            document = document[name]
        document[path[-1]] = value

    return change


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


MANIFESTS = {
    "nested in 200 levels": put("metrics", {"x": nested(200)}),
    "numbers of 200 digits": put("settings", "picture_size", [10**200, 10**200]),
    "a picture size of text": put("settings", "picture_size", ["a", "b"]),
    "no detector": put("settings", {}),
    "a detector of text": put("settings", "detector", "x"),
    "settings are a list": put("settings", []),
    "a file above": put("files", {"../../x": "0" * 64, "model.onnx": "0" * 64}),
    "an absolute file": put("files", {"/etc/passwd": "0" * 64, "model.onnx": "0" * 64}),
    "a file that is not there": put("files", {"gone.png": "0" * 64, "model.onnx": "0" * 64}),
    "no files": put("files", {}),
    "pictures of numbers": put("pictures", {"train": [1, 2]}),
    "an unknown role": put("pictures", {"evil": []}),
    "another kind": put("kind", "evil"),
    "a hash of text": put("trained_toml", "x"),
    "aspect ratios of lists": put("settings", "aspect_ratios", [[], []]),
    "a value range that is turned": put("settings", "value_range", [9, 1]),
}

# What this recipe's inspections do not look at may be anything.
UNUSED = ("numbers of 200 digits", "a picture size of text", "a detector of text")


def raw_manifest(text: str, folder: Path, shared: Shared) -> list[str]:
    """A manifest of any text, sealed."""
    files = {**shared.files, "manifest.json": seal(text)}
    return inspect_with(write_recipe_folder(folder, files), shared)


END = ', "sha256": "' + "0" * 64 + '"}'
RAW = {
    "brackets": '{"schema": ' + "[" * 200_000 + "]" * 200_000 + END,
    "4 million lists": '{"schema": 1, "x": [' + "[]," * 4_000_000 + "1]" + END,
    "NaN": '{"schema": NaN' + END,
    "1e999": '{"schema": 1, "x": 1e999' + END,
    "a number of 10,000 digits": '{"schema": ' + "9" * 10_000 + END,
    "a list": '[1, {"a": 1' + END + "]",
    "nothing": END,
}


def container(write: Callable[[Path, Shared], Path], folder: Path, shared: Shared) -> list[str]:
    """A hostile zip or folder."""
    return inspect_with(write(folder, shared), shared)


def packed(folder: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    path = folder / "x.flaw"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def link(folder: Path, shared: Shared) -> Path:
    path = write_recipe_folder(folder, shared.files)
    (path / "model.onnx").unlink()
    (path / "model.onnx").symlink_to(shared.secret)
    return path


def pipe(folder: Path, shared: Shared) -> Path:
    path = write_recipe_folder(folder, shared.files)
    (path / "recipe.toml").unlink()
    os.mkfifo(path / "recipe.toml")
    return path


def sparse(name: str, size: int, folder: Path, shared: Shared) -> Path:
    path = write_recipe_folder(folder, shared.files)
    os.truncate(path / name, size)
    return path


def bomb(folder: Path, shared: Shared) -> Path:
    files = {**shared.files, "arrays/bomb.npy": bytes(1 << 28)}
    return packed(folder, sealed(files), zipfile.ZIP_DEFLATED)


CONTAINERS: dict[str, Callable[[Path, Shared], Path]] = {
    "a link to another file": link,
    "a pipe": pipe,
    "recipe.toml of 3 GB": partial(sparse, "recipe.toml", 3 << 30),
    "manifest.json of 3 GB": partial(sparse, "manifest.json", 3 << 30),
    "model.onnx of 3 GB": partial(sparse, "model.onnx", 3 << 30),
    "a zip bomb": bomb,
    "names that lead out": lambda f, s: packed(f, {**s.files, "../x": b"1"}),
    "an absolute name": lambda f, s: packed(f, {**s.files, "/tmp/x": b"1"}),
    "an unknown file": lambda f, s: packed(f, {**s.files, "x.py": b"import os"}),
    "2000 files": lambda f, s: packed(f, {**s.files, **{f"f{n}": b"" for n in range(2000)}}),
    "no manifest": lambda f, s: packed(f, {"recipe.toml": s.files["recipe.toml"]}),
    "cut in the middle": lambda f, s: _cut(f, s),
}


def _cut(folder: Path, shared: Shared) -> Path:
    path = folder / "x.flaw"
    path.write_bytes(shared.recipe.read_bytes()[: shared.recipe.stat().st_size // 2])
    return path


def large_memory(folder: Path, shared: Shared) -> list[str]:
    """A memory of so many patches that comparing with them would take 16 GB."""
    array = next(n for n in shared.files if n.endswith("_directions.npy"))
    count = len(np.load(io.BytesIO(shared.files[array])))
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((1_000_000, count), np.float32)[:, : max(1, count // 16)])
    files = {n: d for n, d in shared.files.items() if "place_" not in n and "content_" not in n}
    text = files["recipe.toml"].decode().replace("patch-gaussian", "patch-memory")
    document = json.loads(files["manifest.json"])
    document["fixed"]["detector.method"] = "patch-memory"
    files = {**files, "recipe.toml": text.encode(), "manifest.json": json.dumps(document).encode()}
    files["arrays/detector_memory.npy"] = buffer.getvalue()
    return inspect_with(write_recipe_folder(folder, sealed(files)), shared)


CASES = (
    *(Case(f"array: {name}", partial(with_array, *pair)) for name, pair in ARRAYS.items()),
    *(
        Case(
            f"manifest.json: {name}",
            partial(manifest, change),
            ANSWERED if name in UNUSED else REFUSED,
        )
        for name, change in MANIFESTS.items()
    ),
    *(Case(f"manifest.json: {name}", partial(raw_manifest, text)) for name, text in RAW.items()),
    *(Case(f"recipe: {name}", partial(container, write)) for name, write in CONTAINERS.items()),
    Case("array: a memory of a million patches", large_memory),
)
