"""Recipes in memory: everything that is needed to inspect one kind of part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.regions import ANOMALY
from flawline.data.array_file import npy_bytes
from flawline.errors import ModelError, SpecError
from flawline.recipe.checks import FILE_NAME
from flawline.recipe.container import LIMITS, MANIFEST, MODEL, SETTINGS
from flawline.recipe.entries import Problem
from flawline.recipe.manifest import (
    ROLES,
    RecipeManifest,
    Role,
    file_hash,
    is_array,
    manifest_bytes,
    read_manifest,
)
from flawline.recipe.settings import (
    DetectorSettings,
    RecipeSettings,
    SegmenterSettings,
    ThresholdSettings,
    fixed_values,
)
from flawline.recipe.settings_text import edited_settings, settings_error, settings_text
from flawline.specification.model import Spec
from flawline.specification.parse import parse_spec


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """A trained inspection.

    `settings` is what `text`, the content of recipe.toml, states. `model` is an ONNX file. `arrays` are read-only
    numbers by name. `files` are further files by name, such as region.png. `sha256` is the recipe's hash: that of
    the two lines that `sha256sum manifest.json recipe.toml` prints; the manifest holds the hashes of all other files.
    """

    settings: RecipeSettings
    model: bytes
    arrays: Mapping[str, NDArray[Any]]
    manifest: RecipeManifest
    files: Mapping[str, bytes]
    text: str
    sha256: str

    @property
    def edited(self) -> bool:
        """Whether recipe.toml differs from what training wrote."""
        return file_hash(self.text.encode()) != self.manifest.trained_toml


def new_recipe(
    settings: RecipeSettings,
    model: bytes,
    arrays: Mapping[str, NDArray[Any]],
    manifest: RecipeManifest,
    files: Mapping[str, bytes] | None = None,
) -> Recipe:
    """Make a recipe from the results of training; `files`, `fixed` and `trained_toml` of `manifest` are filled in.

    Args:
        settings: what recipe.toml will state.
        model: an ONNX file.
        arrays: finite numbers (bool, int, uint, float) by a name of letters, digits, "_", "-" and ".".
        manifest: what it was made from.
        files: further files by name, such as the mask of the region of interest.

    Raises:
        ModelError: ("recipe-settings") settings and files do not fit together; ("recipe-damaged") a name cannot be a
            file's, an array is not finite, or the manifest holds what JSON cannot.
    """
    text = settings_text(settings)
    manifest = replace(
        manifest,
        kind=settings.task,
        fixed=fixed_values(settings),
        trained_toml=file_hash(text.encode()),
    )
    return sealed(Recipe(settings, model, arrays, manifest, files or {}, text, ""))[0]


def recipe_with(
    recipe: Recipe,
    *,
    settings: RecipeSettings | None = None,
    model: bytes | None = None,
    arrays: Mapping[str, NDArray[Any]] | None = None,
    manifest: RecipeManifest | None = None,
    files: Mapping[str, bytes] | None = None,
) -> Recipe:
    """Replace some parts of a recipe; comments and edits of other entries in recipe.toml stay.

    With a new `model` or `arrays` it counts as trained anew, so that its present recipe.toml is what training wrote.

    Raises:
        ModelError: as `new_recipe`; and ("recipe-settings") where `settings` changes what training fixed.
    """
    text = recipe.text
    if settings is not None and settings != recipe.settings:
        text = edited_settings(text, recipe.settings, settings)
    trained = recipe.manifest.trained_toml
    if model is not None or arrays is not None:
        trained = file_hash(text.encode())
    changed = Recipe(
        settings or recipe.settings,
        recipe.model if model is None else model,
        recipe.arrays if arrays is None else arrays,
        replace(manifest or recipe.manifest, fixed=recipe.manifest.fixed, trained_toml=trained),
        recipe.files if files is None else files,
        text,
        "",
    )
    return sealed(changed)[0]


def thresholds_of(recipe: Recipe) -> tuple[float, float]:
    """Read the thresholds on the raw score: review and reject.

    Raises:
        ModelError: ("recipe-uncalibrated") recipe.toml has none.
    """
    threshold = threshold_settings(recipe)
    return threshold.review, threshold.reject


def threshold_settings(recipe: Recipe) -> ThresholdSettings:
    """Read the section of thresholds; errors as for `thresholds_of`."""
    if recipe.settings.threshold is None:
        raise ModelError(
            "the recipe has no [threshold], so that nothing can be accepted or rejected",
            hint="Calibrate it with held-out pictures of good parts, or write review, reject and region there.",
            code="recipe-uncalibrated",
        )
    return recipe.settings.threshold


def detector_settings(recipe: Recipe) -> DetectorSettings:
    """Read the section of the detector.

    Raises:
        ModelError: ("recipe-task") the recipe holds none.
    """
    if recipe.settings.detector is None:
        raise ModelError(
            f'the recipe has task = "{recipe.settings.task}", and this needs a detector of good parts',
            hint="give a recipe that `flawline train anomaly` made",
            code="recipe-task",
        )
    return recipe.settings.detector


def segmenter_settings(recipe: Recipe) -> SegmenterSettings:
    """Read the section of the segmenter.

    Raises:
        ModelError: ("recipe-task") the recipe holds none.
    """
    if recipe.settings.segmenter is None:
        raise ModelError(
            f'the recipe has task = "{recipe.settings.task}", and this needs a segmenter of classes',
            hint="give a recipe that `flawline train segment` made",
            code="recipe-task",
        )
    return recipe.settings.segmenter


def check_ready(recipe: Recipe) -> None:
    """Refuse a recipe that cannot judge: a detector without thresholds; errors as for `thresholds_of`."""
    if recipe.settings.segmenter is None:
        thresholds_of(recipe)


def spec_of(settings: RecipeSettings, text: str, where: str = SETTINGS) -> Spec | None:
    """Parse the specification of a recipe.toml; None where it has none.

    Raises:
        ModelError: ("recipe-settings") it cannot be judged by; the message names the line.
    """
    if settings.spec is None:
        return None
    classes = settings.segmenter.classes if settings.segmenter else (ANOMALY,)
    try:
        return parse_spec(text, classes=classes, has_scale=settings.picture.mm_per_px is not None)
    except SpecError as error:
        raise ModelError(
            f"{where}: [spec]: {error.message}", hint=error.hint, code="recipe-settings"
        ) from error


def known_pictures(recipe: Recipe) -> dict[str, Role]:
    """Map the hash of every training and calibration picture to its role.

    A picture with several roles has the first of train, calibration, set-aside, duplicate.
    """
    seen = (picture for picture in recipe.manifest.pictures if picture.role != "test")
    ranked = sorted(seen, key=lambda p: ROLES.index(p.role), reverse=True)
    return {picture.sha256: picture.role for picture in ranked}


def recipe_hash(manifest: bytes, text: bytes) -> str:
    """Compute the hash of a recipe from the content of manifest.json and recipe.toml."""
    lines = f"{file_hash(manifest)}  {MANIFEST}\n{file_hash(text)}  {SETTINGS}\n"
    return hashlib.sha256(lines.encode()).hexdigest()


def sealed(recipe: Recipe) -> tuple[Recipe, dict[str, bytes]]:
    """Fill in the hashes of a recipe; returns it and its files as they are written, in order."""
    try:
        contents = _contents(recipe)
        if (total := sum(map(len, contents.values()))) > LIMITS.max_total_bytes:
            raise ValueError(f"it is of {total} bytes, expected {LIMITS.max_total_bytes} at most")
        hashes = {name: file_hash(data) for name, data in contents.items()}
        manifest = manifest_bytes(replace(recipe.manifest, files=hashes))
        read = read_manifest(manifest, MANIFEST)
    except ValueError as error:
        raise ModelError(
            f"this cannot be kept in a recipe: {error}",
            hint="Expected finite numbers, and names of letters, digits, '_', '-' and '.'.",
            code="recipe-damaged",
        ) from error
    text = recipe.text.encode()
    check_fit(recipe.settings, read, recipe.text, SETTINGS)
    whole = replace(
        recipe,
        arrays=MappingProxyType({name: _locked(array) for name, array in recipe.arrays.items()}),
        files=MappingProxyType(dict(recipe.files)),
        manifest=read,
        sha256=recipe_hash(manifest, text),
    )
    return whole, {MANIFEST: manifest, SETTINGS: text, **contents}


def check_fit(settings: RecipeSettings, manifest: RecipeManifest, text: str, where: str) -> None:
    """Raise ModelError ("recipe-settings") where settings are not those trained, or name a file that is not there."""
    for key, value in fixed_values(settings).items():
        trained = manifest.fixed.get(key)
        if value != trained:
            section, _, name = key.rpartition(".")
            problem = Problem(
                name,
                f"it was trained with {trained}, got {value}",
                "Put the old value back, or train again.",
            )
            raise settings_error(problem, section, text, where)
    spec_of(settings, text, where)
    mask = settings.region_of_interest.mask
    if mask is not None and mask not in manifest.files:
        there = [name for name in manifest.files if name.endswith(".png")]
        problem = Problem(
            "mask",
            f"the recipe holds no {mask}",
            f"It holds {', '.join(there) or 'no picture'}; take the entry out or train with the mask.",
        )
        raise settings_error(problem, "region_of_interest", text, where)


def _contents(recipe: Recipe) -> dict[str, bytes]:
    """Collect all files but the manifest and recipe.toml; raises ValueError for invalid names and numbers."""
    arrays = {
        f"arrays/{name}.npy": npy_bytes(_finite(name, a)) for name, a in recipe.arrays.items()
    }
    wrong = [name for name in arrays if not is_array(name)]
    wrong += [name for name in recipe.files if not FILE_NAME.fullmatch(name)]
    wrong += [
        name for name in recipe.files if name.lower() in (MANIFEST, SETTINGS, MODEL, "arrays")
    ]
    names = [MODEL, *sorted(arrays), *sorted(recipe.files)]
    if wrong or len({name.lower() for name in names}) < len(names):
        raise ValueError(f"the names {wrong or names} cannot all be files")
    contents = {MODEL: recipe.model, **arrays, **recipe.files}
    return {name: contents[name] for name in names}


def _finite(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(f"the array {name!r} holds other than finite numbers")
    return array


def _locked(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
