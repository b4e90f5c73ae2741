"""Store recipes with the pictures that they judged, and read them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flawline.data.part_files import scratch_folder
from flawline.errors import StoreError
from flawline.recipe import Recipe, read_recipe, write_recipe
from flawline.records.pictures import Pictures

if TYPE_CHECKING:
    from flawline.records.store import Store


def store_recipe(store: Store, pictures: Pictures, recipe: Recipe) -> str:
    """Store a recipe with the pictures, once; returns the hash of its file."""
    known = store.recipe_file(recipe.sha256)
    if known is not None:
        return known
    with scratch_folder() as folder:
        name = pictures.put(write_recipe(recipe, folder / "recipe.flaw").read_bytes())
    store.keep_recipe(recipe.sha256, name)
    return name


def stored_recipe(store: Store, pictures: Pictures, sha256: str) -> Recipe:
    """Read the stored recipe of a hash.

    Raises:
        StoreError: ("picture-missing") it was not stored; ("picture-damaged") it was altered.
    """
    name = store.recipe_file(sha256)
    if name is None:
        raise StoreError(
            f"the recipe {sha256[:16] or 'of this inspection'} was not kept",
            hint="give it with `recipe`",
            code="picture-missing",
        )
    with scratch_folder() as folder:
        path = folder / "recipe.flaw"
        path.write_bytes(pictures.get(name))
        return read_recipe(path)
