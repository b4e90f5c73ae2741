"""One hostile input: how it is drawn, the command that meets it, and the exit codes that are right."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SECRET = b"SECRET-5e1f6c2d-of-somebody-else"
REFUSED = frozenset({2})
ANSWERED = frozenset({0, 1, 2})


@dataclass(frozen=True)
class Shared:
    """What all cases may use: pictures, one of them alone, a recipe and its files, and a file that none may read."""

    folder: Path
    parts: Path
    one: Path
    recipe: Path
    files: Mapping[str, bytes]
    secret: Path


Make = Callable[[Path, Shared], list[str]]
"""Draws the input below a folder and returns the arguments of `flawline`, which runs in that folder."""


@dataclass(frozen=True)
class Case:
    """A hostile input; with `traced` the files that are opened are looked at too, where strace is there."""

    name: str
    make: Make
    exits: frozenset[int] = REFUSED
    traced: bool = False


def shared_inputs(folder: Path) -> Shared:
    """Draw pictures, train a recipe and write the secret."""
    parts = folder / "parts"
    for number in range(14):
        write_part(parts / "good" / f"{number:02}.png", number)
        if number < 3:
            write_part(parts / "bad" / f"{number:02}.png", 100 + number, spoilt=True)
    write_part(folder / "one" / "0.png", 0)
    recipe = folder / "good.flaw"
    command = [Path(sys.executable).with_name("flawline"), "train", "anomaly", parts / "good"]
    subprocess.run(
        [*command, "-o", recipe, "--part", "disc", "--quiet"], check=True, stdout=subprocess.DEVNULL
    )
    with zipfile.ZipFile(recipe) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    secret = folder / "secret.png"
    secret.write_bytes(SECRET)
    return Shared(folder, parts, folder / "one", recipe, files, secret)


def part(seed: int, *, spoilt: bool = False, side: int = 96) -> Any:
    """Draw a grey disc with grain, uint8 (side, side, 3); a spoilt one has a dark scratch."""
    draws = np.random.default_rng(seed)
    pixels = draws.normal(60, 6, (side, side, 3))
    cv2.circle(pixels, (side // 2, side // 2), side // 3, (170, 170, 170), -1)
    pixels += draws.normal(0, 6, pixels.shape)
    if spoilt:
        cv2.line(pixels, (side // 3, side // 2), (side // 2, side // 3), (20, 20, 20), 4)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def write_part(path: Path, seed: int, *, spoilt: bool = False) -> Path:
    """Write a drawn part as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), part(seed, spoilt=spoilt))
    return path


def copy_parts(shared: Shared, folder: Path) -> Path:
    """Copy the pictures into the folder of a case."""
    shutil.copytree(shared.parts, folder / "parts")
    return folder / "parts"


def write_recipe_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files of a recipe, without looking at them."""
    for name, data in files.items():
        path = folder / "recipe" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / "recipe"


def sealed(
    files: Mapping[str, bytes], change: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, bytes]:
    """Write the hashes of the files into the manifest and seal it, as one who knows how."""
    document = json.loads(files["manifest.json"])
    named = {n: d for n, d in files.items() if n not in ("manifest.json", "recipe.toml")}
    document["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in named.items()}
    if change is not None:
        change(document)
    return {
        **files,
        "manifest.json": seal(json.dumps({**document, "sha256": "0" * 64}, ensure_ascii=False)),
    }


def seal(text: str) -> bytes:
    """Put the hash of a manifest into it; its last 64 zeros are the place."""
    data = text.encode("utf-8", "surrogatepass")
    at = data.rindex(b"0" * 64)
    return data[:at] + hashlib.sha256(data).hexdigest().encode() + data[at + 64 :]


def inspect_with(recipe: Path | str, shared: Shared) -> list[str]:
    """The arguments that inspect one good picture with a recipe."""
    return ["inspect", str(recipe), str(shared.one), "-o", "out"]
