"""Save and load a fitted ranking for scoring new pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.trees import check_trees
from flawline.data.array_file import read_arrays, write_arrays
from flawline.errors import ModelError
from flawline.features.compute import FeatureSettings, settings_as_dict, settings_from_dict
from flawline.jobs.rank.comparison import References, StrideReferences
from flawline.jobs.rank.forest import Forest
from flawline.jobs.rank.local_view import LocalScale
from flawline.jobs.rank.rank_by_comparison import Fitted

KIND = "ranking model"
SCHEMA = 3
# References of schema 2 have no local view, another soft maximum, and the mean as centre.
BEFORE_LOCAL_VIEW = 2
SHARPNESS_BEFORE = 0.5


@dataclass(frozen=True, slots=True)
class SavedRanking:
    """The fitted model of a ranking: either a forest, or references to compare with.

    `settings` computes the rows of new pictures; `described` is shown with results.
    """

    settings: FeatureSettings
    described: Mapping[str, Any]
    forest: Forest | None = None
    fitted: Fitted | None = None


def save_ranking(saved: SavedRanking, path: Path) -> Path:
    """Write a fitted ranking; the same ranking gives the same bytes."""
    manifest: dict[str, Any] = {
        "schema": SCHEMA,
        "settings": settings_as_dict(saved.settings, None),
        "described": dict(saved.described),
    }
    if saved.forest is not None:
        arrays = {
            f"forest.{f.name}": np.asarray(getattr(saved.forest, f.name)) for f in fields(Forest)
        }
        return write_arrays(path, KIND, manifest, arrays)
    assert saved.fitted is not None
    references = saved.fitted.references
    manifest["strides"] = {name: list(stride.grid) for name, stride in references.strides.items()}
    manifest["neighbours"] = references.neighbours
    manifest["digests"], manifest["groups"] = saved.fitted.digests, saved.fitted.groups
    manifest["sharpness"] = references.sharpness
    arrays = {"centre": references.centre, "spread": references.spread}
    for name, stride in references.strides.items():
        arrays |= {f"{name}.{field}": getattr(stride, field) for field in _ARRAYS}
        if stride.local is not None:
            arrays |= {f"{name}.local.{field}": getattr(stride.local, field) for field in _LOCAL}
    return write_arrays(path, KIND, manifest, arrays)


def load_ranking(path: str | Path) -> SavedRanking:
    """Read a fitted ranking.

    Raises:
        ModelError: the file is missing, damaged, altered, no ranking model, or of a newer schema.
    """
    manifest, arrays = read_arrays(Path(path), KIND)
    schema = manifest.get("schema")
    if schema not in (BEFORE_LOCAL_VIEW, SCHEMA):
        raise ModelError(
            f"{Path(path).name} has schema {schema}, this version reads {BEFORE_LOCAL_VIEW} and {SCHEMA}",
            hint="use the version of Flawline that wrote it, or rank again",
        )
    try:
        settings = settings_from_dict(manifest["settings"])
        if "strides" not in manifest:
            parts: dict[str, Any] = {f.name: arrays[f"forest.{f.name}"] for f in fields(Forest)}
            parts["expected_depth"] = float(parts["expected_depth"])
            forest = Forest(**parts)
            check_trees(forest, int(manifest["described"]["fields"]))
            return SavedRanking(settings, manifest["described"], forest=forest)
        references = _references(manifest, arrays)
        fitted = Fitted(references, tuple(manifest["digests"]), tuple(manifest["groups"]))
        return SavedRanking(settings, manifest["described"], fitted=fitted)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(
            f"the ranking model {Path(path).name} is damaged: {error}",
            hint="rank again with `save_model`",
            code="model-damaged",
        ) from error


def _references(manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> References:
    strides = {
        name: StrideReferences(
            grid=(grid[0], grid[1]),
            **{field: arrays[f"{name}.{field}"] for field in _ARRAYS},
            local=_local_scale(name, arrays) if manifest["schema"] == SCHEMA else None,
        )
        for name, grid in manifest["strides"].items()
    }
    neighbours = int(manifest["neighbours"])
    if manifest["schema"] == BEFORE_LOCAL_VIEW:
        mean, spread = arrays["mean"], arrays["spread"]
        return References(strides, mean, spread, neighbours, SHARPNESS_BEFORE)
    sharpness = float(manifest["sharpness"])
    if not 0 < sharpness < math.inf:
        raise ValueError(f"expected a sharpness above 0, got {sharpness}")
    return References(strides, arrays["centre"], arrays["spread"], neighbours, sharpness)


def _local_scale(stride: str, arrays: Mapping[str, NDArray[Any]]) -> LocalScale:
    return LocalScale(**{field: arrays[f"{stride}.local.{field}"] for field in _LOCAL})


_ARRAYS = tuple(
    field.name for field in fields(StrideReferences) if field.name not in ("grid", "local")
)
_LOCAL = tuple(field.name for field in fields(LocalScale))
