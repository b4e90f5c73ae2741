"""Recipes as calls take them: read, by path, or ready for use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias, Union

from flawline.errors import UsageError
from flawline.inspector import Inspector
from flawline.recipe import Recipe, read_recipe

RecipeLike: TypeAlias = Union[Recipe, str, "os.PathLike[str]"]
InspectorLike: TypeAlias = Inspector | RecipeLike


def recipe_of(recipe: RecipeLike) -> Recipe:
    """Give a recipe, read from its path where it is one; errors as for `read_recipe`."""
    return recipe if isinstance(recipe, Recipe) else read_recipe(Path(recipe))


def inspector_of(recipe: InspectorLike, precision: str | None = None) -> Inspector:
    """Make a recipe or the path of one ready; an `Inspector` stays as it is.

    Raises:
        UsageError: it is none of these, or a precision is given for an `Inspector`, which has one.
        ModelError: the recipe or its model cannot be used.
    """
    if isinstance(recipe, Recipe):
        return Inspector(recipe, precision=precision)
    if isinstance(recipe, str | os.PathLike):
        return Inspector.open(Path(recipe), precision=precision)
    if not hasattr(recipe, "inspect"):
        raise UsageError(
            f"expected a recipe, its path or an Inspector, got {type(recipe).__name__}",
            hint="the recipe comes first, then the source",
        )
    if precision is not None:
        raise UsageError("an Inspector has its precision already", hint="give the recipe instead")
    return recipe
