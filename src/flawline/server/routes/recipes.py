"""Recipes of the products: upload, activate, roll back, download."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from flawline.data.part_files import scratch_folder
from flawline.recipe import Recipe, read_recipe, stated_thresholds, write_recipe
from flawline.server.access import Engineer, State, Viewer, note
from flawline.server.errors import ServerError
from flawline.server.state import ServerState
from flawline.server.uploads import picture_bytes
from flawline.station.stored_recipe import stored_recipe

router = APIRouter(prefix="/api/recipes", tags=["recipes"])
MOST_RECIPE = 1024**3


class ActivationBody(BaseModel):
    """Which stored recipe is to judge a product."""

    recipe: str = Field(pattern="^[0-9a-f]{64}$")


@router.get("")
def list_recipes(state: State, _visitor: Viewer) -> dict[str, Any]:
    """List the products with their active recipes."""
    current = state.store.activations.current()
    return {
        "products": [
            {
                "product": name,
                "recipe": active.recipe,
                "since": active.time.isoformat(),
                "who": active.who,
                "problem": state.products.failed.get(name),
            }
            for name, active in sorted(current.items())
        ]
    }


@router.post("", status_code=201)
async def upload_recipe(
    state: State,
    visitor: Engineer,
    file: Annotated[UploadFile, File(description="A .flaw file.")],
    product: Annotated[str, Form(max_length=200)] = "",
) -> dict[str, Any]:
    """Take a recipe and let it judge its product from now on."""
    data = await picture_bytes(file, MOST_RECIPE)
    stem = Path(file.filename or "part").stem

    def take() -> dict[str, Any]:
        with scratch_folder() as folder:
            path = folder / "recipe.flaw"
            path.write_bytes(data)
            recipe = read_recipe(path)
        name = product.strip() or recipe.settings.part or stem
        state.products.activate(name, recipe, visitor.account.name)
        note(state, visitor, "upload recipe", f"{name}: {recipe.sha256[:12]}")
        return {"product": name, **described(recipe)}

    return await state.queue.run(take)


@router.get("/{product}")
def show_product(product: str, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Show the active recipe of a product, and those before it."""
    history = known(state, product)
    recipe = stored_recipe(state.store, state.pictures, history[0].recipe)
    return {
        "product": product,
        **described(recipe),
        "history": [
            {"recipe": one.recipe, "who": one.who, "since": one.time.isoformat()} for one in history
        ],
    }


@router.post("/{product}/activate")
def activate(product: str, body: ActivationBody, state: State, visitor: Engineer) -> dict[str, Any]:
    """Let a recipe that this product had before judge it again."""
    if body.recipe not in {one.recipe for one in known(state, product)}:
        raise ServerError(
            f"the product {product!r} never had the recipe {body.recipe[:12]}",
            hint="upload it instead",
            code="not-found",
        )
    recipe = stored_recipe(state.store, state.pictures, body.recipe)
    state.products.activate(product, recipe, visitor.account.name)
    note(state, visitor, "activate recipe", f"{product}: {body.recipe[:12]}")
    return {"product": product, **described(recipe)}


@router.get("/{product}/file", response_class=Response)
def download(product: str, state: State, _visitor: Engineer) -> Response:
    """Give the active recipe as a .flaw file."""
    recipe = stored_recipe(state.store, state.pictures, known(state, product)[0].recipe)
    with scratch_folder() as folder:
        data = write_recipe(recipe, folder / "recipe.flaw").read_bytes()
    headers = {"Content-Disposition": 'attachment; filename="recipe.flaw"'}
    return Response(data, media_type="application/zip", headers=headers)


Before = str | None


def before_of(state: ServerState, product: str) -> Before:
    """Return the hash of the recipe that judges a product now, so that a page can bring it back; None for none."""
    active = state.store.activations.current().get(product)
    return None if active is None else active.recipe


def known(state: ServerState, product: str) -> Any:
    """Return the activations of a product, the newest first; ServerError where there is none."""
    history = state.store.activations.history(product)
    if not history:
        raise ServerError(f"there is no product {product[:80]!r}", code="product-unknown")
    return history


def described(recipe: Recipe) -> dict[str, Any]:
    """Describe a recipe by plain values."""
    return {
        "recipe": recipe.sha256,
        "part": recipe.settings.part,
        "task": recipe.settings.task,
        "thresholds": stated_thresholds(recipe),
        "metrics": dict(recipe.manifest.metrics),
    }
