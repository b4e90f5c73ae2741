"""Recipes: trained inspections in a folder or one .flaw file."""

from flawline.recipe.container import MODEL
from flawline.recipe.disk import read_recipe, write_recipe
from flawline.recipe.manifest import BackboneRecord, PictureRecord, RecipeManifest, Role
from flawline.recipe.recipe import (
    Recipe,
    check_ready,
    detector_settings,
    known_pictures,
    new_recipe,
    recipe_with,
    segmenter_settings,
    spec_of,
    threshold_settings,
    thresholds_of,
)
from flawline.recipe.settings import (
    NO_THRESHOLD,
    AlignmentSettings,
    DetectorSettings,
    GoldenSampleSettings,
    LightSettings,
    PictureSettings,
    RecipeSettings,
    RegionSettings,
    SegmenterSettings,
    ThresholdSettings,
)
from flawline.recipe.stated import edited_thresholds, stated_thresholds

__all__ = [
    "MODEL",
    "NO_THRESHOLD",
    "AlignmentSettings",
    "BackboneRecord",
    "DetectorSettings",
    "GoldenSampleSettings",
    "LightSettings",
    "PictureRecord",
    "PictureSettings",
    "Recipe",
    "RecipeManifest",
    "RecipeSettings",
    "RegionSettings",
    "Role",
    "SegmenterSettings",
    "ThresholdSettings",
    "check_ready",
    "detector_settings",
    "edited_thresholds",
    "known_pictures",
    "new_recipe",
    "read_recipe",
    "recipe_with",
    "segmenter_settings",
    "spec_of",
    "stated_thresholds",
    "threshold_settings",
    "thresholds_of",
    "write_recipe",
]
