"""Read recipes with every hash checked, and write them whole or not at all. Nothing in a recipe is executed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from flawline.data.array_file import npy_array
from flawline.data.sniff import HEAD_BYTES, describe, picture_format
from flawline.errors import ArchiveError, ModelError
from flawline.recipe.container import (
    MANIFEST,
    MODEL,
    SETTINGS,
    SUFFIX,
    Files,
    opened,
    write_folder,
    write_zip,
)
from flawline.recipe.manifest import RecipeManifest, file_hash, is_array, read_manifest
from flawline.recipe.recipe import Recipe, check_fit, recipe_hash, sealed
from flawline.recipe.settings import RecipeSettings
from flawline.recipe.settings_text import read_settings, upgraded_text

_AGAIN = "Copy the recipe again from where it was trained, or train again."


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe from a folder or a .flaw file; the content decides which it is.

    Args:
        path: where it lies.

    Raises:
        ModelError: with one of the codes
            "recipe-missing": there is none at `path`;
            "recipe-damaged": a file is missing, altered, unknown or hostile;
            "recipe-schema": a newer version of Flawline wrote it;
            "recipe-settings": recipe.toml has an error, named with its line, key and what was expected.
    """
    path = Path(path)
    try:
        _check_place(path)
        with opened(path) as files:
            return _read(path, files)
    except (ArchiveError, ValueError, OSError) as error:
        raise _damaged(path, _why(error)) from error


def write_recipe(recipe: Recipe, path: str | Path) -> Path:
    """Write a recipe as one file where `path` ends in .flaw, else as a folder; returns `path`.

    The same recipe gives the same bytes. What is at `path` is replaced only when all is written; a folder only if it
    is empty or a recipe and nothing else.

    Raises:
        UsageError: there is something else at `path`.
    """
    path = Path(path)
    _, contents = sealed(recipe)
    if path.suffix.lower() == SUFFIX:
        return write_zip(path, contents)
    return write_folder(path, contents, _known_files(path).__contains__)


def _check_place(path: Path) -> None:
    if path.is_dir() and not (path / MANIFEST).is_file():
        inside = sorted(path.glob(f"*{SUFFIX}"))
        raise ModelError(
            f"no recipe at {path}: the folder has no {MANIFEST}",
            hint=f"Give {inside[0]}?"
            if inside
            else f"Give the folder of a recipe or a {SUFFIX} file.",
            code="recipe-missing",
        )
    if not path.exists():
        raise ModelError(
            f"no recipe at {path}",
            hint=f"Give the folder of a recipe or a {SUFFIX} file.",
            code="recipe-missing",
        )
    if not path.is_dir():
        _check_zip(path)


def _check_zip(path: Path) -> None:
    if not path.is_file():
        raise _damaged(path, "it is no plain file")
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(b"PK\3\4"):
        return
    came = picture_format(head) or (describe(head) if head else "an empty file")
    part = path.name in (MANIFEST, SETTINGS, MODEL)
    raise ModelError(
        f"expected a recipe (a folder or a {SUFFIX} file), {path.name} is {came}",
        hint="Give the folder that holds it." if part else _AGAIN,
        code="recipe-damaged",
    )


def _read(path: Path, files: Files) -> Recipe:
    _require(files, {MANIFEST})
    raw = _with_line_feeds(files.read_text(MANIFEST))
    manifest = read_manifest(raw, f"{path.name}: {MANIFEST}")
    _require(files, {MODEL, SETTINGS, *manifest.files})
    _refuse_unknown(files, manifest)
    written = _with_line_feeds(files.read_text(SETTINGS))
    where = str(path / SETTINGS) if path.is_dir() else f"{path.name}: {SETTINGS}"
    text = _decoded(written, where)
    settings = read_settings(text, where)
    check_fit(settings, manifest, text, where)
    contents = _contents(files, manifest)
    text, manifest = _present(text, settings, manifest)
    arrays = {
        name.removeprefix("arrays/").removesuffix(".npy"): npy_array(data)
        for name, data in contents.items()
        if is_array(name)
    }
    further = {n: data for n, data in contents.items() if n != MODEL and not is_array(n)}
    return Recipe(
        settings,
        contents[MODEL],
        MappingProxyType(arrays),
        manifest,
        MappingProxyType(further),
        text,
        recipe_hash(raw, written),
    )


def _require(files: Files, names: set[str]) -> None:
    missing = sorted(names - files.names)
    if missing:
        raise ValueError(f"{', '.join(missing[:5])} is missing")


def _refuse_unknown(files: Files, manifest: RecipeManifest) -> None:
    if MODEL not in manifest.files or not manifest.files.keys().isdisjoint((MANIFEST, SETTINGS)):
        raise ValueError(f"its manifest must list {MODEL}, and neither itself nor {SETTINGS}")
    unknown = sorted(files.names - {MANIFEST, SETTINGS, *manifest.files})
    if unknown:
        listed = ", ".join(map(repr, unknown[:5]))
        raise ValueError(f"it holds files that its manifest does not list: {listed}; take them out")


def _contents(files: Files, manifest: RecipeManifest) -> Mapping[str, bytes]:
    """Read the files that the manifest lists and check their hashes, two at a time."""

    def checked(name: str) -> bytes:
        data = files.read_hashed(name)
        if hashlib.sha256(data).hexdigest() != manifest.files[name]:
            raise ValueError(f"{name} was altered: it does not have the hash in the manifest")
        if is_array(name):
            _check_array(name, data)
        return data

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(manifest.files, pool.map(checked, manifest.files), strict=True))


def _check_array(name: str, data: bytes) -> None:
    try:
        finite = bool(np.isfinite(npy_array(data)).all())
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    if not finite:
        raise ValueError(f"{name} holds other than finite numbers")


def _with_line_feeds(data: bytes) -> bytes:
    """Restore line feeds that version control or an editor changed; that changes no recipe."""
    return data.replace(b"\r\n", b"\n").removeprefix(b"\xef\xbb\xbf")


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ModelError(
            f"{where}, line {data.count(10, 0, error.start) + 1}: it is not UTF-8",
            hint="Save it as UTF-8.",
            code="recipe-settings",
        ) from error


def _present(
    text: str, settings: RecipeSettings, manifest: RecipeManifest
) -> tuple[str, RecipeManifest]:
    """Bring text and manifest to the present schema; an unedited recipe stays unedited."""
    upgraded = upgraded_text(text, settings)
    if upgraded == text or file_hash(text.encode()) != manifest.trained_toml:
        return upgraded, manifest
    return upgraded, replace(manifest, trained_toml=file_hash(upgraded.encode()))


def _known_files(folder: Path) -> set[str]:
    """List the files of the recipe in `folder`, none where there is none."""
    try:
        manifest = read_manifest(_with_line_feeds((folder / MANIFEST).read_bytes()), MANIFEST)
    except (OSError, ValueError, ModelError):
        return set()
    return {MANIFEST, SETTINGS, *manifest.files}


def _why(error: Exception) -> str:
    if isinstance(error, ArchiveError):
        return error.message
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(
        f"{path.name} cannot be used as a recipe: {why}", hint=_AGAIN, code="recipe-damaged"
    )
